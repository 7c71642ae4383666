"""From `chat.outbound` events to the frames that a customer's browser gets. Pure; what a connection has seen is in `follow`.

A frame is one JSON object with its `type`. Those that carry a `seq` move the connection's cursor.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import orjson

from schemas.base import AnyEvent, Envelope, rfc3339
from schemas.outbound import (
    AgentMessage,
    AgentMessageEdited,
    Closed,
    CustomerMessage,
    Outbound,
    OwnerChanged,
    ReplyDelta,
    ReplyReady,
    Typing,
)
from schemas.parts import Attachment

FrameType = Literal["ready", "message", "delta", "reply", "retracted", "owner", "typing", "closed"]
Fields = dict[str, object]

_CURSOR = re.compile(r"(\d{1,15})\.(\d{1,15})", re.ASCII)


class Cursor(NamedTuple):
    """How far a connection has come: the highest `seq` it was given, and the highest epoch it knows of."""

    seq: int = 0
    epoch: int = 0

    def __str__(self) -> str:
        return f"{self.seq}.{self.epoch}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """From `<seq>.<epoch>`. Raises `ValueError`."""
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise ValueError("must be <seq>.<epoch> as the last frame's id said, for example 12.3")
        return cls(int(found[1]), int(found[2]))


@dataclass(frozen=True, slots=True)
class Frame:
    """`cursor` is set on frames with a `seq`: a client that has handled the frame may resume behind it."""

    type: FrameType
    fields: Mapping[str, object]
    cursor: Cursor | None = None

    def json(self) -> bytes:
        return orjson.dumps({"type": self.type, **self.fields})

    def sse(self) -> bytes:
        """One event of an event stream (WHATWG HTML, "Server-sent events"); JSON holds no line breaks."""
        ident = b"" if self.cursor is None else b"id: %b\n" % str(self.cursor).encode()
        return b"event: %b\n%bdata: %b\n\n" % (self.type.encode(), ident, self.json())


def ready(cursor: Cursor) -> Frame:
    """Everything up to this cursor was sent; what was shown in part before is void, and comes again if it still runs."""
    return Frame("ready", {"seq": cursor.seq, "epoch": cursor.epoch}, cursor)


def retracted(generation_id: str, epoch: int) -> Frame:
    return Frame("retracted", {"generation_id": generation_id, "epoch": epoch})


def delta(body: ReplyDelta) -> Frame:
    return Frame(
        "delta",
        {
            "generation_id": body.generation_id,
            "attempt": body.attempt,
            "epoch": body.epoch,
            "index": body.index,
            "text": body.text,
        },
    )


def frame_of(event: AnyEvent) -> Frame | None:
    """What the customer is shown of an outbound event; None for what is not for customers, or not to be seen."""
    body = event.body
    if not isinstance(body, Outbound) or body.audience == "staff":
        return None
    translate = _TRANSLATIONS.get(type(body))
    return translate(event.envelope, body) if translate is not None else None


def history_entry(event: AnyEvent) -> Fields | None:
    """A message or reply as `GET …/messages` lists it; None for every other event."""
    body = event.body
    if isinstance(body, Outbound) and body.audience == "staff":
        return None
    entry: Fields
    if isinstance(body, ReplyReady):
        entry = {"reply_id": body.reply_id, "from": "bot", "text": body.text, "citations": _citations(body)}
    elif isinstance(body, CustomerMessage):
        entry = {"message_id": body.message_id, "from": "customer", "text": body.text, "citations": []}
        entry |= _attached(body.attachments)
    elif isinstance(body, AgentMessage | AgentMessageEdited):
        entry = {"message_id": body.message_id, "from": "human_agent", "text": body.text, "citations": []}
        entry |= _edited(body)
    else:
        return None
    return {**entry, "at": rfc3339(event.envelope.occurred_at), "seq": body.seq}


def _place(envelope: Envelope, body: Outbound) -> Fields:
    return {"at": rfc3339(envelope.occurred_at), "seq": body.seq, "epoch": body.epoch}


def _citations(body: ReplyReady) -> list[dict[str, str]]:
    return [{"id": source.id, "title": source.title, "url": source.url} for source in body.citations]


def _attached(attachments: Sequence[Attachment]) -> Fields:
    """What came with a message, as far as there is anything: kinds and names; the files themselves stay here."""
    told = [
        {"kind": each.kind, "name": each.name, "media_type": each.media_type, "bytes": each.bytes}
        for each in attachments
    ]
    return {"attachments": told} if told else {}


def _edited(body: AgentMessage | AgentMessageEdited) -> Fields:
    return {"edited": True} if isinstance(body, AgentMessageEdited) else {}


def _customer_message(envelope: Envelope, body: CustomerMessage) -> Frame:
    fields = {
        "message_id": body.message_id,
        "from": "customer",
        "text": body.text,
        **_attached(body.attachments),
        **_place(envelope, body),
    }
    return Frame("message", fields, Cursor(body.seq, body.epoch))


def _agent_message(envelope: Envelope, body: AgentMessage | AgentMessageEdited) -> Frame:
    fields = {
        "message_id": body.message_id,
        "from": "human_agent",
        "name": body.human_agent_name,
        "text": body.text,
        **_edited(body),
        **_place(envelope, body),
    }
    return Frame("message", fields, Cursor(body.seq, body.epoch))


def _reply(envelope: Envelope, body: ReplyReady) -> Frame:
    fields = {
        "reply_id": body.reply_id,
        "kind": body.kind,
        "answers": list(body.answers),
        "text": body.text,
        "citations": _citations(body),
        "offer_human": body.offer_human,
        "language": body.language,
        **_place(envelope, body),
        "model": body.model,
        "adapter": body.adapter,
    }
    return Frame("reply", fields, Cursor(body.seq, body.epoch))


def _owner(envelope: Envelope, body: OwnerChanged) -> Frame:
    name = {} if body.human_agent_name is None else {"name": body.human_agent_name}
    return Frame(
        "owner",
        {"owner": body.owner, **name, "seq": body.seq, "epoch": body.epoch},
        Cursor(body.seq, body.epoch),
    )


def _typing(envelope: Envelope, body: Typing) -> Frame:
    return Frame("typing", {"from": body.who, "on": body.on})


def _closed(envelope: Envelope, body: Closed) -> Frame:
    return Frame(
        "closed", {"seq": body.seq, "epoch": body.epoch, "reason": body.by}, Cursor(body.seq, body.epoch)
    )


# Each function takes the envelope and its own kind of body; the table's key is what guarantees the kind.
_TRANSLATIONS: Mapping[type[Outbound], Callable[[Envelope, Any], Frame]] = {
    CustomerMessage: _customer_message,
    AgentMessage: _agent_message,
    AgentMessageEdited: _agent_message,
    ReplyReady: _reply,
    OwnerChanged: _owner,
    Typing: _typing,
    Closed: _closed,
}
