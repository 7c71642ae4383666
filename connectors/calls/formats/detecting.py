"""Which form a text has, told by its content."""

from typing import Any

from connectors.calls.fields import Object
from connectors.calls.formats import plain, table, webvtt
from connectors.calls.formats.azure import is_result
from connectors.calls.formats.cues import ARROW
from connectors.calls.formats.json_turns import holds_turns, is_turns

#: Every form by name, and what it is.
FORMS = {
    "vcon": "vCon (JSON, plain or signed)",
    "amazon_call_analytics": "Amazon Transcribe Call Analytics, Contact Lens' finished analyses",
    "amazon_connect": "Contact Lens' segments",
    "amazon_transcribe": "Amazon Transcribe",
    "google_speech": "Google Speech-to-Text v1 and v2",
    "google_insights": "Google Customer Experience Insights",
    "azure_speech": "Azure batch, fast and conversation transcription",
    "twilio": "Twilio Conversational Intelligence, Recordings' transcriptions",
    "deepgram": "Deepgram's pre-recorded transcription",
    "turns": "JSON with a list of turns",
    "webvtt": "WebVTT",
    "srt": "SubRip",
    "text": "lines like `Agent: …`",
    "csv": "CSV with a header",
}
TEXT_FORMS = ("webvtt", "srt", "text", "csv")


def form_of_json(document: Any) -> str | None:
    """The form of one parsed document, or None."""
    if isinstance(document, dict):
        return _form_of_object(document)
    if isinstance(document, list) and document and all(_is_event(each) for each in document):
        return "amazon_connect"
    if isinstance(document, list) and document and all(is_result(each) for each in document):
        return "azure_speech"
    return "turns" if is_turns(document) else None


def _is_event(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("EventType"), str) and "ContactId" in value


def _form_of_object(document: Object) -> str | None:
    if is_vcon(document):
        return "vcon"
    if isinstance(document.get("Transcript"), list):
        return "amazon_call_analytics"
    if isinstance(document.get("Segments"), list):
        return "amazon_connect"
    if isinstance(document.get("entries"), list):
        return "google_insights"
    if any(
        isinstance(document.get(key), list) for key in ("recognizedPhrases", "phrases", "AudioFileResults")
    ):
        return "azure_speech"
    if isinstance(document.get("sentences"), list) or "transcription_text" in document:
        return "twilio"
    if is_result(document):
        return "azure_speech"
    return _form_of_results(document) or ("turns" if holds_turns(document) else None)


def is_vcon(document: Object) -> bool:
    """Plain, signed (`signatures`) or encrypted (`ciphertext`)."""
    if isinstance(document.get("parties"), list) and (
        "dialog" in document or "vcon" in document or "analysis" in document
    ):
        return True
    return "ciphertext" in document or (
        "payload" in document and ("signatures" in document or "signature" in document)
    )


def _form_of_results(document: Object) -> str | None:
    response = document.get("response")
    results = (response if isinstance(response, dict) else document).get("results")
    if isinstance(results, list):
        return "google_speech"
    if not isinstance(results, dict):
        return _form_of_alternative(document)
    if isinstance(results.get("channels"), list) or isinstance(results.get("utterances"), list):
        return "deepgram"
    if any(key in results for key in ("items", "transcripts", "audio_segments")):
        return "amazon_transcribe"
    return "google_speech" if any(_is_file(each) for each in results.values()) else None


def _form_of_alternative(document: Object) -> str | None:
    """Deepgram's alternative alone, as vCons carry it."""
    words = isinstance(document.get("words"), list) or isinstance(document.get("paragraphs"), dict)
    return "deepgram" if words and isinstance(document.get("transcript"), str) else None


def _is_file(value: Any) -> bool:
    return isinstance(value, dict) and any(
        key in value for key in ("transcript", "inlineResult", "inline_result")
    )


def form_of_text(text: str, name: str = "") -> str | None:
    """The form of a text that is no JSON. The file's name decides only where the content allows two."""
    head = text.lstrip()
    if webvtt.HEADER.fullmatch(head.split("\n", 1)[0].rstrip()):
        return "webvtt"
    if any(ARROW in line for line in head[:2_000].splitlines()[:10]):
        return "srt"
    fits = [
        form
        for form, ok in (("csv", table.delimiter_of(text) is not None), ("text", plain.looks_labelled(text)))
        if ok
    ]
    if len(fits) > 1 and name.lower().endswith(".txt"):
        return "text"
    return fits[0] if fits else None
