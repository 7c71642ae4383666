"""The engine port: adapters are loaded, refused, used and let go, and an engine lives through all of it."""

import asyncio
from dataclasses import replace

import pytest

from parley.errors import AdapterRefused, RequestRefused, UnknownAdapter
from parley.ports.engine import AdapterFiles
from tests.support.engines import SLOTS, RunningEngine, asking
from tests.support.tiny_models import ADAPTERS, RANK

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def loading(engine: RunningEngine) -> RunningEngine:
    if not engine.kind.adapters:
        pytest.skip(f"{engine.kind.name} loads no adapters")
    return engine


def test_the_facts_tell_slots_and_rank(loading: RunningEngine) -> None:
    facts = loading.engine.facts
    assert (facts.slots, facts.max_rank) == (SLOTS, RANK)
    assert facts.held >= facts.slots + 1


def test_an_engine_without_adapters_says_so(engine: RunningEngine) -> None:
    if engine.kind.adapters:
        pytest.skip(f"{engine.kind.name} loads adapters")
    assert engine.engine.facts.slots == 0
    with pytest.raises(AdapterRefused):
        engine.load("a")


@pytest.mark.parametrize("bad", ["garbage", "truncated", "empty", "wide", "foreign", "not there"])
def test_files_that_are_no_adapter_are_refused(loading: RunningEngine, bad: str) -> None:
    """Under way beside it: a completion with a sound adapter, which notices nothing."""
    name = loading.load("a")
    request = asking(max_tokens=60, ignore_eos=True, adapter=name)
    alone = loading.write_one(asking(max_tokens=60, ignore_eos=True, adapter=name))

    async def beside() -> None:
        with pytest.raises(AdapterRefused) as refused:
            await loading.engine.load(AdapterFiles(f"{bad}@1", loading.models.adapter(bad), RANK))
        assert str(loading.models.adapter(bad)) in str(refused.value)

    async def both() -> str:
        text, _ = await asyncio.gather(loading._all([request]), beside())
        return text[0].text

    assert loading.loop.run(both()) == alone.text
    with pytest.raises(UnknownAdapter):
        loading.write_one(asking(adapter=f"{bad}@1"))
    loading.unload(name)


def test_an_adapter_that_was_not_loaded_is_refused(loading: RunningEngine) -> None:
    with pytest.raises(UnknownAdapter, match="somebody@else"):
        loading.write_one(asking(adapter="somebody@else"))
    assert loading.write_one(asking()).text


def test_one_name_is_loaded_once(loading: RunningEngine) -> None:
    """A name stands for one content: other files under it are not looked at."""
    name = loading.load("a")
    before = loading.write_one(asking(adapter=name))
    loading.load("b", as_name=name)
    assert loading.write_one(asking(adapter=name)).text == before.text
    loading.unload(name)


def test_a_name_that_was_let_go_may_come_again(loading: RunningEngine) -> None:
    name = loading.load("a")
    before = loading.write_one(asking(adapter=name))
    loading.unload(name)
    with pytest.raises(UnknownAdapter):
        loading.write_one(asking(adapter=name))
    loading.load("a")
    assert loading.write_one(asking(adapter=name)).text == before.text
    loading.unload(name)
    loading.unload(name)
    loading.unload("never loaded")


def test_versions_of_one_tenant_are_kept_apart(loading: RunningEngine) -> None:
    """The second one is loaded while the first one writes; the same prompt, the same salt."""
    old, prompt = loading.load("a", as_name="bank@1"), "Where is my card?"
    first = loading.write_one(asking(prompt, adapter=old, cache_salt="bank"))
    new = loading.load("b", as_name="bank@2")
    both = loading.write(
        asking(prompt, adapter=old, cache_salt="bank"), asking(prompt, adapter=new, cache_salt="bank")
    )
    assert both[0].text == first.text
    assert both[1].text != first.text
    for name in (old, new):
        loading.unload(name)


def test_the_base_model_beside_adapters_in_every_slot_answers_as_alone(loading: RunningEngine) -> None:
    base = asking(max_tokens=40, ignore_eos=True)
    alone = loading.write_one(base)
    names = [loading.load(ADAPTERS[number % 3], as_name=f"s{number}@1") for number in range(SLOTS)]
    beside = [asking(max_tokens=60, ignore_eos=True, adapter=name) for name in names]
    again = replace(base, request_id=f"{base.request_id}-again")
    assert loading.write(*beside, again)[-1].text == alone.text
    for name in names:
        loading.unload(name)


def test_an_adapter_in_use_is_not_let_go(loading: RunningEngine) -> None:
    name = loading.load("a")

    async def while_in_use() -> str:
        request = asking(max_tokens=300, ignore_eos=True, adapter=name)
        pieces = loading.engine.generate(request)
        await anext(pieces)
        with pytest.raises(RequestRefused, match="under way"):
            await loading.engine.unload(name)
        await loading.engine.abort(request.request_id)
        return "".join([piece.text async for piece in pieces])

    loading.loop.run(while_in_use())
    loading.unload(name)
    with pytest.raises(UnknownAdapter):
        loading.write_one(asking(adapter=name))


def test_more_than_there_are_slots_are_held(loading: RunningEngine) -> None:
    """One after the other; each answers as itself, also after others had its slot."""
    names = [loading.load(ADAPTERS[number % 3], as_name=f"t{number}@1") for number in range(SLOTS + 3)]
    texts = [loading.write_one(asking(adapter=name)).text for name in names]
    again = [loading.write_one(asking(adapter=name)).text for name in names]
    assert again == texts
    assert len({*texts}) == len(ADAPTERS)
    for name in names:
        loading.unload(name)


def test_the_base_model_is_itself_beside_adapters_in_every_slot(loading: RunningEngine) -> None:
    """On the CPU, vLLM 0.32 takes "no adapter" for the last slot; that shows only where something lies in it."""
    names = [loading.load(ADAPTERS[number % 3], as_name=f"s{number}@1") for number in range(SLOTS)]
    alone = loading.write_one(asking(max_tokens=40, ignore_eos=True)).text
    adapted = [asking(max_tokens=40, ignore_eos=True, adapter=name) for name in names]
    beside, *_ = loading.write(asking(max_tokens=40, ignore_eos=True), *adapted)
    assert beside.text == alone
    for name in names:
        loading.unload(name)


def test_a_load_that_is_given_up_is_known_all_the_same(loading: RunningEngine) -> None:
    files = AdapterFiles("given up@1", loading.models.adapter("a"), RANK)

    async def give_up() -> None:
        task = asyncio.ensure_future(loading.engine.load(files))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await loading.engine.load(AdapterFiles("after it@1", loading.models.adapter("b"), RANK))

    loading.loop.run(give_up())
    for name in ("given up@1", "after it@1"):
        assert loading.write_one(asking(adapter=name)).text
        loading.unload(name)


def test_the_one_not_used_for_longest_makes_room(loading: RunningEngine) -> None:
    held = loading.engine.facts.held
    names = [loading.load("a", as_name=f"h{number}@1") for number in range(held)]
    loading.write_one(asking(adapter=names[0]))
    loading.load("b", as_name="one more@1")
    assert loading.write_one(asking(adapter=names[0])).text
    with pytest.raises(UnknownAdapter):
        loading.write_one(asking(adapter=names[1]))
    for name in (*names, "one more@1"):
        loading.unload(name)
