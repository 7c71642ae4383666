"""Lines that begin with who speaks: `Agent: …`, `[00:01:23] 客户：…`, `[Agent] …`, or `Agent 0:05` on a line above what was said."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from connectors.calls.formats.stamps import WRITTEN
from connectors.calls.naming import is_datum, is_mark, may_be_a_name
from connectors.calls.speakers import speaker_of

Kind = Literal["", "time", "colon", "bracket", "header"]
Name = tuple[Kind, str]
"""A label, and how it is written."""

_OPEN, _CLOSE = r"[\[(（【]", r"[\])）】]"
_BULLET = re.compile(r"(?:>{1,3}\s?|[-–—•]\s|\d{1,5}[.)]\s)\s*")
_LEAD = re.compile(
    rf"(?:{_OPEN}\s?(?P<framed>{WRITTEN})\s?{_CLOSE}|(?P<free>{WRITTEN})(?=[\s|]|$))\s*+(?:[-–—|]\s*)?"
)
_LABEL = r"[*_]{0,2}(?P<label>[^\W_][^:：\n\[\](){}<>（）【】,，;；。！？!?\"“”/*]{0,39}?)[*_]{0,2}"
_NOTE = r"(?:[(（][^()（）\n]{1,40}[)）]\s?)?"
_TIME = rf"{_OPEN}?\s?{WRITTEN}\s?{_CLOSE}?"
_COLON = re.compile(
    rf"{_LABEL}\s?(?:(?P<before>{_TIME})\s?)?{_NOTE}(?:(?P<after>{_TIME})\s?)?[:：](?!//)[*_]{{0,2}}\s*(?P<text>.*)"
)
_BRACKET = re.compile(
    rf"{_OPEN}\s?{_LABEL}\s?{_CLOSE}\s?(?P<before>{_TIME})?(?P<colon>\s?[:：])?\s*(?P<text>.*)"
)
_HEADER = re.compile(rf"{_LABEL}(?:\s|\s?[,|])\s?{_NOTE}(?P<before>{_TIME})(?:\s++(?![:：])(?P<text>.*))?")
_ALONE = re.compile(rf"{_LABEL}\s?{_NOTE}")
_MOST_WORDS = 4  # of a speaker's label: what is longer is a sentence with a colon


@dataclass(frozen=True, slots=True)
class Labelled:
    """A line with a label that may name a speaker, "" where there is none. `text` is what follows it, `whole` the line as it stands.

    `kind` tells how the label is written: before a colon, in brackets, or beside a time (`header`); a line that is nothing but a time is
    a `time`. `time` is written as it stands; `leads` tells that it stands at the line's beginning, `framed` that it does in brackets.
    """

    label: str
    text: str
    whole: str
    kind: Kind = ""
    time: str | None = None
    leads: bool = False
    framed: bool = False

    @property
    def name(self) -> Name:
        return self.kind, self.label

    @property
    def dated(self) -> bool:
        return self.time is not None and self.time[:4].isdigit()


def labelled(line: str, *, headers: bool = False) -> Labelled:
    """`headers` tells that a label needs no colon beside a time."""
    whole = line.strip()
    rest = _without_bullet(whole)
    lead = _LEAD.match(rest)
    time = (lead["framed"] or lead["free"]) if lead else None
    framed = lead is not None and lead["framed"] is not None
    rest = _without_bullet(rest[lead.end() :]) if lead else rest
    if lead and not rest:
        return Labelled("", "", whole, "time", time, True, framed)
    kind, found = _found(rest, lead is not None, headers)
    if found is None or not _is_label(found["label"]):
        return Labelled("", rest, whole, "", time, lead is not None, framed)
    parts = found.groupdict()
    beside = time or parts.get("before") or parts.get("after")
    text = (parts.get("text") or "").strip()
    return Labelled(found["label"].strip(), text, whole, kind, _bare(beside), lead is not None, framed)


def _without_bullet(text: str) -> str:
    bullet = _BULLET.match(text)
    return text[bullet.end() :] if bullet else text


def _found(rest: str, timed: bool, headers: bool) -> tuple[Kind, re.Match[str] | None]:
    if found := _BRACKET.fullmatch(rest):
        return "colon" if found["colon"] else "bracket", found
    if headers and (found := _HEADER.fullmatch(rest)):
        return "header", found
    if found := _COLON.fullmatch(rest):
        return "colon", found
    return "header", _ALONE.fullmatch(rest) if headers and timed else None


def _bare(time: str | None) -> str | None:
    return None if time is None else time.strip("[]()（）【】 ")


def _is_label(label: str) -> bool:
    return len(label.split()) <= _MOST_WORDS and any(each.isalpha() for each in label)


def all_labelled(lines: Iterable[str]) -> list[Labelled]:
    """A text's lines. Whether labels without a colon stand beside times, most of its labels tell; else the first does."""
    texts = list(lines)
    read = [labelled(line, headers=True) for line in texts]
    kinds = [line.kind for line in read if line.kind in ("colon", "header")]
    more = kinds.count("header") - kinds.count("colon")
    if more > 0 or (more == 0 and kinds[:1] == ["header"]):
        return read
    pairs = zip(read, texts, strict=True)
    return [labelled(text) if line.kind == "header" else line for line, text in pairs]


def voices(lines: Sequence[Labelled], told: Collection[str] = ()) -> set[Name]:
    """Which labels name speakers.

    Those that `told` (folded) names and those whose words name a side (`Agent`, `客户`). Beside them, of those that are written alike:
    what stands twice, what stands behind a time as they do, and names where nobody of the other side is named. All of them where none
    names a side, as in `Alice: … Bob: …`. What remains is a sentence with a colon (`Account number: …`).
    """
    counts = Counter(line.name for line in lines if line.label)
    known = {name for name in counts if name[1].casefold() in told or speaker_of(name[1]) is not None}
    if not known:
        return _of_no_side(counts)
    alike = {kind for kind, _ in known}
    timed = {line.name for line in lines if line.label and line.leads}
    one_side = len({speaker_of(label) for _, label in known}) == 1
    small = one_side and all(label.islower() for _, label in known)
    behind_times = timed if known & timed else set()
    return known | {
        name
        for name, count in counts.items()
        if name[0] in alike
        and not (name[0] == "bracket" and is_mark(name[1]))
        and (
            count > 1
            or (name in behind_times and not is_datum(name[1]))
            or (one_side and may_be_a_name(name[1], small))
        )
    }


def _of_no_side(counts: Counter[Name]) -> set[Name]:
    """Of labels that name no side: those of the plainest kind that there is."""
    of_kind = {kind: [name for name in counts if name[0] == kind] for kind in ("colon", "header", "bracket")}
    colon = {name for name in of_kind["colon"] if counts[name] > 1 or name[1][0].isalpha()}
    header = {name for name in of_kind["header"] if counts[name] > 1 or may_be_a_name(name[1])}
    bracket = {name for name in of_kind["bracket"] if counts[name] > 1 and not is_mark(name[1])}
    return (header or colon) if len(header) > len(colon) else colon or header or bracket
