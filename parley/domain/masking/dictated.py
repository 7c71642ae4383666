"""Numbers that are asked for in one turn of a call and told in others, piece by piece: `your card number, please?` – `four one one one` – `mhm` – `1111 2222`.

No piece has a checksum or a word of its own before it. So while a number has been asked for, whatever is told digit by digit is taken for it, by either
side: who repeats it says it too. What is an amount, a date or a duration is not. Where this must err it masks.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from parley.domain.masking.amounts import DATE, NO_UNIT
from parley.domain.masking.cues import CODE_WORDS
from parley.domain.masking.folding import fold
from parley.domain.masking.placeholders import Findings, Taken
from parley.domain.masking.rules import Masker
from parley.domain.masking.spoken import CHINESE_CHARACTERS, ENGLISH_DIGIT, spoken_digits

TURNS = 4
"""So many turns after a number was asked for, or a piece of it was told, the next piece is expected."""
FEWEST_DIGITS = 3

_ASKED = (
    (
        "code",
        rf"(?<![a-z])(?:{CODE_WORDS}|passwords?|(?:digits?|letters?) (?:of|from|in) your)(?![a-z])",
    ),
    ("card", r"\bcard ?(?:number|no)\b|\blong number\b|\b(?:sixteen|16)[ -]digits?\b|number on (?:the|your) (?:front|back|card)|\bexpiry\b|卡号|有效期"),
    ("id", r"\bpassport\b|\bid(?:entity)? ?(?:card|number|document)\b|\b(?:national|social) (?:insurance|security)\b|\bpps|\bdriv(?:er'?s?|ing) licen[cs]e\b|身份证|护照|证件号"),
    ("account", r"\b(?:account|customer|client|member(?:ship)?|contract|policy|reference|sort) ?(?:number|no|code|id)\b|\biban\b|账号|帐号|账户号|客户号|合同号"),
    ("phone", r"\b(?:phone|mobile|telephone|contact|callback|cell) ?(?:number|no)\b|number (?:can|to|we|i) ?(?:i |we )?(?:call|reach|ring|contact)|手机号|电话号|联系电话|联系方式|手机尾号"),
)  # fmt: skip
_REQUESTS = tuple((kind, re.compile(words)) for kind, words in _ASKED)
_WRITTEN = r"[0-9](?:[ .,/-]{0,2}[0-9])*"
_SAID = rf"(?<![a-z]){ENGLISH_DIGIT}(?:[\s,.-]{{1,3}}{ENGLISH_DIGIT})+"
_CHINESE = rf"[{CHINESE_CHARACTERS}](?:[\s,，、-]?[{CHINESE_CHARACTERS}0-9])+"
_PIECE = re.compile(rf"(?:{_SAID}|{_WRITTEN}|{_CHINESE})(?![0-9a-z]|[.,:][0-9]){NO_UNIT}")

_AMOUNT_OR_TIME = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{3})*[.,][0-9]{1,2}")


class Dictation:
    """One call's, turn by turn in the order in which they began. Not thread-safe."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._kind: str | None = None
        self._left = 0

    def find(self, text: str) -> Findings:
        """What of the next turn is personal data, also by what was asked before it."""
        found = self._masker.find(text)
        plain = fold(text)
        asked = _last_request(plain.text)
        self._left = max(0, self._left - 1)
        kind, begins = (self._kind, 0) if self._left else (None, 0)
        if kind is None and asked is not None:
            kind, begins = asked
        pieces = () if kind is None else tuple(_pieces(plain.text, begins))
        taken = [Taken(*plain.span(start, end), kind or "", value) for start, end, value in pieces]
        fresh = [each for each in taken if not _overlaps(each, found.taken)]
        if asked is not None:
            self._kind, self._left = asked[0], TURNS + 1
        elif fresh:
            self._left = TURNS + 1
        together = sorted((*found.taken, *fresh), key=lambda each: each.start)
        return replace(found, taken=tuple(together))


def _last_request(plain: str) -> tuple[str, int] | None:
    """Which kind of number is spoken of last, and where the words for it end."""
    hits = [(hit.end(), kind) for kind, words in _REQUESTS for hit in words.finditer(plain)]
    return (max(hits)[1], max(hits)[0]) if hits else None


def _pieces(plain: str, begins: int) -> Iterator[tuple[int, int, str]]:
    for hit in _PIECE.finditer(plain, begins):
        said = spoken_digits(plain, hit.start())
        digits = said.digits if said is not None else re.sub("[^0-9]", "", hit[0])
        other = DATE.match(plain, hit.start()) or _AMOUNT_OR_TIME.fullmatch(hit[0])
        if len(digits) >= FEWEST_DIGITS and not other:
            yield hit.start(), hit.end(), digits


def _overlaps(one: Taken, others: tuple[Taken, ...]) -> bool:
    return any(one.start < each.end and each.start < one.end for each in others)
