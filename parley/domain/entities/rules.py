"""Every rule in its order, and where what they find stands in the message."""

from collections.abc import Iterable
from datetime import date

from parley.domain.entities.amounts import amounts, rates
from parley.domain.entities.currencies import currencies
from parley.domain.entities.days import days
from parley.domain.entities.digits import last_digits
from parley.domain.entities.found import MARK, Found, Rule
from parley.domain.entities.references import references
from parley.domain.entities.relative import relative_days
from parley.domain.masking.folding import fold
from parley.domain.masking.found import without_placeholders
from parley.domain.masking.spans import apart, taken_out
from schemas.parts import Entity

RULES: tuple[Rule, ...] = (references, last_digits, days, relative_days, rates, amounts, currencies)
"""What words announce first, then what has a shape of its own; what one rule has found, no later one sees."""

MOST = 50
"""A message has a handful; a pasted bank statement is no message."""


def entities(text: str, on: date) -> tuple[Entity, ...]:
    """In the order of the text, none overlapping; relative dates count from `on`. Pure, and linear in the text's length."""
    folded = fold(text)
    plain = without_placeholders(folded.text)
    found: list[Found] = []
    for rule in RULES:
        longest_first = sorted(rule(plain, on), key=lambda one: -one.end)
        fresh = apart(longest_first)
        plain = taken_out(plain, fresh, lambda _: MARK)
        found += fresh
    placed = ((folded.span(one.start, one.end), one) for one in sorted(found, key=lambda one: one.start))
    return tuple(
        Entity(kind=one.kind, text=text[start:end], value=one.value, start=start)
        for (start, end), one in list(placed)[:MOST]
    )


def together(*found: Iterable[Entity]) -> tuple[Entity, ...]:
    """What several have found, in the order of the text; of two that overlap, the earlier finder's."""
    kept: list[Entity] = []
    for one in (entity for entities in found for entity in entities):
        if not any(_overlap(one, other) for other in kept):
            kept.append(one)
    return tuple(sorted(kept, key=lambda entity: entity.start))


def _overlap(one: Entity, other: Entity) -> bool:
    return one.start < other.start + len(other.text) and other.start < one.start + len(one.text)
