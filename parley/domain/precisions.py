"""How many bytes a weight takes: the precisions that models are served in, and which one a `config.json` or a file says it is in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, NamedTuple

from parley.domain.model_shapes import Extent, Matrix, ModelShape
from parley.errors import ConfigurationError

TENSOR_BYTES: Mapping[str, float] = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("I8", "U8", "BOOL"), 1),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 1),
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 0.75),
    **dict.fromkeys(("F4",), 0.5),
}
"""By the names of the safetensors format, as its library has them in release 0.8."""

FLOATS = ("F64", "F32", "F16", "BF16")

SPLIT_EVENLY = ("embed_tokens", "lm_head", "qkv_proj", "gate_up_proj", "down_proj")
"""Names in files that hold several of a shape's matrices, or experts', in one."""


class Tensor(NamedTuple):
    """One entry of a safetensors file's header."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def numbers(self) -> int:
        count = 1
        for size in self.shape:
            count *= size
        return count

    @property
    def bytes(self) -> int:
        """Raises `ConfigurationError` for a type that the format does not know."""
        if self.dtype not in TENSOR_BYTES:
            raise ConfigurationError(f"{self.name}: dtype: {self.dtype!r} is no type of safetensors")
        return ceil(self.numbers * TENSOR_BYTES[self.dtype])


@dataclass(frozen=True, slots=True)
class Precision:
    """Bytes of a matrix of (outputs, inputs) weights; everything else (embeddings, output, norms, adapters) takes `plain` bytes a number."""

    name: str
    #: Of one weight of a quantised matrix.
    bits: int
    plain: int = 2
    #: Weights of a row that share one scale; None: the whole row does.
    group: int | None = None
    scale_bytes: int = 0
    #: Of a group's zero point, where the range is not symmetric.
    zero_bits: int = 0
    #: Of the order that GPTQ's own format keeps for each input.
    order_bytes: int = 0

    @property
    def quantised(self) -> bool:
        return self.bits < 8 * self.plain

    def bytes_of(self, part: Extent) -> int:
        groups = part.outputs * (ceil(part.inputs / self.group) if self.group else 1)
        extra = groups * (self.scale_bytes + self.zero_bits / 8) + part.inputs * self.order_bytes
        return ceil(part.inputs * part.outputs * self.bits / 8 + extra)


PRECISIONS: Mapping[str, Precision] = {
    each.name: each
    for each in (
        Precision("bf16", 16),
        Precision("fp16", 16),
        Precision("fp32", 32, plain=4),
        # One scale a matrix, too little to count.
        Precision("fp8", 8),
        # A float32 for each output, as vLLM keeps it.
        Precision("int8", 8, scale_bytes=4),
        Precision("int4", 4, group=128, scale_bytes=2),
        Precision("awq", 4, group=128, scale_bytes=2, zero_bits=4),
        Precision("gptq", 4, group=128, scale_bytes=2, zero_bits=4, order_bytes=4),
    )
}


def weights_on(shape: ModelShape, precision: Precision, gpus: int) -> int:
    """Bytes of the weights on one GPU, worked out from the config alone."""
    plain = shape.embeddings_on(gpus) + shape.others_on()
    total = plain * precision.plain
    for group, matrix in shape.matrices():
        mine = matrix.on(gpus)
        one = precision.bytes_of(mine) if matrix.quantised else mine.inputs * mine.outputs * precision.plain
        bias = mine.outputs * precision.plain if matrix.bias else 0
        total += group.count * matrix.copies * (one + bias)
    return total


def weights_in(tensors: tuple[Tensor, ...], shape: ModelShape, precision: Precision, gpus: int) -> int:
    """Bytes on one GPU of the tensors that files really hold. Floating-point ones are loaded in the serving type; an output matrix that is
    the embeddings, and layers beyond the config's (DeepSeek's for predicting further tokens), are not loaded at all.
    """
    matrices = {matrix.name: matrix for _, matrix in shape.matrices()}
    total = 0.0
    for tensor in tensors:
        if _loaded(tensor.name, shape):
            size = tensor.numbers * precision.plain if tensor.dtype in FLOATS else tensor.bytes
            total += size * _share(tensor.name, matrices, gpus)
    return ceil(total)


def _loaded(name: str, shape: ModelShape) -> bool:
    if shape.tied and name.startswith("lm_head."):
        return False
    before, found, after = name.partition("layers.")
    at = after.partition(".")[0]
    # a vision tower has layers of its own
    return not (found and before in ("", "model.") and at.isdigit() and int(at) >= shape.depth)


def _share(name: str, matrices: Mapping[str, Matrix], gpus: int) -> float:
    parts = name.split(".")
    for part in reversed(parts):
        if part in matrices:
            return matrices[part].share(gpus)
        if part in SPLIT_EVENLY:
            return 1 / gpus
    return 1.0


def precision_of(config: Mapping[str, Any]) -> Precision | None:
    """The precision of an already quantised checkpoint; None where `quantization_config` is absent. Raises `ConfigurationError`."""
    found = config.get("quantization_config")
    if found is None:
        return None
    if not isinstance(found, Mapping):
        raise ConfigurationError("config.json: quantization_config: must be an object")
    method = str(found.get("quant_method", ""))
    if method == "compressed-tensors":
        return _compressed(found)
    if method == "fp8":
        return PRECISIONS["fp8"]
    if method in ("awq", "gptq"):
        bits = _whole(found, ("bits", "w_bit"), 4)
        group = _whole(found, ("group_size", "q_group_size"), 128)
        return replace(PRECISIONS[method], bits=bits, zero_bits=bits, group=group if group > 0 else None)
    raise ConfigurationError(
        f"config.json: quantization_config.quant_method: {method!r} is not known to the planner; "
        "known: awq, compressed-tensors, fp8, gptq"
    )


def _compressed(found: Mapping[str, Any]) -> Precision:
    groups = found.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, Mapping) else None
    weights = first.get("weights") if isinstance(first, Mapping) else None
    if not isinstance(weights, Mapping):
        raise ConfigurationError("config.json: quantization_config.config_groups: has no weights")
    bits = _whole(weights, ("num_bits",), 8)
    if weights.get("type") == "float" and bits == 8:
        return PRECISIONS["fp8"]
    group = weights.get("group_size")
    if isinstance(group, int) and group > 0:
        zero = 0 if weights.get("symmetric", True) else bits
        return Precision(f"int{bits}", bits, group=group, scale_bytes=2, zero_bits=zero)
    return replace(PRECISIONS["int8"], name=f"int{bits}", bits=bits)


def _whole(found: Mapping[str, Any], names: tuple[str, ...], default: int) -> int:
    value = next((found[name] for name in names if name in found), default)
    if not isinstance(value, int):
        raise ConfigurationError(
            f"config.json: quantization_config.{names[0]}: must be a whole number, not {value!r}"
        )
    return value
