"""The engine port: an engine that ends, by itself or because it was closed, and one that is started again.

The last of the suites by name: the session's engine is closed by it, and would be started again only for a suite after it.
"""

import asyncio

import psutil
import pytest

from parley.errors import EngineDied
from parley.ports.engine import AdapterFiles
from tests.support.engines import START_WITHIN_S, RunningEngine, Written, asking, vllm_processes, written
from tests.support.tiny_models import ADAPTERS, RANK

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def mortal(engine: RunningEngine) -> RunningEngine:
    if engine.kind.kill is None:
        pytest.skip(f"{engine.kind.name} has no process of its own that could end")
    return engine


def test_death_ends_what_is_under_way_and_a_new_start_is_sound(mortal: RunningEngine) -> None:
    """kill -9 with completions running, waiting, and an adapter being loaded over and over."""
    adapter = mortal.load("a")
    before = mortal.write_one(asking(adapter=adapter)).text
    processes = family(mortal)

    async def die() -> list[Written | BaseException]:
        running = mortal.engine.facts.running
        asked = [
            asyncio.ensure_future(written(mortal.engine.generate(asking(max_tokens=900, ignore_eos=True))))
            for _ in range(running + 10)
        ]
        loading = asyncio.ensure_future(load_over_and_over(mortal))
        await asyncio.sleep(0.5)
        assert mortal.kind.kill is not None
        mortal.kind.kill(mortal.engine)
        return [
            each for each in await asyncio.gather(*asked, loading, return_exceptions=True) if each is not None
        ]

    ended = mortal.loop.run(die())
    assert [each for each in ended if not isinstance(each, EngineDied)] == []
    with pytest.raises(EngineDied):
        mortal.write_one(asking())
    with pytest.raises(EngineDied):
        mortal.load("b")

    mortal.loop.run(mortal.engine.start(), START_WITHIN_S)
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert alive == []
    assert mortal.write_one(asking()).text
    assert mortal.load("a") == adapter
    assert mortal.write_one(asking(adapter=adapter)).text == before


async def load_over_and_over(mortal: RunningEngine) -> None:
    """Until the engine is gone."""
    while True:
        for name in ADAPTERS:
            files = AdapterFiles(f"{name}@again", mortal.models.adapter(name), RANK)
            await mortal.engine.load(files)
            await mortal.engine.unload(files.name)


def family(mortal: RunningEngine) -> list[psutil.Process]:
    """The engine's processes and theirs."""
    own = [psutil.Process(pid) for pid in vllm_processes(mortal.engine)]
    return own + [child for each in own for child in each.children(recursive=True)]


def test_closing_ends_what_is_under_way(mortal: RunningEngine) -> None:
    async def close() -> list[Written | BaseException]:
        asked = [
            asyncio.ensure_future(written(mortal.engine.generate(asking(max_tokens=900, ignore_eos=True))))
            for _ in range(5)
        ]
        await asyncio.sleep(0.3)
        await mortal.engine.close()
        await mortal.engine.close()
        return list(await asyncio.gather(*asked, return_exceptions=True))

    processes = family(mortal)
    ended = mortal.loop.run(close())
    assert [type(each) for each in ended] == [EngineDied] * 5
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert alive == []
    with pytest.raises(EngineDied):
        mortal.write_one(asking())
