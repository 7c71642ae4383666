"""A conversation's turns out of its history."""

import heapq
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from parley.codec import Codec
from parley.domain.analysis import SaidTurn
from parley.domain.words import terms
from parley.errors import StoreUnavailable
from parley.ports.store import ReadModel
from parley.runtime.history import history
from schemas.analysis import Side
from schemas.base import AnyEvent, ConversationId, MessageId
from schemas.outbound import AgentMessage, AgentMessageEdited, CustomerMessage, MessageRead, ReplyReady
from schemas.parts import Risk, ScoredIntent, Spoken

MOST_CLASSIFIED = 200
"""Turns of one conversation that are classified here: the longest, which say most of what it is about."""


class Reading:
    """Turns as far as they were told; not thread-safe."""

    def __init__(self) -> None:
        self._turns: dict[int, SaidTurn] = {}
        self._seq_of: dict[MessageId, int] = {}
        self._read: set[int] = set()

    def take(self, event: AnyEvent) -> None:
        """What the customer was told and what they said counts; what staff see alone tells how it was understood."""
        body = event.body
        match body:
            case CustomerMessage() if body.text:
                self._say(event, body.seq, "customer", body.text, body.spoken, body.message_id)
            case AgentMessage() if body.audience != "staff" and body.text:
                self._say(event, body.seq, "human_agent", body.text, body.spoken, body.message_id)
            case ReplyReady() if body.audience != "staff":
                self._say(event, body.seq, "bot", body.text, None, None)
            case AgentMessageEdited() if body.message_id in self._seq_of:
                seq = self._seq_of[body.message_id]
                self._turns[seq] = replace(self._turns[seq], text=body.text)
            case MessageRead() if body.message_id in self._seq_of:
                self.understood(self._turns[self._seq_of[body.message_id]], body.intents, body.risks)

    def turns(self) -> list[SaidTurn]:
        """In the order of their `seq`."""
        return [self._turns[seq] for seq in sorted(self._turns)]

    def unread(self) -> list[SaidTurn]:
        """The customer's turns that nobody has read and that have a word which tells something, in order: the `MOST_CLASSIFIED` longest."""
        customers = (turn for turn in self.turns() if turn.side == "customer")
        found = [turn for turn in customers if turn.seq not in self._read and terms(turn.text)]
        longest = heapq.nlargest(MOST_CLASSIFIED, found, key=lambda turn: (len(turn.text), -turn.seq))
        return sorted(longest, key=lambda turn: turn.seq)

    def understood(self, turn: SaidTurn, intents: tuple[ScoredIntent, ...], risks: Collection[Risk]) -> None:
        self._turns[turn.seq] = replace(turn, intents=intents, risks=tuple(risks))
        self._read.add(turn.seq)

    def _say(
        self,
        event: AnyEvent,
        seq: int,
        side: Side,
        text: str,
        spoken: Spoken | None,
        message_id: MessageId | None,
    ) -> None:
        at = event.envelope.occurred_at
        end = at + timedelta(milliseconds=spoken.end_ms - spoken.start_ms) if spoken is not None else None
        self._turns[seq] = SaidTurn(seq, side, text, at, end)
        if message_id is not None:
            self._seq_of[message_id] = seq


def read_turns(
    store: ReadModel, codec: Codec, conversation_id: ConversationId, up_to_seq: int
) -> Reading | None:
    """None where nothing of it is there, or what was said cannot be read: the customer was erased. Raises `StoreUnavailable`, also where the history does not reach
    that far yet (it is being rebuilt), and `NewerVersion`.
    """
    reading = Reading()
    last, lost = 0, False
    for seq, _, event in history(store, codec, conversation_id):
        if seq > up_to_seq:
            break
        last, lost = seq, lost or event is None
        if event is not None:
            reading.take(event)
    else:
        if 0 < last < up_to_seq:
            raise StoreUnavailable(f"history: ends at {last}, and {up_to_seq} is to be read")
    return None if not last or (lost and not reading.turns()) else reading
