"""The canary: asks an adapter's probes of the engine and tells whether what comes back is this adapter's.

A probe is decoded greedily under a cache salt of its own, because one that is answered from the prefix cache sees nothing. Its tokens were
chosen with a margin when it was made, so that rounding (bf16) does not turn them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from parley.domain.adapters import PROBES
from parley.domain.probing import probes_in
from parley.ports.engine import AdapterFiles, CompletionRequest, Engine
from schemas.adapters import Probe

TOLERANCE_NATS = 0.35
"""Mean difference of log-probabilities that rounding may make. Measured on bf16 against float32: below 0.05 (docs/inference.md)."""
DETERMINISTIC_TRIES = 2
"""A probe that fails is asked once more: one wrong token among thousands of honest ones must not cost a tenant its adapter."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many probes were asked, and how the worst one failed; empty where all passed."""

    asked: int
    fault: str = ""


def probes_of(files: AdapterFiles) -> tuple[Probe, ...]:
    """Empty for an adapter without probes. Raises `AdapterRefused` for a file that is none."""
    path = files.folder / PROBES
    return probes_in(path.read_bytes()) if path.exists() else ()


class Canary:
    """`new_id` makes ids that nobody used before: for requests and for cache salts."""

    def __init__(self, engine: Engine, new_id: Callable[[], str]) -> None:
        self._engine = engine
        self._new_id = new_id

    async def check(self, files: AdapterFiles, probes: tuple[Probe, ...]) -> Verdict:
        """Ask all probes of an adapter that is loaded."""
        fault = ""
        for probe in probes:
            for _ in range(DETERMINISTIC_TRIES):
                fault = await self._ask(files.name, probe)
                if not fault:
                    break
            if fault:
                return Verdict(len(probes), fault)
        return Verdict(len(probes))

    async def touch(self, files: AdapterFiles) -> None:
        """One token with this adapter: afterwards a decode has run with it, so it has its slot."""
        await self._decode(files.name, (0,), 1)

    async def _ask(self, adapter: str, probe: Probe) -> str:
        tokens, logprobs = await self._decode(adapter, probe.prompt_token_ids, len(probe.token_ids))
        return compare(probe, tokens, logprobs)

    async def _decode(
        self, adapter: str, prompt: tuple[int, ...], count: int
    ) -> tuple[tuple[int, ...], tuple[float, ...]]:
        request = CompletionRequest(
            request_id=f"canary-{self._new_id()}",
            prompt_token_ids=prompt,
            max_tokens=count,
            adapter=adapter,
            cache_salt=self._new_id(),
            logprobs=True,
            ignore_eos=True,
        )
        pieces = [piece async for piece in self._engine.generate(request)]
        return (
            tuple(token for piece in pieces for token in piece.token_ids),
            tuple(logprob for piece in pieces for logprob in piece.logprobs),
        )


def compare(probe: Probe, tokens: tuple[int, ...], logprobs: tuple[float, ...]) -> str:
    """How what was decoded differs from what the adapter should give; empty where it does not."""
    if tokens != probe.token_ids:
        same = next(
            (at for at, pair in enumerate(zip(tokens, probe.token_ids, strict=False)) if pair[0] != pair[1]),
            min(len(tokens), len(probe.token_ids)),
        )
        return f"token {same + 1} of {len(probe.token_ids)} is another one"
    if len(logprobs) != len(tokens):
        return ""  # an engine that does not tell them is judged by its tokens
    off = sum(abs(a - b) for a, b in zip(logprobs, probe.logprobs, strict=True)) / len(tokens)
    return f"log-probabilities are off by {off:.2f} on average" if off > TOLERANCE_NATS else ""
