"""A text that is longer than one message of ours, as several. Pure.

Telegram's have 4,096 characters, in UTF-16 code units; with a quotation, or a command's words before them, they may be longer than ours.
"""

import re
from collections.abc import Iterator

from schemas.base import MAX_MESSAGE_CHARS

MAX_PARTS = 2
_ENDS = (r"\n\s*\n\s*", r"\n\s*", r"(?:(?<=[.?!])\s+|(?<=[。！？])\s*)", r"\s+")
"""Where a text may be cut, from the best end to the worst: behind a paragraph, a line, a sentence, a word."""
_TOKEN = r"[A-Za-z./+()-]*\d[A-Za-z\d./+()-]*"
_DIGITS = re.compile(rf"(?<![A-Za-z\d./+()-]){_TOKEN}(?:\s+(?:{_TOKEN}|[A-Z]{{1,4}}(?=\s+{_TOKEN})))*")
"""What may be one number, with what belongs to it: it is not cut, since masking knows no half of a number."""
_LONGEST_NUMBER = 100
"""Characters; more of it is a table, or a list."""


def parts_of(text: str, most: int = MAX_MESSAGE_CHARS) -> list[str]:
    """Each with `most` characters at most, in order."""
    parts: list[str] = []
    while len(text) > most:
        end, begin = _cut(text, most)
        parts.append(text[:end])
        text = text[begin:]
    return [*parts, text]


def _cut(text: str, most: int) -> tuple[int, int]:
    """Where a part ends and the next begins; not in the first half, where there is any other place."""
    found = [each.span() for each in _DIGITS.finditer(text)]
    numbers = [(begin, end) for begin, end in found if end - begin <= _LONGEST_NUMBER]
    for pattern in _ENDS:
        places = [each for each in _places(pattern, text, most) if not _within(numbers, each[0])]
        if places and places[-1][0] >= most // 2:
            return places[-1]
    free = (at for at in range(most, most // 2, -1) if not _within(numbers, at))
    at = next(free, most)
    return at, at


def _places(pattern: str, text: str, most: int) -> Iterator[tuple[int, int]]:
    for found in re.finditer(pattern, text):
        if found.start() > most:
            return
        if found.start() and found.end() < len(text):
            yield found.span()


def _within(spans: list[tuple[int, int]], at: int) -> bool:
    return any(begin < at < end for begin, end in spans)
