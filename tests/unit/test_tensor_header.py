"""The header of a safetensors file: every way in which it may lie has a refusal of its own."""

import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from parley.domain.tensor_header import (
    MAX_HEADER_BYTES,
    PREFIX_BYTES,
    Tensor,
    header_length,
    json_object,
    quoted,
    tensors_of,
)
from parley.errors import AdapterRefused
from tests.support.lora import filled, safetensors, with_header

FILE = "x.safetensors"


def read(content: bytes) -> dict[str, Tensor]:
    length = header_length(FILE, content[:PREFIX_BYTES], len(content))
    header = content[PREFIX_BYTES : PREFIX_BYTES + length]
    return tensors_of(FILE, header, len(content) - PREFIX_BYTES - length)


def entry(**changes: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}


def of(header: dict[str, Any], data: int = 8) -> bytes:
    return with_header(json.dumps(header).encode(), bytes(data))


def test_a_good_file_is_read_with_types_shapes_and_places() -> None:
    content = safetensors(
        {"a": filled("BF16", (2, 3)), "b": filled("F16", (1, 2)), "c": filled("F32", ())}, {"format": "pt"}
    )
    assert read(content) == {
        "a": Tensor("BF16", (2, 3), 0, 12),
        "b": Tensor("F16", (1, 2), 12, 16),
        "c": Tensor("F32", (), 16, 20),
    }


def test_tensors_may_stand_in_another_order_than_their_data() -> None:
    header = {"b": entry(data_offsets=[8, 16]), "a": entry()}
    assert read(of(header, 16))["b"].begin == 8


def test_a_header_may_be_padded() -> None:
    assert read(with_header(json.dumps({"a": entry()}).encode() + b"   ", bytes(8)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "has 0 bytes; a safetensors file begins"),
        (b"1234567", "has 7 bytes"),
        (bytes(8), "its header has 0 bytes; allowed: 2 to"),
        ((100).to_bytes(8, "little") + b"{}", "would have 100 bytes, but only 2 follow"),
        (b"\xff" * 64, "would have 18446744073709551615 bytes"),
        (pickle.dumps({"weights": [1.0] * 9}), "is a pickle"),
        (pickle.dumps({"weights": [1.0] * 9}, protocol=2), "is a pickle"),
        (b"PK\x03\x04\x00\x00\x08\x08\x00\x00archive/data.pkl", "is a pickle or an archive of torch.save"),
        (b"not a model at all, but words", "it was cut off, or is no safetensors file"),
        (with_header(b"[]"), "does not begin with '{'"),
        (with_header(b"{nonsense}"), "its header: is no JSON"),
        (with_header(b'{"a": "\xff"}'), "its header: is no JSON"),
        (with_header(b'{"a": NaN}'), "its header: is no JSON"),
        (with_header(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "is nested too deeply"),
        (with_header(b'{"a": 1, "a": 1}'), "its header: is no JSON"),
        (of({"__metadata__": {"n": 1}}, 0), "__metadata__: allowed: an object of texts"),
        (of({"__metadata__": []}, 0), "__metadata__: allowed"),
        (of({"a": 1}), "'a': allowed: an object with data_offsets, dtype, shape"),
        (of({"a": {**entry(), "more": 1}}), "'a': allowed: an object with"),
        (of({"a": {"dtype": "F32"}}), "'a': allowed: an object with"),
        (of({"a": entry(dtype="F64", data_offsets=[0, 16])}, 16), "dtype 'F64'; allowed: BF16, F16, F32"),
        (of({"a": entry(dtype=["F32"])}), "dtype ['F32']; allowed"),
        (of({"a": entry(shape=2)}), "shape 2; allowed"),
        (of({"a": entry(shape=[-2])}), "shape [-2]; allowed"),
        (of({"a": entry(shape=[2.0])}), "shape [2.0]; allowed"),
        (of({"a": entry(shape=[True, 2])}), "shape [True, 2]; allowed"),
        (of({"a": entry(shape=[1] * 9)}), "up to 8 whole numbers"),
        (of({"a": entry(shape=[2**60])}), "up to 8 whole numbers"),
        (of({"a": entry(data_offsets=[0])}), "data_offsets [0]; allowed"),
        (of({"a": entry(data_offsets=[-8, 0])}), "data_offsets [-8, 0]; allowed"),
        (of({"a": entry(data_offsets=[0, 4])}), "span 4 bytes; its shape and dtype need 8"),
        (of({"a": entry(data_offsets=[8, 0])}), "span -8 bytes"),
        (of({"a": entry(data_offsets=[8, 16])}, 16), "begins at byte 8, where 0 is expected"),
        (of({"a": entry(), "b": entry()}), "begins at byte 0, where 8 is expected"),
        (of({"a": entry(), "b": entry(data_offsets=[16, 24])}, 24), "begins at byte 16, where 8"),
        (of({"a": entry()}, 4), "need 8 bytes, but 4 follow"),
        (of({"a": entry()}, 12), "need 8 bytes, but 12 follow"),
    ],
)
def test_what_is_wrong_is_refused_with_its_own_reason(content: bytes, words: str) -> None:
    with pytest.raises(AdapterRefused) as refused:
        read(content)
    assert str(refused.value).startswith(FILE) and words in str(refused.value)


def test_a_header_that_is_too_long_is_refused_before_it_is_read() -> None:
    start = (MAX_HEADER_BYTES + 1).to_bytes(8, "little")
    with pytest.raises(AdapterRefused, match=f"allowed: 2 to {MAX_HEADER_BYTES}"):
        header_length(FILE, start, 10 * MAX_HEADER_BYTES)
    assert header_length(FILE, MAX_HEADER_BYTES.to_bytes(8, "little"), 10 * MAX_HEADER_BYTES)


def test_a_header_whose_length_looks_like_a_pickle_is_none() -> None:
    """0x0280 bytes: the file begins as a pickle of protocol 2 does."""
    header = json.dumps({"a": entry()}).encode().ljust(0x280)
    assert with_header(header)[:2] == b"\x80\x02"
    assert set(read(with_header(header, bytes(8)))) == {"a"}


@pytest.mark.parametrize("make", [json.dumps, repr], ids=["object", "text"])
def test_json_that_is_no_object_is_refused(make: Callable[[object], str]) -> None:
    with pytest.raises(AdapterRefused, match="f: "):
        json_object("f", make([1]).encode())


def test_what_a_file_says_is_quoted_without_control_characters_and_not_for_pages() -> None:
    assert quoted("a\x1b[31m\n\u202e") == "'a\\x1b[31m\\n\\u202e'"
    assert len(quoted("x" * 10_000)) < 120
