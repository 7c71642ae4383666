"""Yes, no and `free`: no number can be compared, so a sentence that says so must follow a passage's sentence that does too.

A bare `Yes.` says nothing that could be compared, and passes only where a passage says it as barely.
"""

import re
from collections.abc import Iterator

from parley.domain.guard.signs import ODD, words
from parley.domain.guard.units import FREE
from parley.domain.remembering import remembering
from parley.domain.words import terms

SENTENCE = re.compile(r"(?<=[.!?])(?<!\b[Nn]o\.)\s+|(?<=[。！？；])|\n+")
"""Behind `No.` a number or the reason follows."""
_ASCII_SENTENCE = re.compile(r"\s(?:(?<=[.!?]\s)(?<!\b[Nn]o\.\s)\s*|(?<=\n)\n*)")
"""The same for a text without other characters: a pattern that begins with what it consumes is found several times sooner."""


def sentences(text: str) -> list[str]:
    return (_ASCII_SENTENCE if text.isascii() else SENTENCE).split(text)


CLAIM_SIGNS = ODD | words(
    "yes yeah yep yup no nope course certainly absolutely definitely 是 不 可 对 没 当 有 能"
)
"""Every claim has one of these."""
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
    """Does a sentence say yes or no that no sentence of the sources says of the same thing? Never without `CLAIM_SIGNS`."""
    claims = list(_claims(text))
    if not claims:
        return False
    known = [claim for source in sources for claim in _claims_of(source)]
    return not all(any(_follows(said, source) for source in known) for said in claims)


_NOTHING = re.compile(
    r"(?=[0€$£免])(?:(?<![\d.,])(?:[€$£] ?0(?:\.00?)?(?![\d.,])|0 ?(?:eur\b|euros?\b|欧元|元))|免)",
    re.IGNORECASE,
)
"""What says in an article that a thing is free, besides the word."""
_ANY_FREE = frozenset(
    terms(
        "free fee cost charge pay nothing account customer euro offer service bank 免费 收费 费用 收取 不收 欧元 美元"
    )
)
"""Words of a sentence that says `free` that do not say what is."""
_POINTS_BACK = re.compile(r"\s*(?:(?:it|this|that|they|these|both)\b|该|这)", re.IGNORECASE)
_LONGEST_HEADING = 120


def free_unfounded(text: str, sources: tuple[str, ...]) -> bool:
    """Does a sentence call free what no sentence of the sources does? Of `it is free` they must only call something so.

    Never without `FREE_SIGNS`.
    """
    said = [
        frozenset[str]() if _POINTS_BACK.match(line) else _things(line)
        for line in sentences(text)
        if FREE.search(line.lower())
    ]
    if not said:
        return False
    known = [things for source in sources for things in _free_things(source)]
    return not all(known if not each else any(each & things for things in known) for each in said)


@remembering(256)
def _free_things(source: str) -> tuple[frozenset[str], ...]:
    """What each sentence or row speaks of that says `free`, with its heading, and with the sentence that `it` refers to."""
    found, before = [], ""
    for sentence in sentences(source):
        if FREE.search(sentence.lower()) or _NOTHING.search(sentence):
            found.append(_things(f"{before} {sentence}" if _POINTS_BACK.match(sentence) else sentence))
        before = sentence
    heading = source.partition("\n")[0] if found else ""
    headed = frozenset[str]() if len(heading) > _LONGEST_HEADING else _things(heading)
    return tuple(headed | things for things in found)


def _things(line: str) -> frozenset[str]:
    """What a line speaks of: its words without figures, and without single characters, which Chinese texts all share."""
    return frozenset(term for term in terms(line) if len(term) > 1 and not term[0].isdigit()) - _ANY_FREE


def _claims(text: str) -> Iterator[tuple[bool, frozenset[str]]]:
    """Each claim as whether it is a yes, and the terms behind it."""
    for sentence in sentences(text):
        claim = _CLAIM.match(sentence)
        if claim is not None:
            word = (claim[1] or claim[2]).lower().replace(" ", "_")
            yield word in _YES, frozenset(terms(sentence[claim.end() :])) - _EMPTY


@remembering(256)
def _claims_of(source: str) -> tuple[tuple[bool, frozenset[str]], ...]:
    return tuple(_claims(source))


def _follows(said: tuple[bool, frozenset[str]], source: tuple[bool, frozenset[str]]) -> bool:
    if said[0] != source[0]:
        return False
    if not said[1]:
        return not source[1]
    return len(said[1] & source[1]) >= _ENOUGH * len(said[1])
