"""SubRip (SRT): numbered captions, the speaker before the text where there is one."""

import re
from collections.abc import Collection

from connectors.calls.decoding import unescaped
from connectors.calls.draft import Draft, Heard
from connectors.calls.formats.cues import as_turns, cues
from connectors.calls.formats.webvtt import prefixed
from connectors.calls.transcript import TranscriptRefused

_TAG = re.compile(r"</?(?:i|b|u|s|font)(?:\s[^>]{0,200})?>|\{\\[a-z0-9]{1,20}\}", re.IGNORECASE)


def read(text: str, told: Collection[str] = ()) -> Draft:
    """Raises `TranscriptRefused` with the line."""
    heard = [
        Heard("", unescaped(_TAG.sub("", cue.text)).strip(), cue.start_ms, cue.end_ms, at=f"line {cue.line}")
        for cue in cues(text.splitlines())
    ]
    if not heard:
        raise TranscriptRefused("no caption: SRT has lines of times like 00:01:02,500 --> 00:01:04,000")
    return Draft("srt", list(as_turns(prefixed(heard, told))))
