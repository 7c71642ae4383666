"""The engine over HTTP against a server that answers as it was told to: what is asked, what is read, and every way to fail."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from parley.backends.openai_api import ServerExtras
from parley.backends.openai_engine import ASSUMED_CONTEXT_TOKENS, OpenAIEngine
from parley.errors import (
    AdapterRefused,
    ConfigurationError,
    EngineDied,
    GeneratorUnavailable,
    PromptTooLong,
    RequestRefused,
    UnknownAdapter,
)
from parley.ports.engine import AdapterFiles, ChatMessage, CompletionRequest, EngineFacts, Piece
from tests.support.scripted_http import Answer, ScriptedServer, said, scripted, told, words

MODELS = "/v1/models"
CHAT = "/v1/chat/completions"
LOAD = "/v1/load_lora_adapter"
UNLOAD = "/v1/unload_lora_adapter"
SERVED = told(200, {"data": [{"id": "base", "max_model_len": 512}, {"id": "bank@1", "parent": "base"}]})
DONE = b"data: [DONE]\n\n"
SAID = Answer(body=said(*words("It", " costs")) + DONE)
VLLM = ServerExtras(vllm=True, salt=True, priority=True, slots=4, held=8, max_rank=8)
WAIT_S = 10.0


def request(**changes: Any) -> CompletionRequest:
    return CompletionRequest(**{"request_id": "r-1", "messages": (ChatMessage("user", "hi"),), **changes})


async def read(engine: OpenAIEngine, asked: CompletionRequest) -> list[Piece]:
    return [piece async for piece in engine.generate(asked)]


def against(
    answers: dict[str, list[Answer]],
    work: Callable[[OpenAIEngine, ScriptedServer], Awaitable[Any]],
    **settings: Any,
) -> Any:
    """What `work` returns with a started engine on such a server."""

    async def run() -> Any:
        async with scripted({MODELS: [SERVED], **answers}) as server:
            engine = OpenAIEngine(server.url, "base", **settings)
            await engine.start()
            try:
                return await asyncio.wait_for(work(engine, server), WAIT_S)
            finally:
                await engine.close()

    return asyncio.run(run())


def completed(
    answer: Answer, asked: CompletionRequest | None = None, path: str = CHAT, **settings: Any
) -> tuple[list[Piece], dict[str, Any]]:
    """The pieces, and the body that was asked with."""

    async def work(engine: OpenAIEngine, server: ScriptedServer) -> tuple[list[Piece], dict[str, Any]]:
        pieces = await read(engine, asked or request())
        return pieces, server.asked[-1].body

    pieces, body = against({path: [answer]}, work, **settings)
    return pieces, body


def test_pieces_add_up_and_the_last_one_tells_how_it_ended() -> None:
    pieces, _ = completed(SAID)
    assert [piece.text for piece in pieces] == ["It", " costs", ""]
    assert pieces[-1] == Piece("", finish="stop", prompt_tokens=11, completion_tokens=5)
    assert all(piece.finish is None for piece in pieces[:-1])


@pytest.mark.parametrize(
    ("word", "finish"), [("length", "length"), ("abort", "abort"), ("stop", "stop"), ("eos", "stop")]
)
def test_the_servers_word_for_the_end_is_translated(word: str, finish: str) -> None:
    pieces, _ = completed(Answer(body=said(*words("x", finish=word))))
    assert pieces[-1].finish == finish


def test_asks_for_the_model_and_a_greedy_stream() -> None:
    _, body = completed(SAID, request(stop=("\n", ""), seed=7, cache_salt="bank", priority=3))
    assert body == {
        "model": "base",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 400,
        "temperature": 0.0,
        "seed": 7,
        "stop": ["\n"],
    }


def test_asks_for_an_adapter_by_its_name() -> None:
    _, body = completed(SAID, request(adapter="bank@1"))
    assert body["model"] == "bank@1"


def test_salt_priority_and_token_ids_are_for_servers_that_know_them() -> None:
    _, body = completed(SAID, request(cache_salt="bank", priority=3, ignore_eos=True), extras=VLLM)
    assert (body["priority"], body["ignore_eos"], body["return_token_ids"]) == (3, True, True)
    assert body["cache_salt"] == sha256(b"bank").hexdigest()


@pytest.mark.parametrize(
    ("owner", "setting", "sent"),
    [
        ("vllm", None, True),
        ("vllm", False, False),
        ("openai", None, False),
        ("openai", True, True),
        (None, None, False),
    ],
)
def test_a_server_that_says_that_it_is_vllm_is_told_the_salt(
    owner: str | None, setting: bool | None, sent: bool
) -> None:
    async def work(engine: OpenAIEngine, server: ScriptedServer) -> Any:
        await read(engine, request(cache_salt="a/b@c"))
        return server.asked[-1].body

    served = told(200, {"data": [{"id": "base", **({"owned_by": owner} if owner else {})}]})
    body = against({MODELS: [served], CHAT: [SAID]}, work, extras=ServerExtras(salt=setting))
    assert ("cache_salt" in body) is sent
    assert not sent or re.fullmatch("[0-9a-f]{64}", body["cache_salt"])


def test_no_more_tokens_are_asked_for_than_the_context_holds() -> None:
    _, body = completed(SAID, request(max_tokens=900))
    assert body["max_tokens"] == 512


def test_what_utf8_cannot_say_is_replaced() -> None:
    _, body = completed(SAID, request(messages=(ChatMessage("user", "a\ud800b €"),)))
    assert body["messages"][0]["content"] == "a?b €"


def test_token_ids_and_logprobs_come_with_the_pieces() -> None:
    choice = {
        "delta": {"content": "It"},
        "logprobs": {"content": [{"token": "It", "logprob": -0.5}]},
        "token_ids": [7],
        "finish_reason": "length",
    }
    pieces, body = completed(Answer(body=said({"choices": [choice]})), request(logprobs=True), extras=VLLM)
    assert pieces == [Piece("It", (7,), (-0.5,)), Piece("", finish="length")]
    assert body["logprobs"] is True


def test_token_ids_are_completed_as_they_are() -> None:
    event = {"choices": [{"text": "x", "logprobs": {"token_logprobs": [-1.0]}, "finish_reason": "stop"}]}
    asked = request(prompt_token_ids=(5, 6), messages=(), logprobs=True)
    pieces, body = completed(Answer(body=said(event)), asked, "/v1/completions")
    assert pieces == [Piece("x", (), (-1.0,)), Piece("", finish="stop")]
    assert (body["prompt"], body["logprobs"], "messages" in body) == ([5, 6], 1, False)


def test_a_server_that_is_not_vllm_cannot_be_asked_to_ignore_the_end() -> None:
    with pytest.raises(RequestRefused, match="ignore_eos"):
        completed(SAID, request(ignore_eos=True))


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_an_overloaded_server_may_be_asked_again(status: int) -> None:
    with pytest.raises(GeneratorUnavailable, match=str(status)):
        completed(told(status, {}))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_final_and_quotes_nothing_of_the_request(status: int) -> None:
    error = {"error": {"message": "my secret is 42", "type": "BadRequestError"}}
    with pytest.raises(RequestRefused, match=rf"HTTP {status} \(BadRequestError\)$"):
        completed(told(status, error))


def test_an_adapter_that_the_server_does_not_know_is_refused_as_such() -> None:
    with pytest.raises(UnknownAdapter, match="bank@2"):
        completed(told(404, {"error": {"message": "no", "type": "NotFoundError"}}), request(adapter="bank@2"))


@pytest.mark.parametrize(
    ("error", "prompt", "context"),
    [
        ({"message": "This model's maximum context length is 512 tokens. However, your prompt contains at least 513 input tokens, which"}, 513, 512),
        ({"message": "This model's maximum context length is 512 tokens. However, your prompt contains 360 characters (more than 17, which is the upper bound for 512 input tokens)."}, 513, 512),
        ({"message": "This model's maximum context length is 4097 tokens. However, your messages resulted in 5000 tokens."}, 5000, 4097),
        ({"message": "This model's maximum context length is 4097 tokens, however you requested 5600 tokens (5000 in your prompt; 600 for the completion)."}, 5600, 4097),
        ({"message": "Input length (700) exceeds model's maximum context length (512)."}, 700, 512),
        ({"message": "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)"}, 512, 512),
        ({"message": "too large", "type": "exceed_context_size_error", "n_prompt_tokens": 90, "n_ctx": 64}, 90, 64),
    ],
)  # fmt: skip
def test_a_prompt_that_is_too_long_tells_both_numbers(
    error: dict[str, object], prompt: int, context: int
) -> None:
    with pytest.raises(PromptTooLong) as raised:
        completed(told(400, {"error": error}))
    assert (raised.value.prompt_tokens, raised.value.context_tokens) == (prompt, context)


@pytest.mark.parametrize(
    "stream",
    [
        said(*words("It", finish=None)),  # breaks off
        b"",
        b"data: not json\n\n",
        b"data: []\n\n",
        said({"error": {"message": "x", "code": 500}}),
        said({"error": "x"}),
        said(*words("It", finish="error")),
    ],
)
def test_a_damaged_stream_may_be_asked_again(stream: bytes) -> None:
    with pytest.raises(GeneratorUnavailable):
        completed(Answer(body=stream))


def test_a_refusal_within_the_stream_is_final() -> None:
    with pytest.raises(RequestRefused, match="400"):
        completed(Answer(body=said({"error": {"message": "x", "code": 400}})))


@pytest.mark.parametrize("begun", [b"", said(*words("It", finish=None))])
def test_silence_is_waited_for_so_long_and_no_longer(begun: bytes) -> None:
    with pytest.raises(GeneratorUnavailable, match="ReadTimeout"):
        completed(Answer(body=begun, silent=True), silence_s=0.2)


def test_a_server_that_is_not_there_may_be_asked_again() -> None:
    async def work() -> None:
        async with scripted({MODELS: [SERVED]}) as server:
            engine = OpenAIEngine(server.url, "base")
            await engine.start()
        with pytest.raises(GeneratorUnavailable, match="ConnectError"):
            await read(engine, request())
        with pytest.raises(GeneratorUnavailable, match="ConnectError"):
            await engine.start()
        await engine.close()

    asyncio.run(work())


async def silent_call(engine: OpenAIEngine) -> tuple[list[Piece], "asyncio.Task[None]"]:
    """A completion of which one word has come, after which nothing comes."""
    pieces: list[Piece] = []
    begun = asyncio.Event()

    async def collect() -> None:
        async for piece in engine.generate(request()):
            pieces.append(piece)
            begun.set()

    task = asyncio.create_task(collect())
    await begun.wait()
    return pieces, task


SILENT = Answer(body=said(*words("It", finish=None)), silent=True)


def test_an_aborted_completion_says_so_and_closes_its_connection() -> None:
    async def work(engine: OpenAIEngine, server: ScriptedServer) -> list[Piece]:
        pieces, task = await silent_call(engine)
        await engine.abort("r-1")
        await task
        assert await server.left.get() == CHAT
        await engine.abort("r-1")
        await engine.abort("unknown")
        return pieces

    assert against({CHAT: [SILENT]}, work) == [Piece("It"), Piece("", finish="abort", completion_tokens=1)]


def test_a_generator_that_is_closed_early_closes_its_connection() -> None:
    async def work(engine: OpenAIEngine, server: ScriptedServer) -> str:
        generator = engine.generate(request())
        async for _ in generator:
            break
        await generator.aclose()  # type: ignore[attr-defined]  # an asynchronous generator
        return await server.left.get()

    assert against({CHAT: [SILENT]}, work) == CHAT


def test_what_is_under_way_when_the_engine_closes_has_died() -> None:
    async def work(engine: OpenAIEngine, server: ScriptedServer) -> None:
        _, task = await silent_call(engine)
        await engine.close()
        await engine.close()
        with pytest.raises(EngineDied):
            await task
        with pytest.raises(EngineDied):
            await read(engine, request())
        await engine.start()
        server.answers[CHAT] = [SAID]
        assert len(await read(engine, request())) == 3

    against({CHAT: [SILENT]}, work)


def test_a_request_id_is_taken_once_at_a_time() -> None:
    async def work(engine: OpenAIEngine, server: ScriptedServer) -> None:
        _, task = await silent_call(engine)
        with pytest.raises(RequestRefused, match="r-1"):
            await read(engine, request())
        await engine.abort("r-1")
        await task

    against({CHAT: [SILENT]}, work)


def test_no_more_requests_are_open_than_run_at_once() -> None:
    async def work(engine: OpenAIEngine, server: ScriptedServer) -> int:
        _, task = await silent_call(engine)
        second = asyncio.create_task(read(engine, request(request_id="r-2")))
        await engine.load(ADAPTER)
        opened = [asked.path for asked in server.asked].count(CHAT)
        await engine.abort("r-1")
        await task
        await second
        return opened

    answers = {CHAT: [SILENT, SAID], LOAD: [Answer()]}
    assert against(answers, work, running=1, extras=VLLM) == 1


@pytest.mark.parametrize(
    ("listed", "settings", "context"),
    [
        ({"id": "base", "max_model_len": 512}, {}, 512),
        ({"id": "base", "max_model_len": 512}, {"context_tokens": 256}, 256),
        ({"id": "base"}, {}, ASSUMED_CONTEXT_TOKENS),
    ],
)
def test_the_context_is_what_the_setting_says_or_the_server(
    listed: dict[str, object], settings: dict[str, Any], context: int
) -> None:
    async def work() -> EngineFacts:
        async with scripted({MODELS: [told(200, {"data": [listed]})]}) as server:
            engine = OpenAIEngine(server.url, "base", revision="abc", extras=VLLM, **settings)
            with pytest.raises(EngineDied):
                _ = engine.facts
            await engine.start()
            facts = engine.facts
            await engine.close()
            return facts

    assert asyncio.run(work()) == EngineFacts("base@abc", context, 64, slots=4, held=8, max_rank=8)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (told(200, {"data": [{"id": "other"}, {"id": "more"}]}), ConfigurationError, "'base'; it serves: other, more"),
        (told(200, {"data": []}), ConfigurationError, "serves: none"),
        (told(401, {}), ConfigurationError, "PARLEY_OPENAI_KEY"),
        (told(403, {}), ConfigurationError, "PARLEY_OPENAI_KEY"),
        (told(404, {}), ConfigurationError, "PARLEY_OPENAI_URL"),
        (Answer(body=b"<html>"), ConfigurationError, "PARLEY_OPENAI_URL"),
        (told(503, {}), GeneratorUnavailable, "503"),
        (told(418, {}), RequestRefused, "418"),
    ],
)  # fmt: skip
def test_a_server_that_cannot_serve_is_told_at_the_start(
    answer: Answer, error: type[Exception], message: str
) -> None:
    async def work() -> None:
        async with scripted({MODELS: [answer]}) as server:
            await OpenAIEngine(server.url, "base").start()

    with pytest.raises(error, match=message):
        asyncio.run(work())


def test_the_key_goes_with_every_request() -> None:
    async def work(engine: OpenAIEngine, server: ScriptedServer) -> list[str]:
        await read(engine, request())
        return [asked.headers["authorization"] for asked in server.asked]

    assert against({CHAT: [SAID]}, work, key="k") == ["Bearer k", "Bearer k"]


@pytest.mark.parametrize(("url", "model"), [("localhost:8000/v1", "base"), ("", "base"), ("http://x/v1", "")])
def test_address_and_model_have_to_be_named(url: str, model: str) -> None:
    with pytest.raises(ConfigurationError, match="PARLEY_OPENAI_"):
        OpenAIEngine(url, model)


def loaded(answer: Answer, adapter: AdapterFiles, **settings: Any) -> list[str]:
    """The paths that were asked for when the adapter was loaded twice and unloaded twice."""

    async def work(engine: OpenAIEngine, server: ScriptedServer) -> list[str]:
        for _ in range(2):
            await engine.load(adapter)
        for _ in range(2):
            await engine.unload(adapter.name)
        return [asked.path for asked in server.asked[1:]]

    paths: list[str] = against({LOAD: [answer], UNLOAD: [Answer()]}, work, **settings)
    return paths


ADAPTER = AdapterFiles("bank@2", Path("/adapters/2"), 8)


@pytest.mark.parametrize(
    "answer",
    [Answer(body=b"Success"), told(400, {"error": {"message": "'bank@2' has already been loaded."}})],
)
def test_an_adapter_is_loaded_and_unloaded_once(answer: Answer) -> None:
    assert loaded(answer, ADAPTER, extras=VLLM) == [LOAD, UNLOAD]


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (
            told(500, {"error": {"message": "bad header"}}),
            AdapterRefused,
            "/adapters/2: the server refuses it: bad header",
        ),
        (told(404, {"error": {"message": "No adapter found"}}), AdapterRefused, "No adapter found"),
        (told(404, {"detail": "Not Found"}), ConfigurationError, "VLLM_ALLOW_RUNTIME_LORA_UPDATING"),
        (told(503, {}), GeneratorUnavailable, "503"),
    ],
)
def test_an_adapter_that_the_server_does_not_take_is_refused(
    answer: Answer, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        loaded(answer, ADAPTER, extras=VLLM)


def test_an_adapter_is_not_offered_where_there_is_no_place_for_it() -> None:
    with pytest.raises(AdapterRefused, match="slots is 0"):
        loaded(Answer(), ADAPTER)
    with pytest.raises(AdapterRefused, match="rank 16; the server takes at most 8"):
        loaded(Answer(), AdapterFiles("bank@3", ADAPTER.folder, 16), extras=VLLM)


def test_an_adapter_that_the_server_forgot_is_loaded_again() -> None:
    async def work(engine: OpenAIEngine, server: ScriptedServer) -> int:
        await engine.load(ADAPTER)
        with pytest.raises(UnknownAdapter):
            await read(engine, request(adapter=ADAPTER.name))
        await engine.load(ADAPTER)
        return [asked.path for asked in server.asked].count(LOAD)

    assert against({LOAD: [Answer()], CHAT: [told(404, {})]}, work, extras=VLLM) == 2
