"""A finished call as the log takes it: one event, or several where it is longer than a record. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from heapq import merge

from connectors.calls.transcript import CallEvent, Party, Prior, Transcript
from schemas.call_events import CallProgressed, TranscriptImported, TranscriptTurn
from schemas.parts import CallOrigin, PriorVcon, SignatureChecked

MOST_PART_BYTES = 500_000
"""Of one part's texts, sealed, and its events. With what stands around them, the event that the call worker makes of it is below a record's 1 MB."""
MOST_PART_ITEMS = 200
"""Turns and events of one part: between two parts whoever talks just now has a turn at the dialogue worker."""
AROUND_TEXT = 320
"""Bytes that a turn has besides its texts, in the larger of both events."""
MOST_NAME = 80
MOST_DETAIL = 200
MOST_SIGNER = 400
UNNAMED = "unknown"

Item = TranscriptTurn | CallProgressed


def parts_of(
    transcript: Transcript, turns: Sequence[TranscriptTurn], language: str | None, grown: int = 0
) -> list[TranscriptImported]:
    """`turns` are the transcript's, masked; of one that has grown, those that are new. At least one part; what happened stands before what was said
    at the same time.
    """
    events = (progressed(transcript, each) for each in sorted(transcript.events, key=lambda each: each.at_ms))
    groups = list(_groups(merge(events, turns, key=_order))) or [[]]
    agent, origin = agent_of(transcript), origin_of(transcript)
    return [
        TranscriptImported(
            call_id=transcript.call_id,
            source=transcript.source,
            turns=tuple(each for each in group if isinstance(each, TranscriptTurn)),
            part=number,
            parts=len(groups),
            started_at=transcript.started_at,
            language=language,
            human_agent_id=id_of(agent),
            human_agent_name=name_of(agent),
            events=tuple(each for each in group if isinstance(each, CallProgressed)),
            origin=origin,
            grown=grown,
        )
        for number, group in enumerate(groups, 1)
    ]


def origin_of(transcript: Transcript) -> CallOrigin | None:
    """What the file tells of itself; None where that is nothing."""
    signed = transcript.signature
    found = CallOrigin(
        redacted=transcript.redacted,
        redacted_of=_prior(transcript.redacted_of),
        amended_of=_prior(transcript.amended_of),
        signature=None
        if signed is None
        else SignatureChecked(verified=signed.verified, signer=signed.signer[:MOST_SIGNER]),
    )
    return None if found == CallOrigin() else found


def _prior(prior: Prior | None) -> PriorVcon | None:
    return None if prior is None else PriorVcon.model_validate(asdict(prior))


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


def _order(item: Item) -> int:
    return item.at_ms if isinstance(item, CallProgressed) else item.start_ms


def _groups(items: Iterable[Item]) -> Iterator[list[Item]]:
    group: list[Item] = []
    size = 0
    for item in items:
        bytes_ = _bytes(item)
        if group and (len(group) == MOST_PART_ITEMS or size + bytes_ > MOST_PART_BYTES):
            yield group
            group, size = [], 0
        group.append(item)
        size += bytes_
    if group:
        yield group


def _bytes(item: Item) -> int:
    if isinstance(item, CallProgressed):
        return len(item.model_dump_json().encode())
    return AROUND_TEXT + _sealed(item.text) + _sealed(item.original or "")


def _sealed(text: str) -> int:
    """Bytes of a text once it is sealed: its UTF-8, a tag of 16, in Base64."""
    return 4 * (len(text.encode()) + 18) // 3


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
