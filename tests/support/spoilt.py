"""Inputs that are nearly right, and anything else: for doors that must refuse what they do not take, and never fail of it."""

import json
import os
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

TRIES = int(os.environ.get("PARLEY_FUZZ", "1500"))
"""`PARLEY_FUZZ=100000 pytest …` tries so many inputs at each door."""

fuzzed = settings(max_examples=TRIES, deadline=None, suppress_health_check=list(HealthCheck))

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.just("x" * 5_000)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4), max_leaves=8)  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*at, key)
        yield from places(each, (*at, key))


@st.composite
def spoilt(draw: st.DrawFn, originals: list[dict[str, Any]]) -> bytes:
    """A document that is right but for one to three values, which are others, or missing."""
    document = deepcopy(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(sorted(places(document), key=str)))
        holder = document
        for key in way:
            holder = holder[key]
        if draw(st.booleans()):
            holder[last] = draw(values)
        else:
            del holder[last]
        if not document:
            break
    return json.dumps(document).encode()


def inputs(originals: list[dict[str, Any]]) -> st.SearchStrategy[bytes]:
    return spoilt(originals) | st.binary(max_size=200) | values.map(lambda each: json.dumps(each).encode())
