"""One spelling for what people write in many, so that rules need to know one alphabet: lower case, ASCII digits, plain marks.

Each character becomes one character or none: what is not seen (formatting, joiners, combining marks) is left out, and `origins` lead
back to where the others stood.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

_SEPARATORS = {"·•‧∙⋅・⸱": ".", "٫": ".", "٬、": ",", "⁄∕": "/", "−": "-", "\u2800": " "}
_BRACKETS = {"【〔〖": "[", "】〕〗": "]", "“”„«»「」『』": '"', "‘’ʼ": "'"}
_UNSEEN_LETTERS = (0x115F, 0x1160, 0x3164, 0xFFA0)
_BY_CATEGORY: dict[str, str | None] = {"Cf": None, "Mn": None, "Me": None, "Zs": " ", "Pd": "-", "Cc": " "}
_FULL_WIDTH, _MATHEMATICAL = range(0xFF01, 0xFF5F), range(0x1D400, 0x1D800)
_LOOKED_AT = (range(0x20), range(0x7F, 0xD800), range(0xE000, 0x20000), range(0xE0000, 0xE0200))
"""Outside of these planes nothing is assigned that is a digit, unseen or a blank."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as rules read it. `origins` tell where each character stood, and at last where the text ends."""

    text: str
    origins: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where something stood, with what is not seen behind it."""
        return self.origins[start], self.origins[end]


def fold(text: str) -> Folded:
    folded = text.translate(_TABLE)
    if len(folded) == len(text):
        return Folded(folded, range(len(text) + 1))
    seen = [at for at, character in enumerate(text) if _TABLE.get(ord(character), character) is not None]
    return Folded(folded, [*seen, len(text)])


def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    for code in chain(*_LOOKED_AT):
        category = unicodedata.category(chr(code))
        if category == "Nd":
            table[code] = str(unicodedata.decimal(chr(code)))
        elif category in _BY_CATEGORY:
            table[code] = _BY_CATEGORY[category]
    table |= {code: chr(code + 32) for code in range(ord("A"), ord("Z") + 1)}
    for code in chain(_FULL_WIDTH, _MATHEMATICAL):
        plain = unicodedata.normalize("NFKC", chr(code)).lower()
        if plain.isascii():
            table[code] = plain
    for group in (_SEPARATORS, _BRACKETS):
        table |= {ord(character): plain for characters, plain in group.items() for character in characters}
    return table | dict.fromkeys(_UNSEEN_LETTERS) | {0x0A: "\n", 0x0D: "\n"}


_TABLE = _table()
