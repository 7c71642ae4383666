"""Stories of calls."""

from typing import Any

from schemas.base import MessageId
from schemas.conversation_events import CallStateReported, SpeechTranscribed, SpokenTurn
from schemas.parts import Spoken
from tests.support.stories import MEI, NINE, Story


class CallStory(Story):
    """A running call with Mei, from nine o'clock on."""

    def __init__(self, conversation: str = "c-1") -> None:
        super().__init__(conversation)
        self.report("started", language="en", **MEI)

    def report(self, kind: Any, at_ms: int = 0, /, **fields: Any) -> None:
        self.tell(CallStateReported(started_at=NINE, kind=kind, at_ms=at_ms, **fields))

    def hears(self, speaker: Any, text: str, start_ms: int = 0, *, live: bool = True) -> MessageId:
        message_id = MessageId(f"turn-{len(self.log)}")
        spoken = Spoken(start_ms=start_ms, end_ms=start_ms + 900, original=f"um {text}")
        turn = SpokenTurn(message_id=message_id, speaker=speaker, text=text, spoken=spoken)
        self.tell(SpeechTranscribed(started_at=NINE, turns=(turn,), live=live))
        return message_id
