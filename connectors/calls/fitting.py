"""Masked texts within the limits of the events that carry them: a placeholder may be longer than what it stands for. Pure."""

import re

from parley.domain.masking.found import ANY_PLACEHOLDER

CUT = "…"
"""Stands at the end of a text that was cut."""
_SPACE = re.compile(r"\s")
_LONGEST_WORD = 200
"""Characters; what has no white space for longer (Chinese, a line of digits) is cut where the limit is."""


def fitted(text: str, most: int) -> str:
    """The text; where it has more than `most` characters (2 or more) its beginning and `CUT`, cut behind a word and within no placeholder."""
    if len(text) <= most:
        return text
    end = most - len(CUT)
    spaces = [found.start() for found in _SPACE.finditer(text, max(0, end - _LONGEST_WORD), end + 1)]
    end = spaces[-1] if spaces else end
    for found in ANY_PLACEHOLDER.finditer(text):
        if found.start() < end < found.end():
            end = found.start()
    return text[:end].rstrip() + CUT
