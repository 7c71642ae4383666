"""The kinds of risk and which of them comes first where a message has several."""

from schemas.parts import RiskKind

GRAVEST_FIRST: tuple[RiskKind, ...] = (
    "self_harm",
    "fraud",
    "hardship",
    "dispute",
    "legal",
    "complaint",
    "human",
)
"""A life before money that is leaving, that before what can wait for a letter; who only asks for a human says nothing of why."""

_PLACES: tuple[RiskKind | None, ...] = (*GRAVEST_FIRST[:-1], None, GRAVEST_FIRST[-1])
"""A hand-off without a risk says more about its matter than that a human is asked for."""


def gravity(kind: RiskKind | None) -> int:
    """For sorting, the gravest first."""
    return _PLACES.index(kind)
