"""A finished call as the log takes it: one event, or several where it is longer than a record. Pure."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from connectors.calls.transcript import CallEvent, Party, Transcript
from schemas.call_events import CallProgressed, TranscriptImported, TranscriptTurn

MOST_PART_BYTES = 500_000
"""Of the texts of one part, sealed. With what stands around them, the event that the call worker makes of it is below a record's 1 MB."""
AROUND_TEXT = 320
"""Bytes that a turn has besides its texts, in the larger of both events."""
MOST_NAME = 80
MOST_DETAIL = 200
UNNAMED = "unknown"


def parts_of(
    transcript: Transcript, turns: Sequence[TranscriptTurn], language: str | None
) -> list[TranscriptImported]:
    """`turns` are the transcript's, masked. At least one part, each with the events of its time."""
    groups = list(_groups(turns))
    begins = [group[0].start_ms for group in groups]
    agent = agent_of(transcript)
    events = sorted(transcript.events, key=lambda each: each.at_ms)
    made = []
    for number, (group, (since, until)) in enumerate(zip(groups or [[]], _spans(begins), strict=True), 1):
        made.append(
            TranscriptImported(
                call_id=transcript.call_id,
                source=transcript.source,
                turns=tuple(group),
                part=number,
                parts=max(1, len(groups)),
                started_at=transcript.started_at,
                language=language,
                human_agent_id=id_of(agent),
                human_agent_name=name_of(agent),
                events=tuple(progressed(transcript, each) for each in events if since <= each.at_ms < until),
                redacted=transcript.redacted,
            )
        )
    return made


def agent_of(transcript: Transcript) -> Party | None:
    """The first human agent to speak, else the first there is."""
    speaking = (transcript.parties[turn.party] for turn in transcript.turns if turn.speaker == "human_agent")
    there = (party for party in transcript.parties if party.speaker == "human_agent")
    return next(speaking, None) or next(there, None)


def id_of(party: Party | None) -> str:
    """What the source knows somebody by."""
    return ((party.mailto or party.name or party.label) if party is not None else "")[:128] or UNNAMED


def name_of(party: Party | None) -> str:
    return ((party.name or party.label) if party is not None else "")[:MOST_NAME] or UNNAMED


def _groups(turns: Sequence[TranscriptTurn]) -> Iterator[list[TranscriptTurn]]:
    group: list[TranscriptTurn] = []
    size = 0
    for turn in turns:
        bytes_ = AROUND_TEXT + _sealed(turn.text) + _sealed(turn.original or "")
        if group and size + bytes_ > MOST_PART_BYTES:
            yield group
            group, size = [], 0
        group.append(turn)
        size += bytes_
    if group:
        yield group


def _sealed(text: str) -> int:
    """Bytes of a text once it is sealed: its UTF-8, a tag of 16, in Base64."""
    return 4 * (len(text.encode()) + 18) // 3


def _spans(begins: Sequence[int]) -> Iterator[tuple[float, float]]:
    """For each part, from when to when its events are; the first also has what came before, the last what came after."""
    edges = [float("-inf"), *map(float, begins[1:]), float("inf")]
    yield from pairwise(edges)


def progressed(transcript: Transcript, event: CallEvent) -> CallProgressed:
    """Who a call was transferred to goes on with it, where that is one of the bank's."""
    by = transcript.parties[event.party] if event.party is not None else None
    target = next((transcript.parties[each] for each in event.to), None) if event.kind == "transfer" else None
    return CallProgressed(
        kind=event.kind,
        at_ms=event.at_ms,
        by=by.speaker if by is not None else None,
        human_agent_id=id_of(target) if event.kind == "transfer" else None,
        human_agent_name=name_of(target) if event.kind == "transfer" else None,
        detail=event.detail[:MOST_DETAIL],
    )
