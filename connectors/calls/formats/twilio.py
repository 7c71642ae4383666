"""Twilio's Conversational (Voice) Intelligence: `sentences[]` by channel, as its API answers; and the older text of a recording."""

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
from connectors.calls.transcript import TranscriptRefused


def transcription(document: Object) -> Draft:
    """The sentences alone, or with the transcript's own fields beside them (`sid`, `language_code`, `channel.participants`)."""
    if "transcription_text" in document:
        return recording(document)
    heard = [_sentence(each, at) for at, each in objects(document.get("sentences"), "sentences")]
    _whole(object_at(document.get("meta"), "meta"), len(heard))
    return Draft(
        form="twilio",
        heard=heard,
        call_id=text_at(document, "sid", "") or text_at(document, "transcript_sid", ""),
        language=language_of(document.get("language_code")),
        redacted=document.get("redaction") is True,
        voices=_participants(document),
    )


def _whole(meta: Object, said: int) -> None:
    """Raises `TranscriptRefused` for one of several pages: a document with the sentences of all has no further one, and more than a page of them."""
    if meta.get("next_page_url"):
        raise TranscriptRefused(f"meta.next_page_url: page {_page(meta) + 1} is missing; {_ALL_PAGES}")
    size = meta.get("page_size")
    if isinstance(size, int) and _page(meta) > 0 and said <= size:
        raise TranscriptRefused(f"meta.page is {_page(meta)}: page 0 is missing; {_ALL_PAGES}")


_ALL_PAGES = "allowed: one document with the sentences of all pages"


def _page(meta: Object) -> int:
    page = meta.get("page")
    return page if isinstance(page, int) else 0


def recording(document: Object) -> Draft:
    """The older transcription of a recording: its text as a whole, in which nobody is named. Raises `TranscriptRefused` where it failed."""
    text = text_at(document, "transcription_text", "")
    if not text.strip():
        status = text_at(document, "status", "")
        raise TranscriptRefused(
            "transcription_text is empty" + (", and status is no completed" if status != "completed" else "")
        )
    lasted = milliseconds(document.get("duration"), "duration", 1_000)
    return Draft(
        form="twilio",
        heard=[Heard("", text, None if lasted is None else 0, lasted, at="transcription_text")],
        call_id=text_at(document, "sid", ""),
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
