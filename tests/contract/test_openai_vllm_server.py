"""The engine over HTTP against vLLM's own server, beyond the contract suite: what a plain client sees of it, and what it says when it refuses."""

import asyncio

import httpx
import pytest

from parley.backends.openai_api import ServerExtras
from parley.backends.openai_engine import OpenAIEngine
from parley.errors import ConfigurationError, PromptTooLong
from parley.ports.engine import AdapterFiles
from tests.support.engines import KINDS, RunningEngine, asking, written
from tests.support.model_servers import ServedEngine, VllmServer
from tests.support.tiny_models import CONTEXT, RANK

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.parametrize("session_engine", [KINDS["openai"]], ids=["openai"], indirect=True),
]

EXTRAS = ServerExtras(vllm=True, slots=VllmServer.slots, held=VllmServer.held, max_rank=VllmServer.max_rank)


def server(engine: RunningEngine) -> tuple[str, str]:
    """Its address, and the model that it serves."""
    served = engine.engine
    assert isinstance(served, ServedEngine)
    return served.server.url, served.server.name


def test_a_client_that_knows_the_api_alone_is_answered(engine: RunningEngine) -> None:
    url, model = server(engine)
    asked = asking(max_tokens=4, cache_salt="bank", priority=5, logprobs=True)

    async def ask() -> None:
        plain = OpenAIEngine(url, model)
        await plain.start()
        answer = await written(plain.generate(asked))
        await plain.close()
        assert answer.text and answer.last.completion_tokens <= 4
        assert answer.token_ids == [] and len(answer.logprobs) == answer.last.completion_tokens

    engine.loop.run(ask())


def test_tenants_share_no_cached_beginnings_of_prompts(engine: RunningEngine) -> None:
    """The server says of itself that it is vLLM, so it is told their salts, of whatever characters; its metrics tell what its cache gave."""
    url, model = server(engine)
    prompt = " ".join(f"card {number}" for number in range(60))

    async def hits_for(*salts: str) -> list[float]:
        plain = OpenAIEngine(url, model)
        await plain.start()
        hits = []
        for salt in salts:
            before = cache_hits(url)
            await written(plain.generate(asking(prompt, max_tokens=1, cache_salt=salt)))
            hits.append(cache_hits(url) - before)
        await plain.close()
        return hits

    first, again, others, back = engine.loop.run(hits_for("tenant/a", "tenant/a", "tenant/b", "tenant/a"))
    assert first == others == 0
    assert again == back > 0


def cache_hits(url: str) -> float:
    """Tokens of prompts that came out of the prefix cache so far."""
    lines = httpx.get(url.removesuffix("/v1") + "/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("vllm:prefix_cache_hits_total"))


def test_a_model_that_is_not_served_is_told_with_those_that_are(engine: RunningEngine) -> None:
    url, model = server(engine)
    with pytest.raises(ConfigurationError, match=f"serves: {model}"):
        asyncio.run(OpenAIEngine(url, "other").start())


@pytest.mark.parametrize("tokens", [CONTEXT, CONTEXT + 1, 5 * CONTEXT])
def test_a_prompt_that_leaves_no_room_tells_both_numbers(engine: RunningEngine, tokens: int) -> None:
    """vLLM's server stops counting one token above what fits."""
    with pytest.raises(PromptTooLong) as raised:
        engine.write_one(asking(prompt_token_ids=(7,) * tokens))
    assert raised.value.context_tokens == CONTEXT <= raised.value.prompt_tokens <= tokens


def test_a_text_too_long_to_be_counted_is_told_as_too_long(engine: RunningEngine) -> None:
    with pytest.raises(PromptTooLong, match=rf"has {CONTEXT + 1} tokens"):
        engine.write_one(asking("card " * 50_000))


def test_an_adapter_that_another_client_loaded_is_taken_as_loaded(engine: RunningEngine) -> None:
    url, model = server(engine)
    name = engine.load("a")
    before = engine.write_one(asking(adapter=name)).text

    async def another() -> str:
        other = OpenAIEngine(url, model, extras=EXTRAS)
        await other.start()
        await other.load(AdapterFiles(name, engine.models.adapter("a"), RANK))
        answer = await written(other.generate(asking(adapter=name)))
        await other.close()
        return answer.text

    assert engine.loop.run(another()) == before
    engine.unload(name)
