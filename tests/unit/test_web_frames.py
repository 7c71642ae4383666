"""From outbound events to frames: what a customer gets to see, to the letter."""

import orjson
import pytest

from connectors.web.frames import Cursor, delta, frame_of, history_entry, ready, retracted
from schemas.base import (
    Body,
    GenerationId,
    MessageId,
    ReplyId,
)
from schemas.outbound import (
    AgentMessage,
    AgentMessageEdited,
    Closed,
    CustomerMessage,
    DraftReady,
    EpochRaised,
    MessageSettled,
    OwnerChanged,
    ReplyDelta,
    ReplyReady,
    Typing,
)
from schemas.parts import Attachment, Citation, Settlement
from tests.support.web import event

REPLY = ReplyReady(
    seq=4,
    epoch=2,
    reply_id=ReplyId("r1"),
    kind="answer",
    answers=(MessageId("m1"), MessageId("m2")),
    text="12 euro.\n见费用表",
    citations=(Citation(id="fees", title="Fees", url="/demo/bank/help/fees"),),
    language="en",
    generation_id=GenerationId("g1"),
    model="extractive",
)
FILES = (
    Attachment(kind="photo", media_type="image/jpeg", digest="a" * 64, bytes=1_000),
    Attachment(kind="document", media_type="application/pdf", digest="b" * 64, bytes=20, name="bill.pdf"),
)
TOLD = [
    {"kind": "photo", "name": None, "media_type": "image/jpeg", "bytes": 1_000},
    {"kind": "document", "name": "bill.pdf", "media_type": "application/pdf", "bytes": 20},
]


@pytest.mark.parametrize(
    ("body", "expected", "cursor"),
    [
        (
            CustomerMessage(seq=1, epoch=0, message_id=MessageId("m1"), text="hi"),
            {"type": "message", "message_id": "m1", "from": "customer", "text": "hi", "at": "2026-11-23T12:00:00.500Z", "seq": 1, "epoch": 0},
            "1.0",
        ),
        (
            AgentMessage(seq=9, epoch=3, message_id=MessageId("m9"), human_agent_id="7", human_agent_name="Ada", text="hello"),
            {"type": "message", "message_id": "m9", "from": "human_agent", "name": "Ada", "text": "hello", "at": "2026-11-23T12:00:00.500Z", "seq": 9, "epoch": 3},
            "9.3",
        ),
        (
            AgentMessageEdited(seq=10, epoch=3, message_id=MessageId("m9"), human_agent_id="7", human_agent_name="Ada", text="hello there"),
            {"type": "message", "message_id": "m9", "from": "human_agent", "name": "Ada", "text": "hello there", "edited": True, "at": "2026-11-23T12:00:00.500Z", "seq": 10, "epoch": 3},
            "10.3",
        ),
        (
            CustomerMessage(seq=1, epoch=0, message_id=MessageId("m1"), text="", attachments=FILES),
            {"type": "message", "message_id": "m1", "from": "customer", "text": "", "attachments": TOLD, "at": "2026-11-23T12:00:00.500Z", "seq": 1, "epoch": 0},
            "1.0",
        ),
        (
            REPLY,
            {
                "type": "reply", "reply_id": "r1", "kind": "answer", "answers": ["m1", "m2"], "text": "12 euro.\n见费用表",
                "citations": [{"id": "fees", "title": "Fees", "url": "/demo/bank/help/fees"}], "offer_human": False,
                "language": "en", "at": "2026-11-23T12:00:00.500Z", "seq": 4, "epoch": 2, "model": "extractive", "adapter": None,
            },
            "4.2",
        ),
        (OwnerChanged(seq=5, epoch=3, owner="human", human_agent_id="7", human_agent_name="Ada", reason="claimed"), {"type": "owner", "owner": "human", "name": "Ada", "seq": 5, "epoch": 3}, "5.3"),
        (OwnerChanged(seq=6, epoch=4, owner="bot", reason="released"), {"type": "owner", "owner": "bot", "seq": 6, "epoch": 4}, "6.4"),
        (Typing(seq=7, epoch=4, who="bot", on=True), {"type": "typing", "from": "bot", "on": True}, None),
        (Closed(seq=8, epoch=5, by="customer"), {"type": "closed", "seq": 8, "epoch": 5, "reason": "customer"}, "8.5"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Body) else "",
)  # fmt: skip
def test_frames_are_exactly(body: Body, expected: dict[str, object], cursor: str | None) -> None:
    frame = frame_of(event(body))
    assert frame is not None
    assert orjson.loads(frame.json()) == expected
    assert (None if frame.cursor is None else str(frame.cursor)) == cursor


@pytest.mark.parametrize(
    "body",
    [
        EpochRaised(seq=1, epoch=1, reason="new_message"),
        DraftReady(seq=1, epoch=1, generation_id=GenerationId("g"), text="draft"),
        MessageSettled(
            seq=1, epoch=1, settlements=(Settlement(message_id=MessageId("m"), outcome="answered"),)
        ),
        Typing(seq=1, epoch=1, who="human_agent", on=True, audience="staff"),
        CustomerMessage(seq=1, epoch=0, message_id=MessageId("m"), text="hi", audience="staff"),
    ],
    ids=lambda body: type(body).__name__,
)
def test_customers_are_not_shown(body: Body) -> None:
    assert frame_of(event(body)) is None
    assert history_entry(event(body)) is None


def test_frames_without_a_place_in_the_order_carry_no_id() -> None:
    body = ReplyDelta(generation_id=GenerationId("g"), attempt="a", epoch=2, index=0, text="Twelve ")
    assert delta(body).sse() == (
        b'event: delta\ndata: {"type":"delta","generation_id":"g","attempt":"a","epoch":2,"index":0,"text":"Twelve "}\n\n'
    )
    assert (
        retracted("g", 3).sse()
        == b'event: retracted\ndata: {"type":"retracted","generation_id":"g","epoch":3}\n\n'
    )


def test_frames_with_a_place_carry_it_as_their_id() -> None:
    assert ready(Cursor(4, 2)).sse() == b'event: ready\nid: 4.2\ndata: {"type":"ready","seq":4,"epoch":2}\n\n'


def test_line_breaks_do_not_end_an_event_early() -> None:
    frame = frame_of(event(REPLY))
    assert frame is not None
    assert frame.sse().count(b"\n") == 4


def test_history_lists_what_was_said() -> None:
    assert history_entry(event(REPLY)) == {
        "reply_id": "r1",
        "from": "bot",
        "text": "12 euro.\n见费用表",
        "citations": [{"id": "fees", "title": "Fees", "url": "/demo/bank/help/fees"}],
        "at": "2026-11-23T12:00:00.500Z",
        "seq": 4,
    }
    assert history_entry(event(Closed(seq=8, epoch=5, by="customer"))) is None
    entry = history_entry(
        event(CustomerMessage(seq=1, epoch=0, message_id=MessageId("m1"), text="", attachments=FILES))
    )
    assert entry is not None and entry["attachments"] == TOLD


def test_history_lists_an_edit_under_the_messages_id() -> None:
    told = {
        "message_id": MessageId("m9"),
        "human_agent_id": "7",
        "human_agent_name": "Ada",
        "text": "hello there",
    }
    said = history_entry(event(AgentMessage(seq=9, epoch=3, **told)))
    edit = history_entry(event(AgentMessageEdited(seq=10, epoch=3, **told)))
    assert said is not None and edit is not None
    assert "edited" not in said and edit == {**said, "seq": 10, "edited": True}


@pytest.mark.parametrize(
    "text", ["", "1", "1.", ".1", "1.2.3", "-1.2", "a.b", " 1.2", "1.2 ", "１.２", "1" * 16 + ".1"]
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="<seq>"):
        Cursor.parse(text)


def test_a_cursor_is_what_it_was() -> None:
    assert Cursor.parse(str(Cursor(12, 3))) == Cursor(12, 3)
