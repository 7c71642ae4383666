"""Whatever a folder holds, checking it ends in facts or in `AdapterRefused`: no other error, and nothing is run."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parley.backends.adapter_folder import read_folder
from parley.domain.adapters import CONFIG, WEIGHTS
from parley.errors import AdapterRefused
from tests.support.lora import SHAPES, adapter_config, lora_tensors, safetensors, with_header, write_adapter

GOOD = safetensors(lora_tensors())
GOOD_CONFIG = json.dumps(adapter_config()).encode()
HEADER = GOOD[8 : 8 + int.from_bytes(GOOD[:8], "little")]
DATA = GOOD[8 + len(HEADER) :]

relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def holds(folder: Path, config: bytes, weights: bytes) -> bool:
    """Whether the folder is an adapter; any error but `AdapterRefused` fails the test."""
    (folder / CONFIG).write_bytes(config)
    (folder / WEIGHTS).write_bytes(weights)
    try:
        read_folder(folder, SHAPES)
    except AdapterRefused:
        return False
    return True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_adapter(tmp_path)


def test_the_good_one_is_good(folder: Path) -> None:
    assert holds(folder, GOOD_CONFIG, GOOD)


@relaxed
@given(weights=st.binary(max_size=256))
def test_random_bytes_are_no_weights(folder: Path, weights: bytes) -> None:
    assert not holds(folder, GOOD_CONFIG, weights)


@relaxed
@given(header=st.binary(max_size=256), data=st.binary(max_size=64))
def test_random_headers_are_none(folder: Path, header: bytes, data: bytes) -> None:
    assert not holds(folder, GOOD_CONFIG, with_header(header, data))


@relaxed
@given(at=st.integers(0, len(GOOD) - 1))
def test_a_file_that_was_cut_off_is_refused(folder: Path, at: int) -> None:
    assert not holds(folder, GOOD_CONFIG, GOOD[:at])


@relaxed
@given(at=st.integers(0, 8 + len(HEADER) - 1), byte=st.integers(0, 255))
def test_a_damaged_header_is_facts_or_a_refusal(folder: Path, at: int, byte: int) -> None:
    holds(folder, GOOD_CONFIG, GOOD[:at] + bytes([byte]) + GOOD[at + 1 :])


@relaxed
@given(at=st.integers(0, len(DATA) - 1), byte=st.integers(0, 255))
def test_numbers_may_be_any(folder: Path, at: int, byte: int) -> None:
    assert holds(folder, GOOD_CONFIG, with_header(HEADER, DATA[:at] + bytes([byte]) + DATA[at + 1 :]))


@relaxed
@given(
    name=st.sampled_from(sorted(json.loads(HEADER))),
    field=st.sampled_from(("dtype", "shape", "data_offsets", "more")),
    value=json_values,
)
def test_an_entry_may_hold_anything(folder: Path, name: str, field: str, value: Any) -> None:
    header = json.loads(HEADER)
    changed = field not in header[name] or header[name][field] != value
    header[name] = {**header[name], field: value}
    good = holds(folder, GOOD_CONFIG, with_header(json.dumps(header).encode(), DATA))
    assert good is not changed


@relaxed
@given(config=st.binary(max_size=128) | st.integers(0, len(GOOD_CONFIG) - 1).map(lambda n: GOOD_CONFIG[:n]))
def test_random_and_cut_off_configs_are_refused(folder: Path, config: bytes) -> None:
    assert not holds(folder, config, GOOD)


@relaxed
@given(field=st.sampled_from(sorted(adapter_config())), value=json_values)
def test_a_field_may_hold_anything(folder: Path, field: str, value: Any) -> None:
    holds(folder, json.dumps({**adapter_config(), field: value}).encode(), GOOD)
