"""A finished call may come again with more than before, as a vCon that grows keeps its uuid: each version adds its new turns to those of the one before it.

Which turns were there a chain of digests tells: each is of all the turns up to one, so a version that begins with another's turns has that one's digest
among its own. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import orjson

from connectors.calls.transcript import MOST_MS, Transcript, Turn
from parley.ids import named_id
from parley.runtime.digests import text_digest
from schemas.base import ConversationId, EventId
from schemas.call_events import TranscriptImported

IMPORT = "call:transcript"


@dataclass(frozen=True, slots=True)
class Version:
    """One that has `grown` so often: what is new in it are the turns from `begun` up to `ended`. `known`: it was imported before."""

    conversation_id: ConversationId
    grown: int
    begun: int
    ended: int
    known: bool

    def id(self, what: str) -> EventId:
        return named_id(self.conversation_id, claim_name(self.grown), what)

    @property
    def last_id(self) -> EventId:
        """Of its last part: told without the number of parts, which is known only once all is masked."""
        return self.id("last")

    def part_id(self, part: TranscriptImported) -> EventId:
        return self.last_id if part.part == part.parts else self.id(str(part.part))

    def alone(self, transcript: Transcript) -> Transcript:
        """The transcript with what happened in this version's time: from its first new turn, up to the next version's. All turns stay."""
        turns = transcript.turns
        since = turns[self.begun].start_ms if self.grown else 0
        until = turns[self.ended].start_ms if self.ended < len(turns) else MOST_MS + 1
        return replace(
            transcript, events=tuple(each for each in transcript.events if since <= each.at_ms < until)
        )


def claim_name(grown: int) -> str:
    """Under which a version's digest is claimed."""
    return f"{IMPORT}:{grown}" if grown else IMPORT


def digests(key: bytes, conversation_id: ConversationId, turns: Iterable[Turn]) -> list[str]:
    """Keyed, so that nobody knows a turn again without the key: of no turn, of the first one, of the first two… The last is the whole's."""
    found = [text_digest(key, conversation_id, "")]
    for turn in turns:
        said = orjson.dumps((turn.speaker, turn.original, turn.start_ms, turn.end_ms)).decode()
        found.append(text_digest(key, conversation_id, found[-1] + said))
    return found
