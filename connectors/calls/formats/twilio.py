"""Twilio's Conversational (Voice) Intelligence: `sentences[]` by channel, as its API answers."""

from connectors.calls.draft import Draft, Heard, Voice
from connectors.calls.fields import (
    Object,
    confidence_of,
    label_at,
    language_of,
    milliseconds,
    object_at,
    objects,
    placed,
    text_at,
)


def sentences(document: Object) -> Draft:
    """The sentences alone, or with the transcript's own fields beside them (`sid`, `language_code`, `channel.participants`)."""
    heard = [_sentence(each, at) for at, each in objects(document.get("sentences"), "sentences")]
    return Draft(
        form="twilio",
        heard=heard,
        call_id=text_at(document, "sid", "") or text_at(document, "transcript_sid", ""),
        language=language_of(document.get("language_code")),
        redacted=document.get("redaction") is True,
        voices=_participants(document),
    )


def _sentence(sentence: Object, at: str) -> Heard:
    start, end = (
        milliseconds(sentence.get(key), placed(at, key), 1_000) for key in ("start_time", "end_time")
    )
    return Heard(
        voice=_channel(label_at(sentence, "media_channel", at)),
        text=text_at(sentence, "transcript", at),
        start_ms=start,
        end_ms=end,
        confidence=confidence_of(sentence.get("confidence"), placed(at, "confidence")),
        at=at,
    )


def _channel(label: str) -> str:
    return f"channel {label}" if label else ""


def _participants(document: Object) -> dict[str, Voice]:
    channel = object_at(document.get("channel"), "channel")
    return {
        _channel(label_at(each, "channel_participant", at)): Voice(
            role=text_at(each, "role", at), name=text_at(each, "full_name", at) or None
        )
        for at, each in objects(channel.get("participants"), "channel.participants")
    }
