"""Steps of a conversation, as a pen writes them."""

from schemas.base import GenerationId, MessageId, ReplyId
from schemas.outbound import (
    Closed,
    CustomerMessage,
    EpochRaised,
    MessageSettled,
    OwnerChanged,
    ReplyReady,
    Typing,
)
from schemas.parts import Settlement
from tests.support.doors import Pen


def reply(pen: Pen, generation: str | None = "g", text: str = "€4.50 a month.") -> None:
    pen.say(
        ReplyReady, reply_id=ReplyId(f"r{pen.seq + 1}"), kind="answer", answers=(MessageId("m1"),), text=text,
        language="en", generation_id=None if generation is None else GenerationId(generation),
    )  # fmt: skip


def asks(pen: Pen, text: str = "What does it cost?") -> None:
    pen.say(CustomerMessage, message_id=MessageId(f"m{pen.seq + 1}"), text=text)


def settles(pen: Pen) -> None:
    pen.say(MessageSettled, settlements=(Settlement(message_id=MessageId("m1"), outcome="answered"),))


def raises(pen: Pen) -> None:
    pen.epoch += 1
    pen.say(EpochRaised, reason="new_message")


def claims(pen: Pen) -> None:
    pen.say(OwnerChanged, owner="human", human_agent_id="7", human_agent_name="Ada", reason="claimed")


def types(pen: Pen) -> None:
    pen.say(Typing, who="human_agent", on=True)


def closes(pen: Pen) -> None:
    pen.say(Closed, by="customer")
