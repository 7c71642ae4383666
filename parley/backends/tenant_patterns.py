"""A tenant's own patterns, tried: whether each may be used at all, and what of the tenant's own texts it would mask."""

import re
from collections.abc import Iterator
from datetime import date

from parley.backends.tenant_checks import Parts
from parley.backends.yaml_files import Document, Location
from parley.domain.entities import entities
from parley.domain.masking.folding import Folded, fold
from parley.domain.masking.own import PatternRefused, check, rule_of
from schemas.privacy import MaskPattern

AMOUNTS_AND_DATES = frozenset({"amount", "rate", "date"})
SHOWN = 3
_DIGIT = re.compile(r"\d")
"""Without one no pattern masks anything that is written."""
_ANY_DAY = date(2026, 1, 1)
"""Which date a text means does not matter here, only that it is one."""


def tried(parts: Parts) -> tuple[list[str], list[str]]:
    """Problems, and warnings: each one line, `file:line: field: what is wrong or allowed`."""
    problems: list[str] = []
    warnings: list[str] = []
    document = parts.tenant.document
    patterns = parts.tenant.value.privacy.patterns
    written = _texts(parts) if patterns else ()
    texts = [(where, text, fold(text)) for where, text in written if _DIGIT.search(text)]
    for at, pattern in enumerate(patterns):
        location: Location = ("privacy", "patterns", at)
        try:
            check(pattern)
        except PatternRefused as error:
            problems.append(document.problem((*location, error.field), str(error)))
            continue
        _try(pattern, location, document, texts, problems, warnings)
    return problems, warnings


def _try(
    pattern: MaskPattern,
    location: Location,
    document: Document,
    texts: list[tuple[str, str, Folded]],
    problems: list[str],
    warnings: list[str],
) -> None:
    """An amount or a date of the tenant's own texts is what customers ask about; any other number may be meant as an example."""
    others: list[str] = []
    rule = rule_of(pattern)
    for where, text, folded in texts:
        for found in rule(folded.text):
            start, end = folded.span(found.start, found.end)
            taken = text[start:end]
            if _is_amount_or_date(text, start, end):
                words = f"is too wide: it would mask {taken} in {where}, which is an amount or a date"
                problems.append(document.problem((*location, "regex"), words))
                return
            others.append(f"{taken} in {where}")
    if others:
        more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
        words = f"masks what stands in the tenant's own texts: {', '.join(others[:SHOWN])}{more}"
        warnings.append(document.problem((*location, "regex"), words))


def _is_amount_or_date(text: str, start: int, end: int) -> bool:
    return any(
        each.kind in AMOUNTS_AND_DATES and each.start < end and start < each.start + len(each.text)
        for each in entities(text, _ANY_DAY)
    )


def _texts(parts: Parts) -> Iterator[tuple[str, str]]:
    """Every line that the tenant has written, with the file that it stands in."""
    for article in parts.articles:
        for line in (article.value.title, *article.value.asked_as, *article.value.text.splitlines()):
            yield article.document.path, line
    for intent in parts.intents.values():
        for examples in intent.value.examples.values():
            yield from ((intent.document.path, text) for text in examples)
    for canned in parts.canned.texts.values():
        yield from ((canned.document.path, text) for text in canned.value.values())
    for shot in parts.tenant.value.few_shot:
        yield from ((parts.tenant.document.path, text) for text in (shot.question, shot.answer))
