"""Runs in pieces that each fit in a message of Telegram's, cut where it disturbs least."""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from connectors.telegram.runs import (
    SPLITTABLE,
    Run,
    Style,
    closing,
    merged,
    opening,
    shared,
    text_of,
    visible,
)

#: Of the visible text, in UTF-16 code units.
MAX_UNITS = 4096
MAX_ENTITIES = 100
#: Of the HTML, in bytes of UTF-8.
MAX_BYTES = 32_000

#: From the best end of a message to the worst, by the names of `_ENDS`' groups.
_KINDS = ("paragraph", "line", "sentence", "space")
_ENDS = re.compile(
    r"""
      (?P<paragraph> [^\S\n]* \n [^\S\n]* \n \s* )
    | (?P<line> [^\S\n]* \n \s* )
    | (?P<sentence> (?: (?<= [.?!] ) | (?<= [.?!]["')\]”’] ) ) [ \t]+ | (?<= [。！？] ) (?! [。！？”’」』）】] )
        | (?<= [。！？][”’」』）】] ) )
    | (?P<space> [ \t\u2000-\u2006\u2008-\u200a\u205f\u3000]+ )
    """,
    re.VERBOSE,
)
_ZWJ = "\u200d"


class _End(NamedTuple):
    """Where a message may end: the text's end, and where the next message's text begins, in characters."""

    kind: str
    at: int
    next: int


def split(runs: Sequence[Run]) -> list[list[Run]]:
    """Pieces that fit, in order, without white space at their ends; pieces with nothing to see are left out."""
    pieces: list[list[Run]] = []
    rest = _trimmed(merged(runs))
    while rest:
        fitting = reach(rest)
        if fitting < sum(len(run.text) for run in rest):
            fitting = _cut(rest, fitting)
        piece, rest = _parted(rest, fitting)
        pieces.append(_trimmed(piece))
        rest = _trimmed(rest)
    return [piece for piece in pieces if visible(text_of(piece))]


def fits(runs: Sequence[Run]) -> bool:
    return reach(runs) == sum(len(run.text) for run in runs)


def reach(runs: Sequence[Run]) -> int:
    """How many of the text's characters fit in one message; at least one, since no character's markup is that long."""
    units = entities = octets = at = 0
    style: Style = ()
    for run in runs:
        going_on = shared(style, run.style)
        entities += sum(n >= going_on or tag.name in SPLITTABLE for n, tag in enumerate(run.style))
        octets += sum(len((opening(tag) + closing(tag)).encode()) for tag in run.style[going_on:])
        if entities > MAX_ENTITIES or octets > MAX_BYTES:
            return at
        room = _room(run.text, MAX_UNITS - units, MAX_BYTES - octets)
        if room < len(run.text):
            return at + room
        units, octets, at = units + _units(run.text), octets + _bytes(run.text), at + room
        style = run.style
    return at


def boundary(text: str, at: int) -> bool:
    """Whether a text may be cut before this character without breaking what is read as one (UAX 29, its common cases)."""
    if not 0 < at < len(text):
        return True
    before, after = text[at - 1], text[at]
    if before == _ZWJ or _joins(after):
        return False
    if _flag(after) and _flag(before):
        return _flags_before(text, at) % 2 == 0
    return (before, after) != ("\r", "\n")


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _bytes(text: str) -> int:
    return len(html.escape(text).encode())


def _room(text: str, units: int, octets: int) -> int:
    """How many of the text's characters take no more than that."""
    if _units(text) <= units and _bytes(text) <= octets:
        return len(text)
    for count, character in enumerate(text):
        units -= 1 if character <= "\uffff" else 2
        octets -= _bytes(character)
        if units < 0 or octets < 0:
            return count
    return len(text)


def _joins(character: str) -> bool:
    """Marks, joiners, skin tones, tags of flags, and the vowels and ends of Hangul written in parts."""
    return (
        unicodedata.category(character) in ("Mn", "Me", "Mc")
        or character in "\u200c\u200d"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
        or "\u1160" <= character <= "\u11ff"
    )


def _flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flags_before(text: str, at: int) -> int:
    start = at
    while start and _flag(text[start - 1]):
        start -= 1
    return at - start


def _cut(runs: Sequence[Run], fitting: int) -> int:
    """Where the piece ends, of `fitting` characters at most.

    Outside of entities first: at the best kind of end that leaves no less than a quarter of a message, then at any end, then
    between two entities or in a word. If all of it is within an entity, the same ends are looked for there.
    """
    text = text_of(runs)[: fitting + 64]
    held = _held(runs, len(text))
    outside: list[_End] = []
    inside: list[_End] = []
    for end in _ends(text, fitting):
        (inside if all(held[end.at : end.next + 1]) else outside).append(end)
    free = (at for at in range(fitting, 0, -1) if not held[at] and boundary(text, at))
    whole = (at for at in range(fitting, 0, -1) if boundary(text, at))
    return _best(outside, fitting) or next(free, 0) or _best(inside, fitting) or next(whole, fitting)


def _held(runs: Sequence[Run], length: int) -> list[bool]:
    """For each place of the text whether an entity goes on over it, so that a cut there would cut the entity."""
    held: list[bool] = [False]
    for run, following in pairwise((*runs, Run(""))):
        held.extend([bool(run.style)] * (len(run.text) - 1))
        held.append(shared(run.style, following.style) > 0)
        if len(held) > length:
            break
    return held


def _ends(text: str, fitting: int) -> Iterator[_End]:
    for found in _ENDS.finditer(text):
        at, following = found.span()
        if at > fitting:
            return
        if at and boundary(text, at) and boundary(text, following):
            yield _End(str(found.lastgroup), at, following)


def _best(ends: Sequence[_End], fitting: int) -> int:
    """The last end of the best kind in the last three quarters, else the last of all; 0 if there is none."""
    late = [end for end in ends if end.at >= fitting // 4]
    for kind in _KINDS:
        if of_kind := [end.at for end in late if end.kind == kind]:
            return of_kind[-1]
    return ends[-1].at if ends else 0


def _parted(runs: Sequence[Run], at: int) -> tuple[list[Run], list[Run]]:
    head: list[Run] = []
    for number, run in enumerate(runs):
        if at < len(run.text):
            return merged([*head, Run(run.text[:at], run.style)]), [
                Run(run.text[at:], run.style),
                *runs[number + 1 :],
            ]
        head.append(run)
        at -= len(run.text)
    return head, []


def _trimmed(runs: Sequence[Run]) -> list[Run]:
    """Without white space at both ends, as Telegram shows it; the indentation of code stays."""
    first, last = 0, len(runs)
    while last > first and not runs[last - 1].text.rstrip():
        last -= 1
    while first < last and not _started(runs[first]):
        first += 1
    kept = list(runs[first:last])
    if kept:
        kept[0] = Run(_started(kept[0]), kept[0].style)
        kept[-1] = Run(kept[-1].text.rstrip(), kept[-1].style)
    return kept


def _started(run: Run) -> str:
    code = any(tag.name == "pre" for tag in run.style)
    return run.text.lstrip("\n") if code else run.text.lstrip()
