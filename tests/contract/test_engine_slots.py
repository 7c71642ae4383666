"""No completion is ever written with another adapter's weights: vLLM's slots, as they are and as they were before its fix.

The model is made so that every adapter writes one token of its own at every step, and any other token is a leak.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count

import pytest

from parley.backends.vllm_engine import VllmEngine, self_test
from parley.errors import ConfigurationError
from parley.ports.engine import AdapterFiles
from tests.support.engines import SLOTS, RunningEngine, asking, written
from tests.support.tiny_models import PROBE_ADAPTERS, PROBE_RANK

pytestmark = pytest.mark.timeout(600)

CLIENTS = 16
SWAPS = 150
NUMBERS = count(1)
"""Of versions: no name is used twice."""


@pytest.fixture(scope="module")
def own(probe_engine: RunningEngine) -> dict[int, set[int]]:
    """The tokens that each adapter writes when nothing else is going on."""
    return {
        number: probe_engine.loop.run(tokens_alone(probe_engine, number)) for number in range(PROBE_ADAPTERS)
    }


async def tokens_alone(probe: RunningEngine, number: int) -> set[int]:
    async with loaded(probe, number) as name:
        texts = [
            await written(probe.engine.generate(asking(text, adapter=name, ignore_eos=True)))
            for text in ("a", "Hello there")
        ]
        return {token for each in texts for token in each.token_ids}


@asynccontextmanager
async def loaded(probe: RunningEngine, *numbers: int) -> AsyncIterator[str]:
    """One new version of each; the name of the first."""
    files = [
        AdapterFiles(f"t{number}@{next(NUMBERS)}", probe.models.probe_adapter(number), PROBE_RANK)
        for number in numbers
    ]
    for each in files:
        await probe.engine.load(each)
    yield files[0].name
    for each in files:
        await probe.engine.unload(each.name)


@contextmanager
def with_the_fault(probe: RunningEngine, fault: str) -> Iterator[VllmEngine]:
    """A fault that vLLM's releases have or had; it is mended again in the way in which it is at each start."""
    engine = probe.engine
    assert isinstance(engine, VllmEngine)
    probe.loop.run(engine.ask_workers(f"leak_{fault}"))
    try:
        yield engine
    finally:
        assert probe.loop.run(engine.ask_workers("parley_mend")) == [[fault]]
    assert probe.loop.run(engine.ask_workers("parley_mend")) == [[]]


def test_each_adapter_writes_tokens_of_its_own(own: dict[int, set[int]]) -> None:
    """Else the tests below would show nothing."""
    assert all(own.values())
    assert max(Counter(token for tokens in own.values() for token in tokens).values()) == 1


async def wrong_after_idle_loads(probe: RunningEngine, own: dict[int, set[int]]) -> int:
    """One request at a time. The first adapter answers, as many as there are slots are loaded, and its prompt comes again.

    These adapters write values, and those of the prompt are right in the cache: a foreign one shows when more were written since.
    """
    assert isinstance(probe.engine, VllmEngine)
    prompt = tuple(range(10, 10 + probe.engine.cache_block_tokens + 1))
    async with loaded(probe, 0) as name:
        first = asking(prompt_token_ids=prompt, adapter=name, ignore_eos=True)
        before = await written(probe.engine.generate(first))
        async with loaded(probe, *range(1, SLOTS + 1)):
            again = asking(prompt_token_ids=prompt, adapter=name, ignore_eos=True, max_tokens=3 * len(prompt))
            after = await written(probe.engine.generate(again))
    assert set(before.token_ids) <= own[0]
    return sum(token not in own[0] for token in after.token_ids)


async def wrong_after_loads_under_way(probe: RunningEngine, own: dict[int, set[int]]) -> int:
    """As many adapters decode as there are slots, and another one is loaded."""
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(tokens_under_way(probe, number, own)) for number in range(SLOTS)]
        await asyncio.sleep(0.3)
        for number in range(SLOTS, SLOTS + 3):
            async with loaded(probe, number):
                await asyncio.sleep(0.05)
    return sum(run.result() for run in runs)


async def tokens_under_way(probe: RunningEngine, number: int, own: dict[int, set[int]]) -> int:
    async with loaded(probe, number) as name:
        run = await written(probe.engine.generate(asking(adapter=name, ignore_eos=True, max_tokens=300)))
    return sum(token not in own[number] for token in run.token_ids)


def test_nothing_is_wrong_after_loads_while_nothing_runs(
    probe_engine: RunningEngine, own: dict[int, set[int]]
) -> None:
    assert probe_engine.loop.run(wrong_after_idle_loads(probe_engine, own)) == 0


def test_nothing_is_wrong_after_loads_while_every_slot_is_in_use(
    probe_engine: RunningEngine, own: dict[int, set[int]]
) -> None:
    assert probe_engine.loop.run(wrong_after_loads_under_way(probe_engine, own)) == 0


def test_the_base_model_takes_nothing_from_adapters_beside_it(
    probe_engine: RunningEngine, own: dict[int, set[int]]
) -> None:
    assert probe_engine.loop.run(differing_beside_adapters(probe_engine)) == 0


async def differing_beside_adapters(probe: RunningEngine) -> int:
    """Tokens of the base model that are others than those it writes alone, with an adapter decoding in every slot."""
    alone = await written(probe.engine.generate(asking(ignore_eos=True, max_tokens=60)))
    async with asyncio.TaskGroup() as group:
        for number in range(SLOTS):
            group.create_task(tokens_under_way(probe, number, {number: set()}))
        await asyncio.sleep(0.3)
        beside = await written(probe.engine.generate(asking(ignore_eos=True, max_tokens=60)))
    return sum(one != other for one, other in zip(alone.token_ids, beside.token_ids, strict=True))


def test_with_the_fault_of_the_slots_both_sequences_leak_and_the_self_test_refuses(
    probe_engine: RunningEngine, own: dict[int, set[int]]
) -> None:
    with with_the_fault(probe_engine, "slots") as engine:
        assert probe_engine.loop.run(wrong_after_idle_loads(probe_engine, own)) > 0
        assert probe_engine.loop.run(wrong_after_loads_under_way(probe_engine, own)) > 0
        with pytest.raises(ConfigurationError, match="answers adapters with another's weights"):
            probe_engine.loop.run(self_test(engine))
    assert probe_engine.loop.run(wrong_after_loads_under_way(probe_engine, own)) == 0
    probe_engine.loop.run(self_test(engine))


def test_with_the_fault_of_cpus_the_base_model_leaks_and_the_self_test_refuses(
    probe_engine: RunningEngine,
) -> None:
    with with_the_fault(probe_engine, "base") as engine:
        assert probe_engine.loop.run(differing_beside_adapters(probe_engine)) > 0
        with pytest.raises(
            ConfigurationError, match="answers the base model's requests with another's weights"
        ):
            probe_engine.loop.run(self_test(engine))
    probe_engine.loop.run(self_test(engine))


def test_the_self_test_finds_an_ordinary_model_sound_and_leaves_nothing(engine: RunningEngine) -> None:
    if not isinstance(engine.engine, VllmEngine):
        pytest.skip("the self-test is vLLM's")
    before = engine.write_one(asking())
    engine.loop.run(self_test(engine.engine))
    assert engine.loop.run(engine.engine.ask_workers("parley_slots")) == [[None] * SLOTS]
    assert engine.write_one(asking()).text == before.text


class Swapping:
    """Clients that ask all adapters, and a swapper that replaces their versions, both within what slots allow."""

    def __init__(self, probe: RunningEngine, own: dict[int, set[int]]) -> None:
        self._probe = probe
        self._own = own
        self._random = random.Random(0)
        self._live: dict[int, str] = {}
        self._in_flight: Counter[str] = Counter()
        self._over = asyncio.Event()
        self.requests = self.wrong = self.swaps = 0

    async def run(self, swaps: int) -> None:
        for number in range(PROBE_ADAPTERS):
            await self._publish(number)
        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(self._client())
            while self.swaps < swaps:
                await self._swap(self._random.randrange(PROBE_ADAPTERS))
                await asyncio.sleep(0.005)
            self._over.set()
        for name in self._live.values():
            await self._probe.engine.unload(name)

    async def _client(self) -> None:
        while not self._over.is_set():
            number = self._random.randrange(PROBE_ADAPTERS)
            name = self._live[number]
            if name not in self._in_flight and len(self._in_flight) >= SLOTS - 1:
                await asyncio.sleep(0.002)
                continue
            self._in_flight[name] += 1
            try:
                self._look_at(number, await self._ask(name))
            finally:
                self._leave(name)

    async def _ask(self, name: str) -> list[int]:
        text = self._random.choice(("Where is my card?", "Hello", "How long does a transfer take?"))
        length = self._random.randrange(8, 80)
        told = await written(
            self._probe.engine.generate(asking(text, adapter=name, ignore_eos=True, max_tokens=length))
        )
        return told.token_ids

    def _look_at(self, number: int, tokens: list[int]) -> None:
        self.requests += 1
        self.wrong += any(token not in self._own[number] for token in tokens)

    def _leave(self, name: str) -> None:
        self._in_flight[name] -= 1
        if not self._in_flight[name]:
            del self._in_flight[name]

    async def _swap(self, number: int) -> None:
        old = self._live[number]
        await self._publish(number)
        self.swaps += 1
        while old in self._in_flight:  # it drains: nobody new gets it
            await asyncio.sleep(0.002)
        await self._probe.engine.unload(old)

    async def _publish(self, number: int) -> None:
        files = AdapterFiles(
            f"s{number}@{next(NUMBERS)}", self._probe.models.probe_adapter(number), PROBE_RANK
        )
        await self._probe.engine.load(files)
        self._live[number] = files.name


def test_many_swaps_under_load_and_not_one_wrong_answer(
    probe_engine: RunningEngine, own: dict[int, set[int]]
) -> None:
    async def swapping() -> Swapping:
        made = Swapping(probe_engine, own)
        await made.run(SWAPS)
        return made

    done = probe_engine.loop.run(swapping(), 240)
    assert done.swaps >= SWAPS
    assert done.requests >= SWAPS / 4
    assert done.wrong == 0
