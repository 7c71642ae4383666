"""Copies of frozen states with some fields changed."""

from dataclasses import dataclass, replace

import pytest

from parley.domain.evolving import evolve


@dataclass(frozen=True)
class Point:
    x: int = 0
    y: int = 0


def test_a_copy_is_what_dataclasses_replace_would_have_made() -> None:
    point = Point(1, 2)
    assert evolve(point, y=3) == replace(point, y=3) == Point(1, 3)
    assert point == Point(1, 2)


def test_a_field_that_is_not_there_is_refused() -> None:
    with pytest.raises(TypeError, match="Point has no field a, z"):
        evolve(Point(), z=1, a=2)
