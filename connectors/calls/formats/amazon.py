"""Amazon's three forms: Transcribe Call Analytics with Contact Lens' finished analyses, Contact Lens' segments, plain Transcribe."""

from collections.abc import Iterable, Iterator
from typing import Any

from connectors.calls.draft import Draft, Heard, Voice
from connectors.calls.fields import (
    Object,
    confidence_of,
    label_at,
    language_of,
    mean,
    milliseconds,
    moment,
    object_at,
    objects,
    placed,
    text_at,
)
from connectors.calls.transcript import TranscriptRefused
from connectors.calls.words import Word, turns

_CHANNEL_PAUSE_MS = 800  # channels overlap, so a channel's turns end at its own shorter pauses


def call_analytics(document: Object) -> Draft:
    """`Transcript[]` of turns with `ParticipantRole` (or `ParticipantId`) and offsets in milliseconds."""
    heard = [_analysed(entry, at) for at, entry in objects(document.get("Transcript"), "Transcript")]
    metadata = object_at(document.get("ContentMetadata"), "ContentMetadata")
    contact = object_at(document.get("CustomerMetadata"), "CustomerMetadata")
    return Draft(
        form="amazon_call_analytics",
        heard=heard,
        call_id=text_at(contact, "ContactId", "CustomerMetadata") or text_at(document, "JobName", ""),
        language=language_of(document.get("LanguageCode")),
        redacted=metadata.get("Output") == "Redacted",
        voices=dict(_participants(document)),
    )


def _participants(document: Object) -> Iterator[tuple[str, Voice]]:
    """Those that have an id; a system that never speaks is no party."""
    spoken = {_voice(entry, at) for at, entry in objects(document.get("Transcript"), "Transcript")}
    for at, entry in objects(document.get("Participants"), "Participants"):
        if (label := _voice(entry, at)) in spoken:
            yield (
                label,
                Voice(
                    role=text_at(entry, "ParticipantRole", at), name=text_at(entry, "DisplayName", at) or None
                ),
            )


def _voice(entry: Object, at: str) -> str:
    return label_at(entry, "ParticipantId", at) or label_at(entry, "ParticipantRole", at)


def _analysed(entry: Object, at: str) -> Heard:
    items = objects(entry.get("Items"), placed(at, "Items"))
    return Heard(
        voice=_voice(entry, at),
        text=text_at(entry, "Content", at),
        start_ms=milliseconds(entry.get("BeginOffsetMillis"), placed(at, "BeginOffsetMillis")),
        end_ms=milliseconds(entry.get("EndOffsetMillis"), placed(at, "EndOffsetMillis")),
        confidence=mean(
            [confidence_of(item.get("Confidence"), placed(where, "Confidence")) for where, item in items]
        ),
        at=at,
        start_at=moment(_absolute(entry, at), placed(at, "Time.AbsoluteTime")),
    )


def _absolute(entry: Object, at: str) -> Any:
    """Chats and newer segments have a clock's time, in one of two places."""
    return entry.get("AbsoluteTime") or object_at(entry.get("Time"), placed(at, "Time")).get("AbsoluteTime")


def connect(document: Any) -> Draft:
    """Contact Lens' segments: one answer with `Segments[]`, or the events of a contact's stream in a list.

    `Utterance` segments are partial and skipped; a later `Transcript` with the same id takes the earlier one's place.
    """
    pages = [("", document)] if isinstance(document, dict) else list(objects(document, "events"))
    latest: dict[str, Heard] = {}
    voices: dict[str, Voice] = {}
    redacted = False
    for page_at, page in pages:
        for at, segment in objects(page.get("Segments"), placed(page_at, "Segments")):
            where = placed(at, "Transcript")
            if entry := object_at(segment.get("Transcript"), where):
                latest[label_at(entry, "Id", where) or where] = _analysed(entry, where)
                voices[_voice(entry, where)] = Voice(role=text_at(entry, "ParticipantRole", where))
                redacted = redacted or "Redaction" in entry
    first = pages[0][1] if pages else {}
    return Draft(
        form="amazon_connect",
        heard=list(latest.values()),
        call_id=text_at(first, "ContactId", pages[0][0] if pages else ""),
        language=language_of(first.get("LanguageCode")),
        redacted=redacted,
        voices=voices,
    )


def transcribe(document: Object) -> Draft:
    """Plain Transcribe: `results.audio_segments`, or `results.items` with speaker or channel labels."""
    results = object_at(document.get("results"), "results")
    heard = list(_audio_segments(results)) or list(_items(results))
    if not heard:
        heard = [
            Heard(voice="", text=text_at(each, "transcript", at), at=at)
            for at, each in objects(results.get("transcripts"), "results.transcripts")
        ]
    return Draft(
        form="amazon_transcribe",
        heard=heard,
        call_id=text_at(document, "jobName", ""),
        language=language_of(results.get("language_code")),
        redacted=document.get("isRedacted") is True,
    )


def _audio_segments(results: Object) -> Iterator[Heard]:
    for at, segment in objects(results.get("audio_segments"), "results.audio_segments"):
        voice = label_at(segment, "speaker_label", at) or label_at(segment, "channel_label", at)
        yield Heard(voice, text_at(segment, "transcript", at), *_seconds(segment, at), at=at)


def _items(results: Object) -> Iterator[Heard]:
    """By channels, each on its own since they overlap; else in order, by who the diarisation says spoke at an item's start."""
    channels = object_at(results.get("channel_labels"), "results.channel_labels")
    for at, channel in objects(channels.get("channels"), "results.channel_labels.channels"):
        label = label_at(channel, "channel_label", at)
        items = objects(channel.get("items"), placed(at, "items"))
        yield from turns(_words(items, {}, label), _CHANNEL_PAUSE_MS)
    if not channels:
        labels = _labels_by_start(results)
        yield from turns(_words(objects(results.get("items"), "results.items"), labels, ""))


def _labels_by_start(results: Object) -> dict[str, str]:
    """Older results name the speakers apart from the items: the label by an item's `start_time`, as it is written."""
    labels: dict[str, str] = {}
    diarised = object_at(results.get("speaker_labels"), "results.speaker_labels")
    for at, segment in objects(diarised.get("segments"), "results.speaker_labels.segments"):
        for where, item in objects(segment.get("items"), placed(at, "items")):
            label = label_at(item, "speaker_label", where) or label_at(segment, "speaker_label", at)
            labels[str(item.get("start_time"))] = label
    return labels


def _words(items: Iterable[tuple[str, Object]], labels: dict[str, str], voice: str) -> Iterator[Word]:
    """Punctuation has no time and belongs to the word before it."""
    last = voice
    for at, item in items:
        start, end = _seconds(item, at)
        said = label_at(item, "speaker_label", at) or labels.get(str(item.get("start_time")), "")
        last = voice or said or last
        best = next(objects(item.get("alternatives"), placed(at, "alternatives")), None)
        if best is None:
            raise TranscriptRefused(f"{placed(at, 'alternatives')} must hold at least one object")
        where, alternative = best
        # punctuation is always given a confidence of 0
        sure = (
            None
            if start is None
            else confidence_of(alternative.get("confidence"), placed(where, "confidence"))
        )
        yield Word(last, text_at(alternative, "content", where), start, end, sure, at)


def _seconds(holder: Object, at: str) -> tuple[int | None, int | None]:
    start = milliseconds(holder.get("start_time"), placed(at, "start_time"), 1_000)
    return start, milliseconds(holder.get("end_time"), placed(at, "end_time"), 1_000)
