"""From a reader's draft to the common form: limits, order, sides, noise. The only place that makes a `Transcript`."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from connectors.calls.draft import Draft, Heard, Voice
from connectors.calls.noise import normalise
from connectors.calls.speakers import assign
from connectors.calls.splitting import split
from connectors.calls.timeline import on_timeline
from connectors.calls.transcript import (
    MOST_EVENTS,
    MOST_ID_CHARS,
    MOST_MS,
    MOST_PARTIES,
    MOST_TURNS,
    CallEvent,
    Party,
    Speaker,
    Transcript,
    TranscriptRefused,
    Turn,
)

UNNAMED = "unnamed"  # the label of whoever spoke where the source does not say who
FIRST_YEAR, LAST_YEAR = 1900, 2200
_LONGEST_LABEL = 200


def assemble(draft: Draft, speakers: Mapping[str, Speaker] | None = None) -> Transcript:
    """Raises `TranscriptRefused` for a draft that says nothing, or more than is allowed."""
    started_at, timed = on_timeline(draft.heard, draft.started_at)
    _on_the_calendar(started_at)
    heard = [] if draft.wordless else _limited(timed)
    voices = _voices(draft.voices, heard)
    sides = assign(voices, heard, speakers) if heard else _of_nobody(voices, speakers)
    turns = tuple(_turns(heard, {label: number for number, label in enumerate(voices)}, sides))
    _within_a_call("start_ms", [turn.start_ms for turn in turns])
    _within_a_call("end_ms", [turn.end_ms for turn in turns])
    _within_a_call("at_ms", [event.at_ms for event in draft.events])
    return Transcript(
        call_id=_call_id(draft),
        started_at=started_at,
        parties=tuple(_party(label, voice, sides[label]) for label, voice in voices.items()),
        turns=tuple(sorted(turns, key=lambda turn: turn.start_ms)),
        events=tuple(_events(draft)),
        source=draft.form,
        language=draft.language,
        redacted=draft.redacted,
        timed=any(turn.end_ms > 0 for turn in turns),
        signature=draft.signature,
        notes=draft.notes,
        redacted_of=draft.redacted_of,
        amended_of=draft.amended_of,
    )


def _of_nobody(voices: Mapping[str, Voice], speakers: Mapping[str, Speaker] | None) -> dict[str, Speaker]:
    """Where nobody spoke, each by what is said of them alone: whoever nothing is said of called, and nobody answered."""
    return {label: assign({label: voice}, (), speakers)[label] for label, voice in voices.items()}


def _on_the_calendar(started_at: datetime | None) -> None:
    """Far enough from both its ends for every time of the call, in every zone."""
    if started_at is not None and not FIRST_YEAR <= started_at.year <= LAST_YEAR:
        raise TranscriptRefused(
            f"started_at: the year {started_at.year}; allowed: {FIRST_YEAR} to {LAST_YEAR}"
        )


def _within_a_call(field: str, times: Sequence[int]) -> None:
    for time in times:
        if not 0 <= time <= MOST_MS:
            raise TranscriptRefused(f"{field}: {time}; allowed: 0 to {MOST_MS}, a century")


def _limited(turns: Sequence[Heard]) -> list[Heard]:
    heard: list[Heard] = []
    for turn in turns:
        if turn.text.strip():
            heard.extend(split(turn))
        if len(heard) > MOST_TURNS:
            raise TranscriptRefused(
                f"{turn.at or 'the call'}: more than {MOST_TURNS:,} turns; that many are allowed"
            )
    if not heard:
        raise TranscriptRefused("no turn with a text was found; a transcript has at least one")
    return heard


def _voices(known: Mapping[str, Voice], heard: Sequence[Heard]) -> dict[str, Voice]:
    voices = dict(known)
    for turn in heard:
        if turn.voice not in voices:
            voices[turn.voice] = Voice()
        if len(voices) > MOST_PARTIES:
            raise TranscriptRefused(f"more than {MOST_PARTIES} parties; that many are allowed")
    return voices


def _turns(
    heard: Sequence[Heard], parties: Mapping[str, int], sides: Mapping[str, Speaker]
) -> Iterator[Turn]:
    before = 0
    for turn in heard:
        start = before if turn.start_ms is None else turn.start_ms
        end = start if turn.end_ms is None else max(start, turn.end_ms)
        yield Turn(
            party=parties[turn.voice],
            speaker=sides[turn.voice],
            text=normalise(turn.text),
            original=_writable(turn.text.strip()),
            start_ms=start,
            end_ms=end,
            confidence=turn.confidence,
        )
        before = start


def _events(draft: Draft) -> list[CallEvent]:
    if len(draft.events) > MOST_EVENTS:
        raise TranscriptRefused(
            f"party_history: {len(draft.events):,} events of one call; allowed are {MOST_EVENTS:,}"
        )
    events = (replace(event, detail=_writable(event.detail)) for event in draft.events)
    return sorted(events, key=lambda event: event.at_ms)


def _party(label: str, voice: Voice, side: Speaker) -> Party:
    return Party(
        label=_writable(label[:_LONGEST_LABEL]) or UNNAMED,
        speaker=side,
        name=_writable(voice.name),
        tel=_writable(voice.tel),
        mailto=_writable(voice.mailto),
    )


T = TypeVar("T", str, str | None)


def _writable(text: T) -> T:
    """No store takes a NUL, and it is no part of what was said."""
    return None if text is None else text.replace("\x00", "\ufffd")


def _call_id(draft: Draft) -> str:
    """The source's id; a hash of one that is too long or cannot be written; else one of what was said, so that the same call is the same
    call again."""
    given = (draft.call_id or "").strip()
    if given and len(given) <= MOST_ID_CHARS and given.isprintable():
        return given
    digest = hashlib.sha256()
    for part in [given] if given else _told(draft):
        digest.update(f"{part}\x1e".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


def _told(draft: Draft) -> Iterator[str]:
    for turn in draft.heard:
        yield f"{turn.voice}\x1f{turn.text}\x1f{turn.start_ms}\x1f{turn.start_at}"
    if draft.wordless:
        yield f"{draft.started_at}"
        yield from (
            f"{label}\x1f{each.name}\x1f{each.tel}\x1f{each.mailto}" for label, each in draft.voices.items()
        )
