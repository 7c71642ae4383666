"""WebVTT: cues with voice tags (`<v Speaker>`), or with the speaker before the text, as meeting tools write them."""

import re
from collections.abc import Collection, Iterator

from connectors.calls.decoding import unescaped
from connectors.calls.draft import Draft, Heard
from connectors.calls.fields import language_of
from connectors.calls.formats.cues import Cue, as_turns, cues
from connectors.calls.formats.labels import Name, labelled, voices
from connectors.calls.speakers import speaker_of
from connectors.calls.transcript import TranscriptRefused

HEADER = re.compile(r"WEBVTT(?:[ \t].*)?", re.ASCII)
_VOICE = re.compile(r"<v(?:\.[^\s<>.]{0,100}){0,20}(?:[ \t\n]([^<>]{0,200}))?>")
#: WebVTT's own tags and times within a cue; a mark of noise (`<noise>`) is none of them.
_TAG = re.compile(r"</?(?:c|i|b|u|ruby|rt|lang|v)(?:[.\s][^<>]{0,200})?>|<(?:\d{2,}:)?\d{2}:\d{2}\.\d{3}>")
_LANGUAGE = re.compile(r"Language:\s*(\S+)", re.IGNORECASE)


def read(text: str, told: Collection[str] = ()) -> Draft:
    """Raises `TranscriptRefused` with the line."""
    lines = text.splitlines()
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if not lines or HEADER.fullmatch(lines[first]) is None:
        raise TranscriptRefused(f"line {first + 1}: WebVTT begins with WEBVTT on a line of its own")
    found = [heard for cue in cues(lines, webvtt=True) for heard in _spoken(cue)]
    return Draft("webvtt", list(as_turns(prefixed(found, told))), language=_language(lines[first:]))


def _language(lines: list[str]) -> str | None:
    """The header's `Language:`, which some tools write; the header ends at the first empty line."""
    for line in lines:
        if not line.strip():
            return None
        if found := _LANGUAGE.fullmatch(line.strip()):
            return language_of(found[1])
    return None


def _spoken(cue: Cue) -> Iterator[Heard]:
    """The cue's parts by voice tags: several may speak in one cue."""
    pieces = _VOICE.split(cue.text)
    for voice, text in zip(("", *pieces[1::2]), pieces[0::2], strict=True):
        plain = unescaped(_TAG.sub("", text)).strip()
        if plain:
            yield Heard(
                unescaped(voice or "").strip(), plain, cue.start_ms, cue.end_ms, at=f"line {cue.line}"
            )


def prefixed(heard: list[Heard], told: Collection[str]) -> Iterator[Heard]:
    """Who speaks from the beginnings of lines, in cues that have no voice tag."""
    lines = [labelled(line) for turn in heard if not turn.voice for line in turn.text.split("\n")]
    names = voices(lines, told)
    # one colon in a whole file is more likely a sentence's
    if len(heard) > 1 and sum(bool(line.label) for line in lines) == 1:
        names = {name for name in names if name[1].casefold() in told or speaker_of(name[1]) is not None}
    for turn in heard:
        yield from [turn] if turn.voice else _by_lines(turn, names)


def _by_lines(turn: Heard, names: set[Name]) -> Iterator[Heard]:
    voice, said = "", list[str]()
    for line in turn.text.split("\n"):
        found = labelled(line)
        if found.name in names:
            if said:
                yield _part(turn, voice, said)
            voice, said = found.label, [found.text]
        else:
            said.append(line)
    yield _part(turn, voice, said)


def _part(turn: Heard, voice: str, said: list[str]) -> Heard:
    return Heard(voice, "\n".join(said).strip(), turn.start_ms, turn.end_ms, at=turn.at)
