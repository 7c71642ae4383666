"""A text against what it was written from."""

import re
import unicodedata
from collections.abc import Iterable

from parley.domain.guard.amounts import AMOUNTS
from parley.domain.guard.claims import SENTENCE, free_unfounded, unsupported
from parley.domain.guard.dates import DATES
from parley.domain.guard.facts import Facts, Rule
from parley.domain.guard.links import LINKS
from parley.domain.guard.times import TIMES
from parley.domain.remembering import remembering
from schemas.parts import GuardReport, Passage

_MASKED = re.compile(r"\[[a-z_]+_\d+\]|\{\{[^}]*\}\}")
_LIST_MARK = re.compile(r"(?m)^[ \t]*(?:\d{1,2}[.)、]|[(（]\d{1,2}[)）])\s+")
_CITATION = re.compile(r"(?:\[\d{1,2}(?:\s?[,，-]\s?\d{1,2}){0,8}\]|【\d{1,2}】)(?!\()")
_CITED = re.compile(r"\[\d{1,2}\](?=\()")
_SMALL_FIGURES = re.compile("[²³¹⁰⁴-⁹₀-₉①-⒛]")
"""Footnotes and list numbers: compatibility characters that would become figures."""
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−～〜∼", "-") | {"’": "'", "*": None, "`": None, "\x01": None})
"""Emphasis in Markdown may stand within a rate: `**5** %`."""

_QUOTABLE = re.compile(r"[^\W\d_]+[^\w]+[^\W\d_]+|[\u3400-\u9fff]{4}")
"""Two words or four Chinese characters: `2.` of a list and a bare `No.` stand in every second article and say nothing there."""

RULES: tuple[Rule, ...] = (*LINKS, *DATES, *TIMES, *AMOUNTS)
"""Tried in this order; what one rule has read, no later one reads again."""


def check(text: str, passages: Iterable[Passage], quotable: frozenset[str] = frozenset()) -> GuardReport:
    """Which rules a text breaks, given what it was written from, and which placeholders of the customer's own it may have."""
    sources = tuple(
        f"{' '.join(passage.path)} {passage.title}\n{passage.text}\n[source]({passage.url})"
        for passage in passages
    )
    return check_against(text, sources, quotable)


def check_against(text: str, sources: tuple[str, ...], quotable: frozenset[str] = frozenset()) -> GuardReport:
    own = _not_quoted(_without(text, quotable), sources)
    said = _facts(own).said
    known = _known(sources) if said else frozenset()
    violations = sorted(
        {
            token.partition(":")[0]
            for token, instead in said.items()
            if token not in known and known.isdisjoint(instead)
        }
    )
    if free_unfounded(own, sources) and "number" not in violations:
        violations.append("number")
    if any(masked[0] not in quotable for masked in _MASKED.finditer(text)):
        violations.append("masked")
    if unsupported(own, sources):
        violations.append("yes_no")
    return GuardReport(passed=not violations, violations=tuple(violations))


def _without(text: str, quotable: frozenset[str]) -> str:
    """The number of a placeholder is no figure that a passage must have."""
    return _MASKED.sub(lambda masked: " " if masked[0] in quotable else masked[0], text) if quotable else text


def _not_quoted(text: str, sources: tuple[str, ...]) -> str:
    """What of a text is no whole line and no whole sentence of a source: what is quoted needs no reading, however long it is."""
    quotable = _quotable(sources)
    lines = [line for line in text.split("\n") if line.strip() not in quotable]
    return "\n".join(
        " ".join(sentence for sentence in SENTENCE.split(line) if sentence.strip() not in quotable)
        for line in lines
    )


@remembering(256)
def _quotable(sources: tuple[str, ...]) -> frozenset[str]:
    return frozenset(
        part.strip()
        for source in sources
        for line in source.split("\n")
        for part in (line, *SENTENCE.split(line))
        if _QUOTABLE.search(part) is not None
    )


def tokens(text: str) -> frozenset[str]:
    """What a text says and must be able to show: `link:…`, `date:…`, `weekday:…`, `time:…`, `rate:…`, `number:…`."""
    return frozenset(_facts(text).said)


def _facts(text: str) -> Facts:
    facts = Facts()
    rest = unicodedata.normalize("NFKC", _SMALL_FIGURES.sub(" ", text)).translate(_DASHES)
    rest = _CITED.sub("[]", _CITATION.sub(" ", _LIST_MARK.sub("\n", rest)))
    for rule in RULES:
        rest = rule(rest, facts)
    return facts


@remembering(256)
def _facts_of(source: str) -> frozenset[str]:
    facts = _facts(source)
    return frozenset(facts.said) | facts.implied


@remembering(256)
def _known(sources: tuple[str, ...]) -> frozenset[str]:
    """What may be said: all that the sources say, and what follows from it."""
    return frozenset().union(*map(_facts_of, sources))
