"""Whether a model fits on GPUs, and how many requests it can then have under way: the memory of weights, adapters, steps and KV cache.

The account is vLLM's own. It may take `utilisation` of a GPU's memory (`request_memory`); weights and LoRA slots are loaded, a step of the
largest size is run once to see what it takes (`determine_available_memory`), graphs are captured, and the KV cache gets what is left.
Weights, slots and cache follow from the model's shape; what a step and the graphs take is estimated, and each constant says from what.
"""

from dataclasses import dataclass, replace
from math import ceil, floor

from parley.domain.model_shapes import ModelShape
from parley.domain.precisions import PRECISIONS, Precision, Tensor, weights_in, weights_on

GIB = 1 << 30

GPUS: dict[str, float] = {
    "b200": 178.3,
    "h200": 139.8,
    "h100": 79.1,
    "a100-80": 79.1,
    "a100-40": 39.4,
    "l40s": 44.4,
    "rtx5090": 31.3,
    "rtx4090": 23.5,
    "a10": 22.0,
    "l4": 22.0,
    "t4": 14.5,
}
"""GiB as CUDA reports them for one GPU, which is less than the name says: a card of 80 GB has 79.1."""

BLOCK_TOKENS = 16
"""vLLM hands out the KV cache in blocks of so many tokens."""

BYTES_A_LOGIT = 41
"""What sampling takes of memory for each of sequences x vocabulary at its peak. Measured by vLLM (pull request 10511): 1.26 GiB for 256
sequences and the 128,256 tokens of Llama 3, alike on one GPU and on two, so it was the sampler and not the layers."""

GRAPH_BYTES_A_LAYER = 16 << 20
"""CUDA graphs of all batch sizes: half a GiB for 32 layers, about what vLLM logs for models of 7 B to 9 B (pull request 39559: 0.73 GiB for
40 layers). With adapters each size is captured twice, with and without."""

WORKSPACE_BYTES = int(0.3 * GIB)
"""What libraries allocate outside of PyTorch once the engine counts (cuBLAS, kernels). The CUDA context and NCCL are allocated
before it starts to count, and have their place in the part of the memory that it may not take."""


@dataclass(frozen=True, slots=True)
class Serving:
    """How a model is to be served. `memory`: bytes of one GPU, as CUDA reports them."""

    memory: int
    gpus: int = 1
    precision: Precision = PRECISIONS["bf16"]
    #: KV cache in fp8 instead of the serving type.
    cache_fp8: bool = False
    #: Tokens of prompt and completion together; 0: as many as the model allows.
    context: int = 0
    #: Adapters that can decode at once (`max_loras`); 0: LoRA is off.
    slots: int = 0
    rank: int = 16
    #: Adapters kept in the host's memory (`max_cpu_loras`).
    held: int = 0
    #: Completions at once (`max_num_seqs`).
    sequences: int = 256
    #: Tokens of one step (`max_num_batched_tokens`).
    step_tokens: int = 2048
    #: The part of a GPU's memory that the engine may take (`gpu_memory_utilization`).
    utilisation: float = 0.9
    graphs: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """Bytes on each GPU."""

    serving: Serving
    context: int
    budget: int
    weights: int
    slots: int
    step: int
    graphs: int
    workspace: int
    cache_per_token: int
    #: In the host's memory, for adapters without a slot.
    host: int
    #: Why tensor parallelism over so many GPUs is impossible.
    unsplittable: str | None = None

    @property
    def fixed(self) -> int:
        return self.weights + self.slots + self.step + self.graphs + self.workspace

    @property
    def cache(self) -> int:
        """What is left for the KV cache; negative: so much is missing before there is any."""
        return self.budget - self.fixed

    @property
    def cached_tokens(self) -> int:
        return max(0, self.cache // (self.cache_per_token * BLOCK_TOKENS) * BLOCK_TOKENS)

    @property
    def requests(self) -> float:
        """Requests of the whole context at once."""
        return self.cached_tokens / self.context

    @property
    def fits(self) -> bool:
        """The engine starts only where at least one request of the whole context finds room."""
        return self.unsplittable is None and self.cached_tokens >= self.context

    @property
    def missing(self) -> int:
        """Bytes on each GPU that one request of the whole context lacks; 0 where it fits."""
        tokens = ceil(self.context / BLOCK_TOKENS) * BLOCK_TOKENS
        return max(0, tokens * self.cache_per_token - self.cache)


def plan(shape: ModelShape, serving: Serving, tensors: tuple[Tensor, ...] = ()) -> Plan:
    """`tensors`: what the model's files hold, where they are there and are served in their own precision; without them the weights are
    worked out from the shape.
    """
    gpus, plain = serving.gpus, serving.precision.plain
    weights = (
        weights_in(tensors, shape, serving.precision, gpus)
        if tensors
        else weights_on(shape, serving.precision, gpus)
    )
    adapter = shape.adapter(serving.rank, gpus) * plain
    graphs = shape.depth * GRAPH_BYTES_A_LAYER * (2 if serving.slots else 1) if serving.graphs else 0
    return Plan(
        serving=serving,
        context=serving.context or shape.context,
        budget=floor(serving.memory * serving.utilisation),
        weights=weights,
        slots=serving.slots * adapter,
        step=_step(shape, serving),
        graphs=graphs,
        workspace=WORKSPACE_BYTES,
        cache_per_token=shape.cached(gpus) * (1 if serving.cache_fp8 else plain),
        host=max(serving.held, serving.slots) * shape.adapter(serving.rank, 1) * plain
        if serving.slots
        else 0,
        unsplittable=_unsplittable(shape, serving),
    )


def _step(shape: ModelShape, serving: Serving) -> int:
    """The peak of one step: either in the layers or, once they are done, in the sampler."""
    layers = serving.step_tokens * _numbers_alive(shape, serving.gpus) * serving.precision.plain
    return max(layers, serving.sequences * shape.vocabulary * BYTES_A_LOGIT)


def _numbers_alive(shape: ModelShape, gpus: int) -> int:
    """Of one token, where most are alive: the residual and the block's input, and what the largest layer's widest block writes (a matrix that
    is read by inputs has them as another's outputs). Experts write as many times as a token goes through them.
    """
    widest = 0
    for group in shape.layers:
        block = 0
        for matrix in group.matrices:
            times = max(1, shape.experts_per_token) if matrix.copies > 1 else 1
            if matrix.split == "outputs":
                block += matrix.on(gpus).outputs * times
            elif matrix.split == "inputs":
                widest = max(widest, block + matrix.on(gpus).inputs * times)
                block = 0
    return 2 * shape.hidden + widest


def _unsplittable(shape: ModelShape, serving: Serving) -> str | None:
    if reason := shape.cannot_split(serving.gpus):
        return reason
    group = serving.precision.group
    if group is None or serving.gpus == 1:
        return None
    for _, matrix in shape.matrices():
        inputs = matrix.on(serving.gpus).inputs
        if matrix.split == "inputs" and matrix.quantised and inputs % group:
            return f"the {inputs} inputs of {matrix.name} on each of {serving.gpus} GPUs are no whole groups of {group}"
    return None


def possible_gpus(shape: ModelShape, serving: Serving, most: int) -> list[int]:
    """The numbers of GPUs, up to `most`, that can share the model by tensor parallelism, whether it fits there or not."""
    return [gpus for gpus in range(1, most + 1) if not _unsplittable(shape, replace(serving, gpus=gpus))]


def least_gpus(shape: ModelShape, serving: Serving) -> dict[str, int | None]:
    """For each kind of GPU the least number, among 1, 2, 4 and 8, on which it fits."""
    found: dict[str, int | None] = {}
    for name, gib in GPUS.items():
        kind = replace(serving, memory=int(gib * GIB))
        found[name] = next(
            (gpus for gpus in (1, 2, 4, 8) if plan(shape, replace(kind, gpus=gpus)).fits), None
        )
    return found
