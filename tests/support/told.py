"""Histories of conversations for whoever reads them: what was said, written into a store's read model as the dialogue worker does it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from parley.domain.analysis import SaidTurn
from parley.runtime.judging import history_row
from schemas.analysis import Side
from schemas.base import AnyEvent, ConversationId, Event, MessageId, ReplyId
from schemas.outbound import AgentMessage, CustomerMessage, Outbound, ReplyReady
from schemas.parts import Spoken
from tests.support.stories import NINE, event
from workers.wiring import Platform

Line = tuple[Side, str]


def said(*lines: Line, at: datetime = NINE, apart_s: float = 6.0) -> list[SaidTurn]:
    """Turns that follow each other, from `seq` 1 on."""
    return [
        SaidTurn(number, side, text, at + timedelta(seconds=apart_s * (number - 1)))
        for number, (side, text) in enumerate(lines, start=1)
    ]


def turn_event(seq: int, line: Line, conversation: str = "c-1", spoken: bool = True) -> AnyEvent:
    """What left for the customer, or came from them; message ids are `m-SEQ`."""
    side, text = line
    when = Spoken(start_ms=6_000 * seq, end_ms=6_000 * seq + 4_000) if spoken else None
    name = MessageId(f"m-{seq}")
    body: Outbound
    if side == "customer":
        body = CustomerMessage(seq=seq, epoch=0, message_id=name, text=text, spoken=when)
    elif side == "human_agent":
        body = AgentMessage(
            seq=seq,
            epoch=0,
            message_id=name,
            human_agent_id="mei",
            human_agent_name="Mei",
            text=text,
            spoken=when,
        )
    else:
        body = ReplyReady(
            seq=seq,
            epoch=0,
            reply_id=ReplyId(f"r-{seq}"),
            kind="answer",
            answers=(),
            text=text,
            language="en",
        )
    return event(body, seq, at=NINE + timedelta(seconds=6 * seq), conversation=conversation)


def remember(platform: Platform, events: Sequence[AnyEvent], conversation: str = "c-1") -> None:
    """The history of a conversation is these events."""
    rows = [
        history_row(each, each.body, platform.codec.encode(each))
        for each in events
        if isinstance(each, Event) and isinstance(each.body, Outbound)
    ]
    platform.store.rewrite([ConversationId(conversation)], rows, [])
