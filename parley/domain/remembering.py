"""Functions that remember what they made of a text, and one way to make all of them forget.

A text may be a customer's, or quote one; `parley.runtime.forgetting` sees to it that none is remembered for long.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

_REMEMBERING: list[Any] = []
"""`lru_cache`'s wrappers, whose type has no name that may be imported."""


def remembering(most: int) -> Callable[[F], F]:
    """`lru_cache(most)` for a function of a text."""

    def decorate(function: F) -> F:
        kept = lru_cache(maxsize=most)(function)
        _REMEMBERING.append(kept)
        return cast(F, kept)

    return decorate


def remembered() -> int:
    """How many results are remembered, of all these functions together."""
    return sum(kept.cache_info().currsize for kept in _REMEMBERING)


def forget_texts() -> None:
    """What is asked for again is made anew."""
    for kept in _REMEMBERING:
        kept.cache_clear()
