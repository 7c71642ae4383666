"""Numbers that are asked for in one turn of a call and told in others, piece by piece: `your card number, please?` – `four one one one` – `mhm` – `1111 2222`.

No piece has a checksum or a word of its own before it. So while a number has been asked for, whatever is told digit by digit is taken for it, by either
side: who repeats it says it too. What is an amount, a date or a duration is not. Where this must err it masks.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from parley.domain.masking.amounts import DATE, NO_UNIT
from parley.domain.masking.births import birth
from parley.domain.masking.cues import CODE_WORDS
from parley.domain.masking.folding import fold
from parley.domain.masking.placeholders import Findings, Taken
from parley.domain.masking.rules import Masker
from parley.domain.masking.spoken import CHINESE_CHARACTERS, ENGLISH_DIGIT, spoken_digits

TURNS, MOST_TURNS = 4, 16
"""How many turns that say something may come between a request, or a piece of what was asked for, and the next piece; and how many of any kind."""
FEW_WORDS, FEW_CHARACTERS = 6, 12
"""So short is a turn that only bridges a moment: `okay, one second`, 好的，请稍等."""
FEWEST_DIGITS = 3
"""Of a piece within a sentence; a turn that is nothing but digits is one whatever their number."""
MOST_BESIDE = 20
"""Characters that a turn which is nothing but digits may have besides: marks and blanks."""

_ASKED = (
    (
        "code",
        rf"(?<![a-z])(?:{CODE_WORDS}|passwords?|(?:digits?|letters?|numbers?) (?:of|from|in|on) (?:the back|your)|last three)(?![a-z])|后三位|末三位",
    ),
    (
        "card",
        r"\bcard ?(?:numbers?|no|details?)\b|\blong number\b|\b(?:sixteen|16)[ -]digits?\b|(?:numbers?|digits?) (?:on|across) (?:the|your) (?:front|back|card)|\bexpiry\b"
        r"|\b(?:read|have|take|give|tell)(?: me| us)?(?: out| off)?(?: me)? (?:the|your) (?:\w+ )?card\b|卡片?号|银行卡号|有效期",
    ),
    ("id", r"\bpassport\b|\bid(?:entity)? ?(?:card|number|document)\b|\b(?:national|social) (?:insurance|security)\b|\bpps|\bdriv(?:er'?s?|ing) licen[cs]e\b|身份证|护照|证件号"),
    ("account", r"\b(?:account|customer|client|member(?:ship)?|contract|policy|reference|sort) ?(?:numbers?|no|code|id|details?)\b|\biban\b|账户?号|帐户?号|账户是多少|客户号|合同号"),
    ("phone", r"\b(?:phone|mobile|telephone|contact|callback|cell) ?(?:numbers?|no)\b|number (?:can|to|should|shall|we|i) ?(?:i |we )?(?:call|reach|ring|contact)|手机号|电话号|联系电话|联系方式|手机尾号"),
)  # fmt: skip
_REQUESTS = tuple((kind, re.compile(words)) for kind, words in _ASKED)
# Each takes a whole run at once and gives nothing back, so that a text is gone through once, whatever it is made of.
_WRITTEN = r"(?<![0-9])[0-9](?:[ .,/-]{0,2}[0-9])*+"
_SAID = rf"(?<![a-z0-9])(?:{ENGLISH_DIGIT})(?:[\s,.-]{{1,3}}{ENGLISH_DIGIT})*+"
_CHINESE = rf"[{CHINESE_CHARACTERS}](?:[\s,、-]?[{CHINESE_CHARACTERS}0-9])*+"
_PIECE = re.compile(rf"{_WRITTEN}|{_SAID}|{_CHINESE}")
_ENDS = re.compile(rf"(?![0-9a-z]|[.,:][0-9]){NO_UNIT}")
_LAST_GROUP = re.compile(r"[\s,./-]+[^\s,./-]+$")
_AMOUNT_OR_TIME = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{3}){0,6}[.,][0-9]{1,2}")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_BEFORE_YEAR = re.compile(r"\b(?:since|in|from|until|before|after|of|during) $")
_BEFORE_AMOUNT = re.compile(
    r"\b(?:charged|paid|pay|spent|spend|costs?|sent|transferred|withdrew|owed?|worth|earn) (?:me |us |him |her |about |around |over |at least )?$"
)
_WORD = re.compile(r"[a-z0-9']+")
_CHARACTER = re.compile("[\u3400-\u9fff]")
_MARKS = re.compile(r"[\s.,!?;:。，！？；：、…-]+")


class Dictation:
    """One call's, turn by turn in the order in which they began. Not thread-safe. It remembers what is expected, and no text."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._kind: str | None = None
        self._born = False
        self._left = self._most = 0

    @property
    def expecting(self) -> bool:
        """Whether a number was asked for that may be told now."""
        return self._left > 0 and self._most > 0

    def find(self, text: str, *, again: bool = False) -> Findings:
        """What of the next turn is personal data, also by what was asked before it. With `again` it is one that was heard before."""
        found = self._masker.find(text)
        plain = fold(text)
        asked = _last_request(plain.text)
        kind, begins = (self._kind, 0) if self.expecting else (None, 0)
        if kind is None and asked is not None:
            kind, begins = asked
        pieces = [] if kind is None else [(each, kind) for each in _pieces(plain.text, begins)]
        born = birth(plain.text, expected=self._born)
        if born.span is not None:
            pieces.append(((*born.span, plain.text[slice(*born.span)]), "id"))
        taken = [Taken(*plain.span(start, end), of, value) for (start, end, value), of in pieces]
        fresh = _apart([each for each in taken if not _overlaps(each, found.taken)])
        if not again:
            self._born = born.asked or (self._born and born.span is None and self.expecting)
            self._go_on(
                plain.text, (asked[0] if asked else None) or ("id" if born.asked else None), bool(fresh)
            )
        together = sorted((*found.taken, *fresh), key=lambda each: each.start)
        return replace(found, taken=tuple(together))

    def _go_on(self, plain: str, asked: str | None, told: bool) -> None:
        if asked is not None:
            self._kind = asked
        if asked is not None or (told and self._kind is not None):
            self._left, self._most = TURNS, MOST_TURNS
            return
        self._most = max(0, self._most - 1)
        if not _bridges(plain):
            self._left = max(0, self._left - 1)


def _last_request(plain: str) -> tuple[str, int] | None:
    """Which kind of number is spoken of last, and where the words for it end."""
    hits = [(hit.end(), kind) for kind, words in _REQUESTS for hit in words.finditer(plain)]
    return (max(hits)[1], max(hits)[0]) if hits else None


def _pieces(plain: str, begins: int) -> Iterator[tuple[int, int, str]]:
    for hit in _PIECE.finditer(plain, begins):
        start, end = hit.span()
        if not _ENDS.match(
            plain, end
        ):  # the last number is the amount of something: what stands before it may be told all the same
            group = _LAST_GROUP.search(plain[max(start, end - 40) : end])
            if group is None:
                continue
            end -= len(group[0])
        digits = _digits(plain, start, end)
        whole = len(plain) - (end - start) <= MOST_BESIDE and not _MARKS.sub("", plain[:start] + plain[end:])
        if (whole and digits) or (len(digits) >= FEWEST_DIGITS and not _is_other(plain, start, end)):
            yield start, end, digits


def _digits(plain: str, start: int, end: int) -> str:
    piece = plain[start:end]
    said = spoken_digits(piece, 0)
    return said.digits if said is not None else re.sub("[^0-9]", "", piece)


def _is_other(plain: str, start: int, end: int) -> bool:
    """An amount, a time, a day or a year, by how it is written or by the word before it."""
    before = plain[max(0, start - 40) : start]
    return (
        DATE.match(plain, start) is not None
        or _AMOUNT_OR_TIME.fullmatch(plain, start, end) is not None
        or _BEFORE_AMOUNT.search(before) is not None
        or (_YEAR.fullmatch(plain, start, end) is not None and _BEFORE_YEAR.search(before) is not None)
    )


def _bridges(plain: str) -> bool:
    return len(_WORD.findall(plain)) <= FEW_WORDS and len(_CHARACTER.findall(plain)) <= FEW_CHARACTERS


def _overlaps(one: Taken, others: tuple[Taken, ...]) -> bool:
    return any(one.start < each.end and each.start < one.end for each in others)


def _apart(taken: list[Taken]) -> list[Taken]:
    """Of two that overlap the first stays."""
    kept: list[Taken] = []
    for each in sorted(taken, key=lambda one: (one.start, -one.end)):
        if not kept or kept[-1].end <= each.start:
            kept.append(each)
    return kept
