"""Whether all numbers in a safetensors file are finite: one that is not makes every answer of its adapter nonsense, and no shape shows it.

A number of IEEE 754, or of bfloat16, is infinite or no number exactly where all bits of its exponent are set.
"""

from collections.abc import Iterator, Mapping
from io import BufferedReader

import numpy as np

from parley.domain.tensor_header import Tensor, quoted
from parley.errors import AdapterRefused

EXPONENTS: Mapping[str, tuple[str, int]] = {
    "BF16": ("<u2", 0x7F80),
    "F16": ("<u2", 0x7C00),
    "F32": ("<u4", 0x7F800000),
}
"""By type: a number's bits as an unsigned integer, and those of its exponent."""
AT_ONCE = 1024 * 1024
"""Bytes that are looked at at once, a multiple of every number's size: they stay in the processor's cache."""


def check_finite(name: str, opened: BufferedReader, tensors: Mapping[str, Tensor], begin: int) -> None:
    """`name` is the file's; its tensors' bytes begin at byte `begin`. Raises `AdapterRefused` naming the tensor."""
    for tensor_name, tensor in tensors.items():
        opened.seek(begin + tensor.begin)
        kind, exponent = EXPONENTS[tensor.dtype]
        for part in _parts(name, opened, tensor.end - tensor.begin):
            if ((np.frombuffer(part, kind) & exponent) == exponent).any():
                raise AdapterRefused(
                    f"{name}: {quoted(tensor_name)}: holds a number that is infinite or none (NaN); allowed: finite numbers"
                )


def _parts(name: str, opened: BufferedReader, size: int) -> Iterator[bytes]:
    while size:
        part = opened.read(min(size, AT_ONCE))
        if len(part) < min(size, AT_ONCE):
            raise AdapterRefused(f"{name}: was cut off while it was read")
        yield part
        size -= len(part)
