"""The OpenAI-compatible generator against scripted answers at the HTTP seam, streams, and cancelled generations."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from threading import Event as Flag
from threading import Thread
from time import monotonic

import httpx
import pytest

from parley.backends.extractive import ExtractiveGenerator
from parley.backends.memory_bus import MemoryBus
from parley.backends.openai import OpenAIGenerator
from parley.errors import ConfigurationError, GeneratorUnavailable, RequestRefused
from parley.ports.models import Completion, Prompt
from schemas.base import GenerationId
from schemas.parts import HistoryTurn
from schemas.topics import INFERENCE_CONTROL
from schemas.work import GenerationCancelled
from tests.support.effectors import until
from tests.support.platform import make_platform, send
from tests.support.small_tenant import TENANT
from tests.support.stories import PASSAGE, event
from workers.inference.cancelling import REMEMBERED, Cancellations
from workers.inference.streaming import Stream

PROMPT = Prompt(
    tenant=TENANT,
    language="en",
    system="Be kind.",
    examples=(("q", "a"),),
    history=(HistoryTurn(speaker="customer", text="hi"), HistoryTurn(speaker="bot", text="hello")),
    question="What does it cost?",
    passages=(PASSAGE,),
    max_tokens=100,
    model=None,
    adapter=None,
    seed=7,
)


def chunk(text: str | None = None, finish: str | None = None, usage: bool = False) -> str:
    event: dict[str, object] = {
        "choices": [{"delta": {"content": text} if text else {}, "finish_reason": finish}]
    }
    if usage:
        event = {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 5}}
    return f"data: {json.dumps(event)}\n\n"


def generate(
    respond: Callable[[httpx.Request], httpx.Response], cancelled: Callable[[], bool] = lambda: False
) -> tuple[Completion | None, list[str]]:
    generator = OpenAIGenerator("http://model/v1", "base", "key", httpx.MockTransport(respond))
    pieces: list[str] = []
    done = generator.generate(PROMPT, on_text=pieces.append, cancelled=cancelled, timeout_s=5)
    generator.close()
    return done, pieces


def streaming(*chunks: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(200, text="".join(chunks) + "data: [DONE]\n\n")


def test_streams_the_text_without_its_source_marks_which_become_citations() -> None:
    done, pieces = generate(
        streaming(
            chunk("It costs"),
            chunk(" €4.50 "),
            chunk("["),
            chunk("1"),
            chunk("]"),
            chunk(". Bye."),
            chunk(finish="stop"),
            chunk(usage=True),
        )
    )
    assert done is not None
    assert done.text == "It costs €4.50. Bye." == "".join(pieces)
    assert (done.cited, done.model, done.finish_reason) == ((PASSAGE.chunk_id,), "base", "stop")
    assert (done.usage.prompt_tokens, done.usage.completion_tokens) == (11, 5)


def test_asks_with_instructions_examples_history_and_numbered_sources() -> None:
    asked: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return streaming(chunk("x"))(request)

    generate(respond)
    body = json.loads(asked[0].content)
    assert (
        asked[0].url == "http://model/v1/chat/completions"
        and asked[0].headers["authorization"] == "Bearer key"
    )
    assert [m["role"] for m in body["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert "[1] Account fees\nThe Everyday account costs €4.50 a month." in body["messages"][-1]["content"]
    assert (body["stream"], body["max_tokens"], body["seed"], body["temperature"]) == (True, 100, 7, 0.0)


def test_a_mark_of_a_source_that_is_not_there_is_dropped() -> None:
    done, _ = generate(streaming(chunk("Fine [7] and [1].")))
    assert done is not None and (done.text, done.cited) == ("Fine and.", (PASSAGE.chunk_id,))


@pytest.mark.parametrize("text", [("NO_ANSWER",), ("NO", "_ANS", "WER"), ("",), (" NO_ANSWER. ",)])
def test_saying_that_there_is_no_answer_streams_nothing(text: tuple[str, ...]) -> None:
    done, pieces = generate(streaming(*(chunk(part) for part in text)))
    assert done is None and pieces == []


def test_a_text_that_only_begins_alike_is_an_answer() -> None:
    done, pieces = generate(streaming(chunk("NO"), chunk("RHAVEN is open.")))
    assert done is not None and done.text == "NORHAVEN is open." == "".join(pieces)


def test_a_text_that_was_cut_says_so() -> None:
    done, _ = generate(streaming(chunk("It costs"), chunk(finish="length")))
    assert done is not None and done.finish_reason == "length"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_overloaded_server_may_be_asked_again(status: int) -> None:
    with pytest.raises(GeneratorUnavailable, match=str(status)):
        generate(lambda request: httpx.Response(status))


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_refusal_is_final(status: int) -> None:
    with pytest.raises(RequestRefused, match=str(status)):
        generate(lambda request: httpx.Response(status))


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")]
)
def test_a_server_that_is_not_there_may_be_asked_again(error: Exception) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(GeneratorUnavailable):
        generate(respond)


@pytest.mark.parametrize("line", ["data: not json\n\n", 'data: {"error": {"message": "x"}}\n\n'])
def test_a_damaged_stream_may_be_asked_again(line: str) -> None:
    with pytest.raises(GeneratorUnavailable):
        generate(lambda request: httpx.Response(200, text=line))


def test_a_cancelled_generation_ends_without_a_text() -> None:
    done, _ = generate(streaming(chunk("a"), chunk("b")), cancelled=lambda: True)
    assert done is None


class Silent(httpx.AsyncBaseTransport):
    """Accepts the request and never answers, or answers and then never says anything; tells how each request ended."""

    def __init__(self, *, answers: bool) -> None:
        self._answers = answers
        self.asked = Flag()
        self.ended = Flag()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.set()
        if not self._answers:
            await self._wait()
        return httpx.Response(200, stream=Endless(self._wait))

    async def _wait(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


class Endless(httpx.AsyncByteStream):
    def __init__(self, wait: Callable[[], Awaitable[None]]) -> None:
        self._wait = wait

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b": still here\n\n"
        await self._wait()


silent = pytest.mark.parametrize("answers", [False, True])


def ask_silence(
    server: Silent, *, cancelled: Callable[[], bool] = lambda: False, timeout_s: float = 30.0
) -> Completion | None:
    generator = OpenAIGenerator("http://model/v1", "base", transport=server)
    try:
        return generator.generate(PROMPT, on_text=lambda text: None, cancelled=cancelled, timeout_s=timeout_s)
    finally:
        assert server.ended.wait(5)
        generator.close()


@silent
def test_a_silent_server_is_waited_for_no_longer_than_there_is_time(answers: bool) -> None:
    began = monotonic()
    with pytest.raises(GeneratorUnavailable, match="deadline"):
        ask_silence(Silent(answers=answers), timeout_s=0.2)
    assert monotonic() - began < 5


@silent
def test_a_cancelled_request_ends_although_the_server_is_silent(answers: bool) -> None:
    server = Silent(answers=answers)
    assert ask_silence(server, cancelled=server.asked.is_set) is None


def test_closing_ends_what_is_under_way() -> None:
    server = Silent(answers=False)
    generator = OpenAIGenerator("http://model/v1", "base", transport=server)
    raised: list[Exception] = []

    def call() -> None:
        try:
            generator.generate(PROMPT, on_text=lambda text: None, cancelled=lambda: False, timeout_s=30)
        except GeneratorUnavailable as error:
            raised.append(error)

    thread = Thread(target=call)
    thread.start()
    assert server.asked.wait(5)
    generator.close()
    generator.close()
    thread.join(5)
    assert raised and server.ended.is_set()


def test_a_model_has_to_be_named() -> None:
    with pytest.raises(ConfigurationError, match="PARLEY_OPENAI_MODEL"):
        OpenAIGenerator("http://model/v1", "")


def test_the_extractive_generators_pieces_add_up() -> None:
    pieces: list[str] = []
    generator = ExtractiveGenerator()
    done = generator.generate(PROMPT, on_text=pieces.append, cancelled=lambda: False, timeout_s=1)
    assert (
        done is not None
        and "".join(pieces) == done.text == PASSAGE.text
        and done.cited == (PASSAGE.chunk_id,)
    )
    assert generator.generate(PROMPT, on_text=pieces.append, cancelled=lambda: True, timeout_s=1) is None
    generator.close()


def stream(*bad: str) -> tuple[Stream, list[tuple[int, str]]]:
    left: list[tuple[int, str]] = []
    return Stream(lambda text: text not in bad, lambda index, text: left.append((index, text))), left


def test_deltas_leave_sentence_by_sentence() -> None:
    writing, left = stream()
    for piece in ("It co", "sts €4", ".50 a month", ". And", " more。好的", "。\nLast"):
        writing.write(piece)
    assert left == [(0, "It costs €4.50 a month."), (1, " And more。"), (2, "好的。\n")]
    writing.finish()
    assert left[-1] == (3, "Last")


def test_what_is_written_at_once_leaves_at_once() -> None:
    writing, left = stream()
    writing.write("One. Two. Thr")
    writing.finish()
    assert left == [(0, "One. Two."), (1, " Thr")]


def test_a_list_item_is_not_parted_from_its_number() -> None:
    writing, left = stream("1.", "12.", " 3.")
    for piece in ("Do this:\n", "1. Open the app.\n1", "2", ". Choose. ", "How many? 3. That is all. "):
        writing.write(piece)
    assert [text for _, text in left] == ["Do this:\n", "1. Open the app.\n", "12. Choose.", " How many?"]


def test_after_a_sentence_that_fails_nothing_more_is_streamed() -> None:
    writing, left = stream(" Bad.")
    writing.write("Good. Bad. Good again. ")
    writing.write("More. ")
    writing.finish()
    assert left == [(0, "Good.")]


def test_cancellations_are_remembered_and_the_oldest_forgotten() -> None:
    cancellations = Cancellations()
    for number in range(REMEMBERED + 1):
        cancellations.cancel(str(number))
    assert cancellations.of("1")() and not cancellations.of("0")()


def test_cancellations_are_heard_although_the_bus_comes_later(caplog: pytest.LogCaptureFixture) -> None:
    bus = MemoryBus()
    on = make_platform(bus)
    cancellations, stop = Cancellations(), Flag()
    cancelled = cancellations.of("g-1")
    bus.stop()
    listener = Thread(target=cancellations.listen, args=(bus, on.codec, stop))
    listener.start()
    until(lambda: "hears of no cancellations" in caplog.text)
    bus.start()
    producer = on.bus.producer()
    body = GenerationCancelled(generation_id=GenerationId("g-1"), epoch=1)
    number = count()

    def heard() -> bool:
        """Words said before it listens are lost, so they are said again."""
        producer.send(INFERENCE_CONTROL.name, key=b"k", value=b"garbage").result(5)
        send(on, event(body, next(number)))
        return cancelled()

    until(heard)
    stop.set()
    listener.join(5)
    assert not listener.is_alive()
