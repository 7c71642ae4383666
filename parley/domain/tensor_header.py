"""The header of a safetensors file, an adapter's or a model's, read without trusting a byte of it.

A file is 8 bytes with the header's length (little-endian), the header (JSON: name to dtype, shape and place), and the tensors' bytes
without gaps: https://huggingface.co/docs/safetensors, "Format". Nothing here opens a file, and no tensor is ever read.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, prod

from parley.errors import AdapterRefused

PREFIX_BYTES = 8
MAX_HEADER_BYTES = 16 * 1024 * 1024
"""The format allows 100 MB. An adapter of all seven projections of 128 layers needs 0.3 MB."""
MAX_DIMENSIONS = 8
MAX_DIMENSION = 2**48
ITEM_BYTES: Mapping[str, int] = {"BF16": 2, "F16": 2, "F32": 4}
"""The types of LoRA weights that the engines take, with the bytes of one number."""

METADATA = "__metadata__"
ENTRY = {"dtype", "shape", "data_offsets"}
SHOWN = 100
"""How many characters of a name from the file a message quotes."""

# What torch.save has written since 1.6, and pickles of protocol 2 and later.
ZIP = b"PK\x03\x04"
PICKLE = 0x80
NEWEST_PICKLE = 5


@dataclass(frozen=True, slots=True)
class Tensor:
    """What the header says of one tensor: its type, its shape, and its place behind the header, in bytes."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def header_length(file: str, start: bytes, file_bytes: int, most: int = MAX_HEADER_BYTES) -> int:
    """From the file's first 8 bytes; a header may have `most`. Raises `AdapterRefused` for a length that the file does not have, or that none should have."""
    if len(start) < PREFIX_BYTES:
        raise AdapterRefused(
            f"{file}: has {file_bytes} bytes; a safetensors file begins with the 8 bytes of its header's length"
        )
    length = int.from_bytes(start[:PREFIX_BYTES], "little")
    left = file_bytes - PREFIX_BYTES
    if length > left and _is_pickle(start):
        raise AdapterRefused(
            f"{file}: is a pickle or an archive of torch.save, which may run code; allowed: safetensors"
        )
    if length > left:
        raise AdapterRefused(
            f"{file}: its header would have {length} bytes, but only {left} follow; it was cut off, or is no safetensors file"
        )
    if not 2 <= length <= most:
        raise AdapterRefused(f"{file}: its header has {length} bytes; allowed: 2 to {most}")
    return length


def tensors_of(
    file: str, header: bytes, data_bytes: int, item_bytes: Mapping[str, float] = ITEM_BYTES
) -> dict[str, Tensor]:
    """The tensors by name; `data_bytes` follow the header, and `item_bytes` are the types that may be in it. Raises `AdapterRefused` for a header that does not describe just these."""
    parsed = _parsed(file, header)
    metadata = parsed.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise AdapterRefused(f"{file}: {METADATA}: allowed: an object of texts")
    found = {name: _tensor(f"{file}: {quoted(name)}", entry, item_bytes) for name, entry in parsed.items()}
    _without_gaps(file, found.values(), data_bytes)
    return found


def json_object(file: str, text: bytes) -> dict[str, object]:
    """Strict JSON: an object, no name twice, no NaN. Raises `AdapterRefused`."""
    try:
        parsed = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise AdapterRefused(f"{file}: is nested too deeply; allowed: a JSON object") from None
    except ValueError as error:  # wrong JSON, wrong UTF-8, or what the hooks raise
        raise AdapterRefused(f"{file}: is no JSON ({type(error).__name__}); allowed: a JSON object") from None
    if not isinstance(parsed, dict):
        raise AdapterRefused(f"{file}: holds a JSON {type(parsed).__name__}; allowed: an object")
    return parsed


def quoted(name: object) -> str:
    """A value from a file as a message may show it: no control characters, and not for pages."""
    shown = ascii(name)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"


def is_count(value: object, least: int, most: int) -> bool:
    """A whole number in range; JSON's true is none."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_pickle(start: bytes) -> bool:
    return start[:4] == ZIP or (start[0] == PICKLE and start[1] <= NEWEST_PICKLE)


def _parsed(file: str, header: bytes) -> dict[str, object]:
    if not header.startswith(b"{"):
        raise AdapterRefused(f"{file}: its header does not begin with '{{'; it is no safetensors file")
    return json_object(f"{file}: its header", header)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _tensor(where: str, entry: object, item_bytes: Mapping[str, float]) -> Tensor:
    if not isinstance(entry, dict) or entry.keys() != ENTRY:
        raise AdapterRefused(f"{where}: allowed: an object with {', '.join(sorted(ENTRY))}")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in item_bytes:
        raise AdapterRefused(f"{where}: dtype {quoted(dtype)}; allowed: {', '.join(item_bytes)}")
    if not (isinstance(shape, list) and len(shape) <= MAX_DIMENSIONS) or not all(
        is_count(each, 0, MAX_DIMENSION) for each in shape
    ):
        raise AdapterRefused(f"{where}: shape {quoted(shape)}; allowed: up to {MAX_DIMENSIONS} whole numbers")
    if not (isinstance(offsets, list) and len(offsets) == 2) or not all(
        is_count(each, 0, MAX_DIMENSION) for each in offsets
    ):
        raise AdapterRefused(f"{where}: data_offsets {quoted(offsets)}; allowed: begin and end")
    begin, end = offsets
    needed = ceil(prod(shape) * item_bytes[dtype])
    if end - begin != needed:
        raise AdapterRefused(
            f"{where}: data_offsets span {end - begin} bytes; its shape and dtype need {needed}"
        )
    return Tensor(dtype, tuple(shape), begin, end)


def _without_gaps(file: str, tensors: Iterable[Tensor], data_bytes: int) -> None:
    """As the format demands: no hole to hide something in, no byte of two tensors, none beyond the file."""
    expected = 0
    for each in sorted(tensors, key=lambda tensor: (tensor.begin, tensor.end)):
        if each.begin != expected:
            raise AdapterRefused(
                f"{file}: a tensor begins at byte {each.begin}, where {expected} is expected; allowed: no gaps, no overlaps"
            )
        expected = each.end
    if expected != data_bytes:
        raise AdapterRefused(
            f"{file}: its tensors need {expected} bytes, but {data_bytes} follow the header; it was cut off or added to"
        )
