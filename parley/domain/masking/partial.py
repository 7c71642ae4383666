"""A text that is still being said. Nothing is numbered or kept of it: what may be a number in the making is not shown until it is known what it is."""

import re

from parley.domain.masking.placeholders import Findings
from parley.domain.masking.spoken import CHINESE_CHARACTERS, ENGLISH_DIGIT

HIDDEN = "•••"
_SEVERAL = rf"{ENGLISH_DIGIT}(?:[\s,.-]{{1,3}}{ENGLISH_DIGIT}){{2,}}"
_DIGITS = r"\d(?:[\s./-]?\d){2,}"
_CHINESE = rf"[{CHINESE_CHARACTERS}](?:[\s,-]?[{CHINESE_CHARACTERS}]){{2,}}"
_GROWING = rf"(?:\d[\d\s./-]*|\b{ENGLISH_DIGIT}|[{CHINESE_CHARACTERS}])\W*$"
_NUMBER = re.compile(rf"{_DIGITS}|\b{_SEVERAL}|{_CHINESE}|{_GROWING}", re.IGNORECASE)


def hidden(findings: Findings) -> str:
    """The text without what was found in it, without numbers of three digits or more, and without any at its end."""
    pieces: list[str] = []
    position = 0
    for each in findings.taken:
        pieces += (findings.text[position : each.start], HIDDEN)
        position = each.end
    return _NUMBER.sub(HIDDEN, "".join(pieces) + findings.text[position:])
