"""A text against what it was written from."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cached_property

from parley.domain.guard.amounts import AMOUNTS, imply_amounts
from parley.domain.guard.claims import CLAIM_SIGNS, free_unfounded, sentences, unsupported
from parley.domain.guard.dates import DATES
from parley.domain.guard.facts import Facts, Rule
from parley.domain.guard.links import LINKS
from parley.domain.guard.signs import SIGN, signs_of
from parley.domain.guard.times import TIMES
from parley.domain.guard.units import FREE_SIGNS
from parley.domain.guard.wording import CONTROL_SIGNS, Instructions, wrong_wording
from parley.domain.remembering import remembering
from schemas.parts import GuardReport, Passage

_MASKED = re.compile(r"\[[a-z_]+_\d+\]|\{\{[^}]*\}\}")
_LIST_MARK = re.compile(r"(?m)^[ \t]*(?:\d{1,2}[.)、]|[(（]\d{1,2}[)）])\s+")
_CITATION = re.compile(r"(?:\[\d{1,2}(?:\s?[,，-]\s?\d{1,2}){0,8}\]|【\d{1,2}】)(?!\()")
_CITED = re.compile(r"\[\d{1,2}\](?=\()")
_FIGURE = re.compile(r"\d")
_SMALL_FIGURES = re.compile("[²³¹⁰⁴-⁹₀-₉①-⒛]")
"""Footnotes and list numbers: compatibility characters that would become figures."""
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−～〜∼", "-") | {"’": "'", "*": None, "`": None, "\x01": None})
"""Emphasis in Markdown may stand within a rate: `**5** %`."""
_TRANSLATED = re.compile(f"[{re.escape(''.join(map(chr, _DASHES)))}]")

_QUOTABLE = re.compile(r"[^\W\d_]+[^\w]+[^\W\d_]+|[\u3400-\u9fff]{4}")
"""Two words or four Chinese characters: `2.` of a list and a bare `No.` stand in every second article and say nothing there."""

RULES: tuple[Rule, ...] = (*LINKS, *DATES, *TIMES, *AMOUNTS)
"""Tried in this order; what one rule has read, no later one reads again."""

_SIGNS = frozenset().union(
    *(rule.signs for rule in RULES), CLAIM_SIGNS, FREE_SIGNS, CONTROL_SIGNS, ("_", "[", "{", "*", "`", "\x01")
)
"""A text of ASCII characters without any of these, or of the instructions' own, says nothing that is checked here. Of the last six, one is in
`NO_ANSWER`, two begin a placeholder, and three are taken out before words are read.
"""
_PASSED = GuardReport(passed=True)
_NONE = Instructions()


def check(text: str, passages: Iterable[Passage], quotable: frozenset[str] = frozenset()) -> GuardReport:
    """Which rules a text breaks, given what it was written from, and which placeholders of the customer's own it may have."""
    return Guard(passages, quotable).check(text)


def check_against(text: str, sources: tuple[str, ...], quotable: frozenset[str] = frozenset()) -> GuardReport:
    """The same for passages that are texts already."""
    return Guard(sources, quotable).check(text)


class Guard:
    """Checks texts that are written from the same passages, such as the sentences of one answer and then the whole of it.

    What the passages say is worked out when a text first has something to compare with it, and then kept.
    """

    def __init__(
        self,
        passages: Iterable[Passage | str],
        quotable: frozenset[str] = frozenset(),
        instructions: Instructions = _NONE,
    ) -> None:
        """A passage that is a text says what the text says. `instructions` are those that the texts' writer was given."""
        self._passages = passages
        self._quotable = quotable
        self._instructions = instructions

    def check(self, text: str) -> GuardReport:
        """Which rules this text breaks."""
        found = SIGN.findall(text.lower())
        states_nothing = text.isascii() and _SIGNS.isdisjoint(found)
        if states_nothing and not self._instructions.may_stand_in(found):
            return _PASSED
        violations = [] if states_nothing else self._unfounded(text)
        violations += wrong_wording(text, found, self._instructions, self._sources)
        return GuardReport(passed=False, violations=tuple(violations)) if violations else _PASSED

    def _unfounded(self, text: str) -> list[str]:
        """The rules of what a text states that it breaks."""
        own = self._not_quoted(_without(text, self._quotable))
        signs = signs_of(own.lower())
        violations = self._unknown(own)
        if (
            not FREE_SIGNS.isdisjoint(signs)
            and free_unfounded(own, self._sources)
            and "number" not in violations
        ):
            violations.append("number")
        if any(masked[0] not in self._quotable for masked in _MASKED.finditer(text)):
            violations.append("masked")
        if not CLAIM_SIGNS.isdisjoint(signs) and unsupported(own, self._sources):
            violations.append("yes_no")
        return violations

    def _unknown(self, text: str) -> list[str]:
        """The kinds of what the text says and no source does."""
        said = _facts(text)[0].said
        if not said:
            return []
        known = self._known
        return sorted(
            {
                token.partition(":")[0]
                for token, instead in said.items()
                if token not in known and known.isdisjoint(instead)
            }
        )

    def _not_quoted(self, text: str) -> str:
        """What of a text is no whole line and no whole sentence of a source: what is quoted needs no reading, however long it is."""
        quoted = self._quoted
        lines = [line for line in text.split("\n") if line.strip() not in quoted]
        return "\n".join(
            " ".join(sentence for sentence in sentences(line) if sentence.strip() not in quoted)
            for line in lines
        )

    @cached_property
    def _sources(self) -> tuple[str, ...]:
        """The passages with their headings, titles and links."""
        return tuple(each if isinstance(each, str) else _source(each) for each in self._passages)

    @cached_property
    def _quoted(self) -> frozenset[str]:
        """Lines and sentences that are the sources' own."""
        return frozenset().union(*map(_quotable_of, self._sources))

    @cached_property
    def _known(self) -> frozenset[str]:
        """What may be said: all that the sources say, and what follows from it."""
        return frozenset().union(*map(_facts_of, self._sources))


def _source(passage: Passage) -> str:
    return f"{' '.join(passage.path)} {passage.title}\n{passage.text}\n[source]({passage.url})"


def _without(text: str, quotable: frozenset[str]) -> str:
    """The number of a placeholder is no figure that a passage must have."""
    return _MASKED.sub(lambda masked: " " if masked[0] in quotable else masked[0], text) if quotable else text


@remembering(256)
def _quotable_of(source: str) -> frozenset[str]:
    return frozenset(
        part.strip()
        for line in source.split("\n")
        for part in (line, *sentences(line))
        if _QUOTABLE.search(part) is not None
    )


def tokens(text: str) -> frozenset[str]:
    """What a text says and must be able to show: `link:…`, `date:…`, `weekday:…`, `time:…`, `rate:…`, `number:…`."""
    return frozenset(_facts(text)[0].said)


def _facts(text: str) -> tuple[Facts, str]:
    """What a text says, and what is left of it when every rule has read it. A rule is tried where what is left by then has a sign of it."""
    facts, rest = Facts(), _plain(text)
    signs = signs_of(rest.lower())
    for rule in RULES:
        if not rule.signs.isdisjoint(signs):
            left = rule.read(rest, facts)
            if left != rest:
                rest, signs = left, signs_of(left.lower())
    return facts, rest


def _plain(text: str) -> str:
    """One form of each character; without emphasis, the numbers of lists, and marks of sources."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _SMALL_FIGURES.sub(" ", text))
    if _TRANSLATED.search(text) is not None:
        text = text.translate(_DASHES)
    if _FIGURE.search(text) is None:
        return text
    if "\n" in text or _LIST_MARK.match(text) is not None:
        text = _LIST_MARK.sub("\n", text)
    return _CITED.sub("[]", _CITATION.sub(" ", text)) if "[" in text or "【" in text else text


@remembering(256)
def _facts_of(source: str) -> frozenset[str]:
    facts, rest = _facts(source)
    imply_amounts(rest, facts)
    return frozenset(facts.said) | facts.implied
