"""A text that is still being said. Nothing is numbered or kept of it: what may be a number in the making is not shown until it is known what it is."""

import re

from parley.domain.masking.placeholders import Findings
from parley.domain.masking.spoken import CHINESE_CHARACTERS, ENGLISH_DIGIT

HIDDEN = "•••"
_SEVERAL = rf"{ENGLISH_DIGIT}(?:[\s,.-]{{1,3}}{ENGLISH_DIGIT}){{2,}}+"
_DIGITS = r"(?<!\d)\d(?:[\s./-]?\d){2,}+"
_CHINESE = rf"[{CHINESE_CHARACTERS}](?:[\s,-]?[{CHINESE_CHARACTERS}]){{2,}}+"
_GROWING = rf"(?:(?<!\d)\d[\d\s./-]*+|\b{ENGLISH_DIGIT}|[{CHINESE_CHARACTERS}]+)\W*$"
_NUMBER = re.compile(rf"{_DIGITS}|\b{_SEVERAL}|{_CHINESE}", re.IGNORECASE)
_AT_END = re.compile(_GROWING, re.IGNORECASE)
_ANY = re.compile(rf"\d+|\b{ENGLISH_DIGIT}\b|[{CHINESE_CHARACTERS}]", re.IGNORECASE)
_ANNOUNCED = re.compile(
    r"(?:\be-?mail|\baddress|\bpost ?code|\bpass ?(?:word|code)|\bname(?:'s| is)|\bborn\b|\bbirth|\bi live\b|\bpin\b|邮箱|地址|住在|密码|口令|姓名|名字|我叫|出生)",
    re.IGNORECASE,
)
TAIL_CHARS = 400
"""Of the end of a text, in which a number in the making is looked for."""


def hidden(findings: Findings, *, expected: bool = False) -> str:
    """The text without what was found in it, without numbers of three digits or more and any at its end, and without what stands behind words
    that announce a name, an address or a secret. Where a number is `expected` no digit is shown.
    """
    pieces: list[str] = []
    position = 0
    for each in findings.taken:
        pieces += (findings.text[position : each.start], HIDDEN)
        position = each.end
    text = "".join(pieces) + findings.text[position:]
    announced = _ANNOUNCED.search(text)
    if announced is not None and text[announced.end() :].strip(" .?!,。？！，"):
        text = f"{text[: announced.end()]} {HIDDEN}"
    text = (_ANY if expected else _NUMBER).sub(HIDDEN, text)
    return text[:-TAIL_CHARS] + _AT_END.sub(HIDDEN, text[-TAIL_CHARS:])
