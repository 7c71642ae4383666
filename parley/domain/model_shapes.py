"""What a language model consists of, as far as its memory is concerned: matrices, their shapes, and how GPUs share them.

Sizes are numbers of parameters; how many bytes one takes is a precision's affair (`parley.domain.precisions`). How the GPUs of a tensor-parallel
group share a layer is Megatron's scheme (arXiv 1909.08053), which vLLM follows: the matrices that write heads or the inner size of a feed-forward
block are split by their outputs, those that read them by their inputs; norms and routers are on every GPU.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Literal, NamedTuple

Split = Literal["outputs", "inputs", "none"]

VOCABULARY_MULTIPLE = 64
"""vLLM fills the vocabulary up to a multiple of this before it is split (`DEFAULT_VOCAB_PADDING_SIZE`)."""


class Extent(NamedTuple):
    """A matrix, or one GPU's part of it."""

    inputs: int
    outputs: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """One linear map of a layer, by the name that it has in the files; `copies` of it where there are experts."""

    name: str
    inputs: int
    outputs: int
    split: Split
    bias: bool = False
    copies: int = 1
    #: Where the outputs are heads that are repeated rather than cut (keys and values): how many.
    heads: int | None = None
    #: Whether quantising it is usual: not for routers, whose few weights decide much.
    quantised: bool = True

    @property
    def parameters(self) -> int:
        return self.copies * (self.inputs * self.outputs + (self.outputs if self.bias else 0))

    def on(self, gpus: int) -> Extent:
        """One GPU's part of one copy. With more GPUs than heads, each has a whole head."""
        if self.split == "none":
            return Extent(self.inputs, self.outputs)
        if self.split == "inputs":
            return Extent(ceil(self.inputs / gpus), self.outputs)
        if self.heads is None:
            return Extent(self.inputs, ceil(self.outputs / gpus))
        return Extent(self.inputs, max(1, self.heads // gpus) * (self.outputs // self.heads))

    def share(self, gpus: int) -> float:
        """The part of the weights that one GPU has."""
        mine = self.on(gpus)
        return mine.inputs * mine.outputs / (self.inputs * self.outputs)

    def adapter(self, rank: int, gpus: int) -> int:
        """Parameters of one LoRA slot on one GPU: A (rank, inputs) and B (outputs, rank).

        vLLM gives every linear layer its slot, and splits only the side that the matrix itself is split by
        (`create_lora_weights`, without `fully_sharded_loras`).
        """
        mine = self.on(gpus)
        return self.copies * rank * (mine.inputs + mine.outputs)


@dataclass(frozen=True, slots=True)
class Layers:
    """So many layers that are alike. `others`: parameters of norms and the like in one of them, on every GPU and never quantised."""

    count: int
    matrices: tuple[Matrix, ...]
    others: int

    @property
    def parameters(self) -> int:
        return self.count * (sum(matrix.parameters for matrix in self.matrices) + self.others)


@dataclass(frozen=True, slots=True)
class Cache:
    """What attention keeps of a token in each layer: keys and values of each head, or (DeepSeek) one latent vector on every GPU."""

    heads: int
    numbers_per_head: int
    latent: int = 0

    def numbers(self, gpus: int) -> int:
        """Of one token in one layer on one GPU."""
        return self.latent or max(1, self.heads // gpus) * self.numbers_per_head


@dataclass(frozen=True, slots=True)
class ModelShape:
    """`family`: the config's `model_type`. `context`: tokens, as the config allows."""

    family: str
    vocabulary: int
    hidden: int
    layers: tuple[Layers, ...]
    attention_heads: int
    cache: Cache
    #: Whether the embeddings are the output matrix too.
    tied: bool
    context: int
    #: Whether vLLM gives the embeddings and the output matrix LoRA slots as well (`embedding_modules` of its model class).
    adaptable_embeddings: bool
    #: Of `copies` experts in a layer, those that a token goes through.
    experts_per_token: int = 0
    notes: tuple[str, ...] = ()

    @property
    def depth(self) -> int:
        return sum(group.count for group in self.layers)

    @property
    def embeddings(self) -> int:
        """Parameters of the embeddings and, where it is a matrix of its own, of the output."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)

    @property
    def parameters(self) -> int:
        return sum(group.parameters for group in self.layers) + self.embeddings + self.hidden

    @property
    def active_parameters(self) -> int:
        """Those that one token goes through."""
        idle = sum(
            group.count * (matrix.parameters // matrix.copies) * (matrix.copies - self.experts_per_token)
            for group, matrix in self.matrices()
            if matrix.copies > 1
        )
        return self.parameters - idle

    def matrices(self) -> Iterator[tuple[Layers, Matrix]]:
        for group in self.layers:
            for matrix in group.matrices:
                yield group, matrix

    def embeddings_on(self, gpus: int) -> int:
        """Parameters of the embeddings and the output matrix on one GPU."""
        rows = ceil(ceil(self.vocabulary / VOCABULARY_MULTIPLE) * VOCABULARY_MULTIPLE / gpus)
        return rows * self.hidden * (1 if self.tied else 2)

    def others_on(self) -> int:
        """Parameters outside of matrices, on every GPU."""
        return sum(group.count * group.others for group in self.layers) + self.hidden

    def adapter(self, rank: int, gpus: int) -> int:
        """Parameters of one LoRA slot on one GPU, whatever an adapter uses of it. Embeddings and output have theirs whole on each."""
        linear = sum(group.count * matrix.adapter(rank, gpus) for group, matrix in self.matrices())
        ends = 2 * rank * (self.vocabulary + self.hidden) if self.adaptable_embeddings else 0
        return linear + ends

    def cached(self, gpus: int) -> int:
        """Numbers that one token leaves in one GPU's KV cache."""
        return self.depth * self.cache.numbers(gpus)

    def cannot_split(self, gpus: int) -> str | None:
        """Why so many GPUs cannot share the model by tensor parallelism, or None."""
        if self.attention_heads % gpus:
            return f"{self.attention_heads} attention heads cannot be shared by {gpus} GPUs"
        heads = self.cache.heads
        if not self.cache.latent and heads % gpus and gpus % heads:
            return f"{heads} key-value heads cannot be shared by {gpus} GPUs"
        for _, matrix in self.matrices():
            whole = matrix.inputs if matrix.split == "inputs" else matrix.outputs
            if matrix.split != "none" and matrix.heads is None and whole % gpus:
                return f"the {whole} {matrix.split} of {matrix.name} cannot be shared by {gpus} GPUs"
        return None
