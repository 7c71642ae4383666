"""Plain text: a line a turn, beginning with who speaks and, where known, when. Lines that name nobody go on with the turn before."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from connectors.calls.draft import Draft, Heard
from connectors.calls.formats.labels import Labelled, Name, all_labelled, voices
from connectors.calls.formats.stamps import Stamp, placed_in_time, stamp_of
from connectors.calls.naming import may_be_a_name
from connectors.calls.speakers import speaker_of
from connectors.calls.transcript import TranscriptRefused

ALLOWED = "lines must begin with who speaks, like `Agent: …` or `[00:01:23] 客户：…`"

_ANYBODY = re.compile(r"(?:speaker|spk|voice|channel)[ _-]?\w{1,3}$|(?:说话人|发言人)\w{0,3}$", re.IGNORECASE)
_MOST_TITLE_LINES = 10
_FEWEST_TIME_LINES = 2

Numbered = tuple[int, Labelled]


def looks_labelled(text: str) -> bool:
    """Whether one of the first lines names a speaker, a fifth of all lines do, and those that do look like talk: any text has a colon somewhere."""
    lines = all_labelled(line for line in text.splitlines() if line.strip())
    headers = sum(line.kind == "header" for line in lines)
    found = [_may_name(line, headers > 1) for line in lines if line.kind != "time"]
    if not found or not any(found[:3]) or sum(found) * 5 < len(found):
        return False
    indented = any(line[:1].isspace() for line in text.splitlines() if line.strip())
    return any(line.kind in ("bracket", "header") for line in lines) or _is_talk(
        [line for line in lines if line.kind == "colon"], indented
    )


def _is_talk(lines: Sequence[Labelled], indented: bool) -> bool:
    """Not a list (`milk: 2`), a configuration (`name: web`) or a letter's head (`From: …`): a label names a side, or stands beside a time, or
    most of them are names, of which there are two or one speaks again. Names in small letters are keys where lines are indented.
    """
    if any(speaker_of(line.label) is not None or line.time is not None for line in lines):
        return True
    counts = Counter(line.label for line in lines)
    people = {label for label in counts if may_be_a_name(label) or _ANYBODY.match(label)}
    if not people and not indented and len(counts) < len(lines):
        people = {label for label in counts if may_be_a_name(label, small=True)}
    named = sum(counts[label] for label in people)
    return named * 2 > len(lines) and (len(people) > 1 or named > 1)


def _may_name(line: Labelled, again: bool) -> bool:
    """What is beside a time or in brackets only by its words, or a name beside a time `again`."""
    if line.kind in ("bracket", "header"):
        named = line.kind == "header" and again and may_be_a_name(line.label)
        return named or speaker_of(line.label) is not None
    return line.kind == "colon"


def read(text: str, told: Collection[str] = ()) -> Draft:
    """A few lines before the first that names a speaker are a title. Raises `TranscriptRefused` where no line names one, or too late, and
    for a time that is none; each with its line."""
    written = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    read_lines = all_labelled(line for _, line in written)
    lines = [(number, line) for (number, _), line in zip(written, read_lines, strict=True)]
    names = voices(read_lines, told)
    if not names:
        raise TranscriptRefused(f"no line names a speaker; {ALLOWED}")
    title = next(place for place, line in enumerate(read_lines) if line.name in names)
    _is_title(lines[:title], lines[title])
    spoken = list(_turns(lines, title, names))
    times = placed_in_time([stamp for _, stamp in spoken])
    return Draft("text", [_timed(heard, time) for (heard, _), time in zip(spoken, times, strict=True)])


def _is_title(lines: Sequence[Numbered], first: Numbered) -> None:
    """Nothing that was said may be lost with what stands above a call; a title may have a date."""
    if len(lines) > _MOST_TITLE_LINES:
        raise TranscriptRefused(
            f"line {lines[0][0]}: {len(lines)} lines before the first that names a speaker; {ALLOWED}"
        )
    for number, line in lines:
        if (
            line.kind != "time"
            and line.leads
            and (line.framed or line.label or (first[1].leads and not line.dated))
        ):
            raise TranscriptRefused(
                f"line {number}: a time and nobody known who speaks, before line {first[0]} names the first; {ALLOWED}"
            )


def _turns(
    lines: Sequence[Numbered], title: int, names: Collection[Name]
) -> Iterator[tuple[Heard, Stamp | None]]:
    """Each turn, and when it was said. A time on a line of its own is that of the next words; in its place a voice begins anew."""
    alone = _times_stand_alone([line for _, line in lines], names)
    framed = any(line.framed and line.name in names for _, line in lines)
    turn: tuple[Heard, Stamp | None] | None = None
    said: list[str] = []
    waiting: Stamp | None = None
    for place, (number, line) in enumerate(lines):
        at = f"line {number}"
        if alone and line.kind == "time":
            waiting = stamp_of(line.time or "", at)
            continue
        if place < title:
            continue
        named = line.name in names
        again = not named and turn is not None and (waiting is not None or (framed and line.framed))
        if not named and not again:
            said.append(line.whole)
            continue
        if turn is not None:
            yield _closed(turn, said)
        own = line.time if named or line.framed else None
        voice = line.label if named or turn is None else turn[0].voice
        turn = Heard(voice, "", at=at), stamp_of(own, at) if own is not None else waiting
        said, waiting = [line.text if named or own is not None else line.whole], None
    if turn is not None:
        yield _closed(turn, said)


def _times_stand_alone(lines: Sequence[Labelled], names: Collection[Name]) -> bool:
    """Where speakers have their times beside them, a time alone on its line was said."""
    if any(line.time is not None and line.name in names for line in lines):
        return False
    times = sum(line.kind == "time" for line in lines)
    return times >= _FEWEST_TIME_LINES or (times > 0 and lines[0].kind == "time")


def _closed(turn: tuple[Heard, Stamp | None], said: list[str]) -> tuple[Heard, Stamp | None]:
    """With all that was said in it."""
    return replace(turn[0], text="\n".join(said).strip()), turn[1]


def _timed(heard: Heard, time: int | datetime | None) -> Heard:
    if isinstance(time, datetime):
        return replace(heard, start_at=time)
    return replace(heard, start_ms=time)
