"""Yes and no: no number can be compared, so a sentence that begins with one must follow a passage's sentence that does too.

A bare `Yes.` says nothing that could be compared, and passes only where a passage says it as barely.
"""

import re
from collections.abc import Iterator

from parley.domain.words import terms

SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n+")
_CLAIM = re.compile(
    r"[\s\"'“*>•-]*(?:(yes|yeah|yep|yup|no|nope|of course|certainly|absolutely|definitely)(?=\s*(?:[,.;:!–—-]|$)|\s+(?:you|it|we|that|this|there|they|i|the)\b)"
    r"|(是的|是(?=[，,。!！])|不是|可以的|可以(?=[，,。!！])|不可以|不能|不行|不会(?=[，,。!！])|不用(?=[，,。!！])|对的|没错|当然|有的(?=[，,。!！])|没有(?=[，,。!！])|能(?=[，,。!！])))",
    re.IGNORECASE,
)
_YES = frozenset(
    [
        "yes",
        "yeah",
        "yep",
        "yup",
        "of_course",
        "certainly",
        "absolutely",
        "definitely",
        "是的",
        "是",
        "可以的",
        "可以",
        "对的",
        "没错",
        "当然",
        "有的",
        "能",
    ]
)
"""All of them say the same; what is no yes is a no."""
_EMPTY = frozenset(
    terms(
        "cannot can't sure possible allowed please that's exactly correct right indeed course you may must should will would 不能 可以 问题"
    )
)
"""Words behind a claim that do not say of what it is one."""
_ENOUGH = 0.5
"""Share of the words behind a claim that must stand in the passage's sentence."""


def unsupported(text: str, sources: tuple[str, ...]) -> bool:
    """Does a sentence say yes or no that no sentence of the sources says of the same thing?"""
    claims = list(_claims(text))
    if not claims:
        return False
    known = [claim for source in sources for claim in _claims(source)]
    return not all(any(_follows(said, source) for source in known) for said in claims)


def _claims(text: str) -> Iterator[tuple[bool, frozenset[str]]]:
    """Each claim as whether it is a yes, and the terms behind it."""
    for sentence in SENTENCE.split(text):
        claim = _CLAIM.match(sentence)
        if claim is not None:
            word = (claim[1] or claim[2]).lower().replace(" ", "_")
            yield word in _YES, frozenset(terms(sentence[claim.end() :])) - _EMPTY


def _follows(said: tuple[bool, frozenset[str]], source: tuple[bool, frozenset[str]]) -> bool:
    if said[0] != source[0]:
        return False
    if not said[1]:
        return not source[1]
    return len(said[1] & source[1]) >= _ENOUGH * len(said[1])
