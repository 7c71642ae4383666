"""Whether the engine ever decodes with weights that are not the request's: asked of every engine before it takes work.

Two sequences break on purpose what the worker keeps to otherwise, for only then does an engine with the fault of vLLM's issue 47724
show it. With every slot taken by a completion under way, another adapter is loaded. And while nothing runs, as many adapters are
loaded as there are slots, after which the first one's prompt comes again, all but one token of it from the prefix cache, so
that the batch looks like the last one. Beside the adapters runs the base model, which must take nothing from any of them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from parley.backends.vllm_engine.engine import VllmEngine
from parley.backends.vllm_engine.synthetic import RANK, Projection, write_adapter
from parley.errors import ConfigurationError, ParleyError
from parley.ports.engine import AdapterFiles, CompletionRequest

log = logging.getLogger(__name__)

KINDS = 4
"""Adapters of different content: three that run, and one that comes between."""
CANDIDATES = 8
"""So many are tried at most to find them."""
STRENGTHS = (1e3, 1e4, 1e2, 1e5)
"""Tried in order until adapters can be told apart: how large a residual stream is differs much between models."""
KNOWN_SHARE, FOREIGN_SHARE = 0.75, 0.05
"""Of a sound engine's tokens nearly all are known to be the adapter's, and none another's. Both leave room for rounding."""
SIGNATURE_TOKENS = 16
RUN_TOKENS = 64
LOADS_UNDER_WAY = 4
STEPS_BETWEEN = 3
LOOK_EVERY_S = 0.002
FAULT = (
    "the engine answers {} with another's weights; it must not serve tenants: take a vLLM without that fault, "
    "0.32 or newer (vLLM issue 47724)"
)
BLIND = (
    "the engine cannot be tested for answers with another adapter's weights: {}; "
    "it serves the base model alone with PARLEY_ENGINE_MAX_LORAS=0"
)


async def self_test(engine: VllmEngine) -> None:
    """Takes seconds; leaves no adapter behind. To be called after `start`, before the engine takes work.

    Raises `ConfigurationError` for an engine that mixes adapters, or whose adapters make no difference.
    """
    if not engine.facts.slots:
        return
    began = monotonic()
    with TemporaryDirectory(prefix="parley-self-test-") as folder:
        kinds = await _tell_apart(engine, Path(folder))
        await _across_idle_loads(engine, kinds)
        await _across_loads_under_way(engine, kinds)
    log.info("the engine keeps adapters apart: tested in %.1f s", monotonic() - began)


@dataclass(frozen=True)
class _Kind:
    """An adapter's content, the tokens that no other writes, and all that it wrote alone to what it is asked; the base model's without a folder."""

    folder: Path | None
    own: frozenset[int] = frozenset()
    usual: frozenset[int] = frozenset()


@dataclass
class _Run:
    """A completion by an adapter, or by the base model, and what is written of it so far."""

    name: str | None
    kind: _Kind
    tokens: list[int] = field(default_factory=list)


_numbers = count(1)
"""Names of adapters and requests must be new for the engine, also at a second test."""


async def _tell_apart(engine: VllmEngine, folder: Path) -> list[_Kind]:
    """Kinds whose tokens are their own. The last layer suffices, unless the model evens out what an attention adds."""
    layers = await _projections(engine)
    for chosen in (layers[-1:], layers):
        for strength in STRENGTHS:
            here = folder / f"{len(chosen)}-{strength:.0f}"
            if len(found := await _distinct(engine, here, chosen, strength)) == KINDS:
                return found
    raise ConfigurationError(BLIND.format("adapters make no difference that can be seen"))


async def _distinct(
    engine: VllmEngine, folder: Path, layers: list[Projection], strength: float
) -> list[_Kind]:
    """Of some adapters those that write tokens of their own; a model may be deaf to what one of them adds."""
    found: list[_Kind] = []
    for number in range(CANDIDATES):
        write_adapter(folder / str(number), layers, number, strength)
        kind = await _signed(engine, _Kind(folder / str(number)))
        if kind.own and not any(kind.own & other.own for other in found):
            found.append(kind)
        if len(found) == KINDS or number - len(found) >= CANDIDATES - KINDS:
            break
    return found


async def _projections(engine: VllmEngine) -> list[Projection]:
    [*told] = (await engine.ask_workers("parley_output_projections"))[0]
    if not told:
        raise ConfigurationError(BLIND.format("no attention of this model takes adapters on its output"))
    return [Projection(*each) for each in told]


async def _signed(engine: VllmEngine, kind: _Kind) -> _Kind:
    """With the first tokens that it writes to two prompts, if those to a third are the same; else without any."""
    prompts = [_prompt(engine, number) for number in range(max(3, _at_once(engine) + 1))]
    async with _loaded(engine, [kind]) as [name]:
        alone = await asyncio.gather(
            *(
                _write(engine, _Run(name, kind), prompt, RUN_TOKENS)
                for prompt in (*prompts, _cached_but_one(engine))
            )
        )
    first, second, third = (tokens[:SIGNATURE_TOKENS] for tokens in alone[:3])
    own = frozenset(first + second)
    if _share(third, own) < KNOWN_SHARE:
        return kind
    return _Kind(kind.folder, own, own.union(*alone))


def _at_once(engine: VllmEngine) -> int:
    """Adapters that run together, besides the base model."""
    return max(1, min(engine.facts.slots, engine.facts.running - 1))


async def _across_idle_loads(engine: VllmEngine, kinds: list[_Kind]) -> None:
    prompt = _cached_but_one(engine)
    async with _loaded(engine, kinds[:1]) as [name]:
        await _write(engine, _Run(name, kinds[0]), prompt, 2)
        async with _loaded(engine, kinds[1:2] * engine.facts.slots):
            again = _Run(name, kinds[0])
            await _write(engine, again, prompt, RUN_TOKENS)
    _judge([again], kinds)


async def _across_loads_under_way(engine: VllmEngine, kinds: list[_Kind]) -> None:
    base = await _base(engine)
    *own, between = kinds
    running = [own[number % len(own)] for number in range(_at_once(engine))]
    async with _loaded(engine, running) as names:
        runs = [_Run(None, base), *(_Run(name, kind) for name, kind in zip(names, running, strict=True))]
        writing = asyncio.gather(
            *(_write(engine, run, _prompt(engine, number), RUN_TOKENS) for number, run in enumerate(runs))
        )
        try:
            for _ in range(LOADS_UNDER_WAY):
                await _steps(runs, writing)
                async with _loaded(engine, [between]):
                    await _steps(runs, writing)
            await writing
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
    _judge(runs, kinds)


async def _base(engine: VllmEngine) -> _Kind:
    """What it writes alone, to the prompt that it will be given in company."""
    alone = await _write(engine, _Run(None, _Kind(None)), _prompt(engine, 0), RUN_TOKENS)
    return _Kind(None, frozenset(alone), frozenset(alone))


async def _steps(runs: list[_Run], writing: "asyncio.Future[list[list[int]]]") -> None:
    """Wait until each of them has written a few tokens more, or all are done."""
    wanted = [min(len(run.tokens) + STEPS_BETWEEN, RUN_TOKENS) for run in runs]
    while not writing.done() and any(
        len(run.tokens) < least for run, least in zip(runs, wanted, strict=True)
    ):
        await asyncio.sleep(LOOK_EVERY_S)


@asynccontextmanager
async def _loaded(engine: VllmEngine, kinds: list[_Kind]) -> AsyncIterator[list[str]]:
    """One adapter for each, in this order, under names of their own."""
    async with AsyncExitStack() as stack:
        names = []
        for kind in kinds:
            names.append(f"self-test@{next(_numbers)}")
            await _load(engine, names[-1], kind)
            stack.push_async_callback(engine.unload, names[-1])
        yield names


async def _load(engine: VllmEngine, name: str, kind: _Kind) -> None:
    assert kind.folder is not None
    try:
        await engine.load(AdapterFiles(name, kind.folder, RANK))
    except ParleyError as error:
        raise ConfigurationError(BLIND.format(f"an adapter made for it was not loaded ({error})")) from error


async def _write(engine: VllmEngine, run: _Run, prompt: tuple[int, ...], tokens: int) -> list[int]:
    request = CompletionRequest(
        f"self-test-{next(_numbers)}",
        prompt_token_ids=prompt,
        max_tokens=tokens,
        adapter=run.name,
        cache_salt="self-test",
        ignore_eos=True,
    )
    async for piece in engine.generate(request):
        run.tokens.extend(piece.token_ids)
    return run.tokens


def _judge(runs: list[_Run], kinds: list[_Kind]) -> None:
    wrong = [run for run in runs if _is_wrong(run, kinds)]
    if wrong:
        whom = "adapters" if any(run.name for run in wrong) else "the base model's requests"
        raise ConfigurationError(FAULT.format(whom))


def _is_wrong(run: _Run, kinds: list[_Kind]) -> bool:
    """The base model may write what it likes, in company perhaps something else for rounding, but no adapter's tokens."""
    foreign = frozenset().union(*(kind.own for kind in kinds if kind is not run.kind)) - run.kind.usual
    unknown = run.name is not None and _share(run.tokens, run.kind.usual) < KNOWN_SHARE
    return unknown or _share(run.tokens, foreign) > FOREIGN_SHARE


def _share(tokens: list[int], own: frozenset[int]) -> float:
    return sum(token in own for token in tokens) / len(tokens)


def _prompt(engine: VllmEngine, number: int, length: int = 8) -> tuple[int, ...]:
    """Any tokens will do."""
    vocabulary = engine.model_config.vocab_size
    return tuple((11 + 131 * number + 17 * place) % vocabulary for place in range(length))


def _cached_but_one(engine: VllmEngine) -> tuple[int, ...]:
    """One token more than what the prefix cache keeps together; without such a cache, or the room, just a prompt."""
    longest = engine.facts.context_tokens - RUN_TOKENS
    return _prompt(engine, 0, max(2, min(engine.cache_block_tokens + 1, longest)))
