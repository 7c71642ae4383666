"""What would make a model fit that does not: changes in the order in which one would rather make them, and the message that says so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from parley.domain.model_families import shape_of
from parley.domain.model_plan import GIB, Plan, Serving, plan, possible_gpus
from parley.domain.model_shapes import ModelShape
from parley.domain.precisions import PRECISIONS, Precision, Tensor, precision_of

SHORTEST_CONTEXT = 1024
"""A shorter context is no advice: a prompt with its passages does not fit."""

MOST_GPUS = 8

SHOWN = 4
"""So many ways are told, the best first."""


@dataclass(frozen=True, slots=True)
class Way:
    """A change after which the model fits: words for a person, and the plan that it leads to."""

    words: str
    plan: Plan


def ways_to_fit(shape: ModelShape, serving: Serving, tensors: tuple[Tensor, ...] = ()) -> list[Way]:
    """Single changes that are enough, in order of preference: quantised weights (almost the same answers on the same GPUs), more GPUs (the
    same answers, at a price), a shorter context, fewer slots. Where none is enough alone, quantised weights on more GPUs. Where so many GPUs
    cannot share the model at all, the numbers of them that can.
    """
    if plan(shape, serving, tensors).unsplittable:
        return list(_other_numbers(shape, serving, tensors))
    single = [
        *_quantised(shape, serving, tensors),
        *_more_gpus(shape, serving, tensors),
        *_shorter(shape, serving, tensors),
        *_fewer_slots(shape, serving, tensors),
    ]
    return single or list(_both(shape, serving, tensors))


def _other_numbers(shape: ModelShape, serving: Serving, tensors: tuple[Tensor, ...]) -> Iterator[Way]:
    for gpus in possible_gpus(shape, serving, MOST_GPUS):
        found = plan(shape, replace(serving, gpus=gpus), tensors)
        if found.fits:
            yield Way("1 such GPU" if gpus == 1 else f"{gpus} such GPUs by tensor parallelism", found)


def _quantised(shape: ModelShape, serving: Serving, tensors: tuple[Tensor, ...]) -> Iterator[Way]:
    for name, words in (("int8", "8-bit weights (fp8 or int8)"), ("int4", "4-bit weights")):
        if PRECISIONS[name].bits < serving.precision.bits:
            found = plan(shape, replace(serving, precision=PRECISIONS[name]))
            if found.fits:
                yield Way(words, found)


def _more_gpus(shape: ModelShape, serving: Serving, tensors: tuple[Tensor, ...]) -> Iterator[Way]:
    gpus = serving.gpus * 2
    while gpus <= MOST_GPUS:
        found = plan(shape, replace(serving, gpus=gpus), tensors)
        if found.fits:
            yield Way(f"{gpus} such GPUs by tensor parallelism", found)
            return
        gpus *= 2


def _shorter(shape: ModelShape, serving: Serving, tensors: tuple[Tensor, ...]) -> Iterator[Way]:
    """The longest power of two that has room."""
    now = plan(shape, serving, tensors)
    length = 1 << max(0, min(now.cached_tokens, now.context - 1).bit_length() - 1)
    if now.unsplittable is None and length >= SHORTEST_CONTEXT:
        yield Way(
            f"a context of {length:,} tokens instead of {now.context:,}",
            plan(shape, replace(serving, context=length), tensors),
        )


def _fewer_slots(shape: ModelShape, serving: Serving, tensors: tuple[Tensor, ...]) -> Iterator[Way]:
    """The most slots that have room; one serves nobody while the next adapter is loaded, so at least two."""
    for slots in range(serving.slots - 1, 1, -1):
        found = plan(shape, replace(serving, slots=slots), tensors)
        if found.fits:
            yield Way(f"{slots} adapter slots of rank {serving.rank} instead of {serving.slots}", found)
            return


def _both(shape: ModelShape, serving: Serving, tensors: tuple[Tensor, ...]) -> Iterator[Way]:
    for name, words in (("int8", "8-bit"), ("int4", "4-bit")):
        if PRECISIONS[name].bits < serving.precision.bits:
            quantised = replace(serving, precision=PRECISIONS[name])
            for way in _more_gpus(shape, quantised, ()):
                yield Way(f"{words} weights on {way.words}", way.plan)


def serving_precision(config: Mapping[str, Any], wanted: Precision | None = None) -> Precision:
    """What the checkpoint is served in: its own quantisation, else what is wanted, else 16 bits (vLLM takes float32 files down to that)."""
    return precision_of(config) or wanted or PRECISIONS["bf16"]


def as_served(
    config: Mapping[str, Any], serving: Serving, tensors: tuple[Tensor, ...] = ()
) -> tuple[Serving, tuple[Tensor, ...]]:
    """`serving.precision` counts only where the checkpoint is not quantised itself; `tensors`, what its files hold, unless it is quantised while
    it is loaded: then its weights are worked out from the config. Raises `ConfigurationError`.
    """
    own = precision_of(config)
    if own is not None:
        return replace(serving, precision=own), tensors
    return serving, () if serving.precision.quantised else tensors


def plan_as_served(config: Mapping[str, Any], serving: Serving, tensors: tuple[Tensor, ...] = ()) -> Plan:
    """The plan of the model of this `config.json`, with arguments as `as_served` takes them.

    Raises `ConfigurationError` for a family that the planner does not know.
    """
    return plan(shape_of(config), *as_served(config, serving, tensors))


def explain_out_of_memory(
    config: Mapping[str, Any], serving: Serving, tensors: tuple[Tensor, ...] = ()
) -> str:
    """Why the model of this `config.json` does not fit as it is to be served, and what would: for the message of a start that failed.

    Arguments and errors are those of `plan_as_served`.
    """
    shape = shape_of(config)
    serving, tensors = as_served(config, serving, tensors)
    found = plan(shape, serving, tensors)
    if found.fits:
        return (
            f"by the plan it fits ({account(found)}); something else holds memory of the GPU, or the estimate is too low: "
            "close other processes there, or lower the part of the memory that the engine may take, the sequences or the tokens of a step"
        )
    ways = ways_to_fit(shape, serving, tensors)
    return f"{reason(shape, found)}. {advice(ways)}"


def reason(shape: ModelShape, found: Plan) -> str:
    """Why a plan does not fit, or cannot be."""
    if found.unsplittable:
        possible = possible_gpus(shape, found.serving, MOST_GPUS)
        return f"{found.unsplittable}; of 1 to {MOST_GPUS}, possible: {', '.join(map(str, possible))}"
    return f"{found.missing / GIB:.1f} GiB are missing on each GPU for one request of {found.context:,} tokens ({account(found)})"


def account(found: Plan) -> str:
    return (
        f"weights {found.weights / GIB:.1f}, adapter slots {found.slots / GIB:.1f}, a step "
        f"{(found.step + found.graphs + found.workspace) / GIB:.1f}, the cache of one request "
        f"{found.context * found.cache_per_token / GIB:.1f} of {found.budget / GIB:.1f} GiB"
    )


def advice(ways: list[Way]) -> str:
    if not ways:
        return f"No precision, context or number of slots makes it fit on {MOST_GPUS} such GPUs or fewer; larger GPUs are needed"
    return "It would fit with " + "; or ".join(way.words for way in ways[:SHOWN])
