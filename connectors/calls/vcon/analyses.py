"""What was found out about a conversation, as a vCon's `analysis`: one entry a kind, or a kind and a dialog.

Bodies are JSON under `schema` names of our own (`parley.KIND.1`); dialogs are named by their indices, for nobody else knows a `seq`.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connectors.calls.fields import Object
from connectors.calls.vcon.dialogs import Dialogs, Wording, stamp
from parley.domain.readmodel import FeedbackRow
from schemas.analysis import Analysis
from schemas.base import AnyEvent, Body
from schemas.outbound import (
    AnalysisReady,
    CallImported,
    DeliveryChanged,
    MessageRead,
    MessageSettled,
    ReplyReady,
)

VENDOR = "parley"


def analyses(dialogs: Dialogs, events: Sequence[AnyEvent], feedback: Sequence[FeedbackRow]) -> list[Object]:
    """In the order of the conversation, what is about all of it at the end."""
    return [
        *_origins(dialogs, events),
        *(_heard(dialogs, each) for each in dialogs.heard),
        *(_remarks(dialogs)),
        *_edits(dialogs),
        *_readings(dialogs, events),
        *_provenances(dialogs, events),
        *_deliveries(dialogs, events),
        *_settlements(dialogs, events),
        *(_verdict(dialogs, each) for each in feedback),
        *_found(dialogs, events),
    ]


def _entry(
    kind: str, dialog: int | list[int] | None, body: Any, vendor: str = VENDOR, product: str = VENDOR
) -> Object:
    where: Object = {} if dialog is None else {"dialog": dialog}
    return {
        "type": kind,
        **where,
        "vendor": vendor,
        "product": product,
        "schema": f"parley.{kind}.1",
        "mediatype": "application/json",
        "encoding": "json",
        "body": body,
    }


def _places(known: dict[Any, int], names: Iterable[Any]) -> list[int]:
    return [known[name] for name in names if name in known]


def _of(events: Sequence[AnyEvent], kind: type[Body]) -> Iterator[AnyEvent]:
    return (event for event in events if type(event.body) is kind)


def _origins(dialogs: Dialogs, events: Sequence[AnyEvent]) -> Iterator[Object]:
    """What files told of themselves that texts were read from: each of those until the next one's."""
    bodies = [event.body for event in events if isinstance(event.body, CallImported)]
    ends = [*(body.seq for body in bodies), math.inf][1:]
    for body, end in zip(bodies, ends, strict=True):
        of = [place for seq, place in dialogs.by_seq.items() if body.seq < seq < end]
        told = body.origin.model_dump(mode="json", exclude_defaults=True)
        yield _entry("origin", of or None, {"redacted": False, **told})


# -- of single texts ----------------------------------------------------------------------------------------------------


def _heard(dialogs: Dialogs, heard: Wording) -> Object:
    """A turn of a call as the recogniser had it, in the form of the working group's own transcripts: a list of turns."""
    entry = dialogs.dialog[heard.dialog]
    turn: Object = {"party": entry["parties"][0], "start": entry["start"], "duration": entry["duration"]}
    if heard.spoken is not None and heard.spoken.confidence is not None:
        turn["confidence"] = heard.spoken.confidence
    return _entry("transcript", heard.dialog, [{**turn, "text": heard.text}])


def _remarks(dialogs: Dialogs) -> Iterator[Object]:
    for each in dialogs.remarks:
        body = {"state": each.kind, "at": stamp(each.at), "detail": each.detail}
        yield _entry("call_state", each.dialog, body)


def _edits(dialogs: Dialogs) -> Iterator[Object]:
    """That a text was edited, when, and how it read before; the dialog has its newest wording."""
    for place in dict.fromkeys(each.dialog for each in dialogs.edited):
        before = [each for each in dialogs.edited if each.dialog == place]
        body = [{"edited_at": stamp(each.at), "before": each.text} for each in before]
        yield _entry("edits", place, body)


def _readings(dialogs: Dialogs, events: Sequence[AnyEvent]) -> Iterator[Object]:
    for event in _of(events, MessageRead):
        assert isinstance(event.body, MessageRead)
        place = dialogs.by_message.get(event.body.message_id)
        fields = {"language", "intents", "risks", "entities"}
        yield _entry("understanding", place, event.body.model_dump(mode="json", include=fields))


def _provenances(dialogs: Dialogs, events: Sequence[AnyEvent]) -> Iterator[Object]:
    """Where each of the bot's replies came from."""
    for event in _of(events, ReplyReady):
        reply = event.body
        assert isinstance(reply, ReplyReady)
        fields = {"kind", "language", "citations", "offer_human", "generation_id", "model", "adapter", "arm"}
        body = reply.model_dump(mode="json", include=fields, exclude_none=True)
        body["answers"] = _places(dialogs.by_message, reply.answers)
        yield _entry("provenance", dialogs.by_seq[reply.seq], body)


def _deliveries(dialogs: Dialogs, events: Sequence[AnyEvent]) -> Iterator[Object]:
    """What the channel said last of each text that was sent."""
    last: dict[str, AnyEvent] = {}
    for event in _of(events, DeliveryChanged):
        assert isinstance(event.body, DeliveryChanged)
        last[event.body.outbound_id] = event
    for name, event in last.items():
        assert isinstance(event.body, DeliveryChanged)
        body = event.body.model_dump(mode="json", include={"state", "reason"}, exclude_none=True)
        if name in dialogs.by_event:
            yield _entry(
                "delivery", dialogs.by_event[name], {**body, "at": stamp(event.envelope.occurred_at)}
            )


def _settlements(dialogs: Dialogs, events: Sequence[AnyEvent]) -> Iterator[Object]:
    """How each of the customer's messages ended, and by which reply."""
    found: list[Object] = []
    for event in _of(events, MessageSettled):
        assert isinstance(event.body, MessageSettled)
        for each in event.body.settlements:
            message = dialogs.by_message.get(each.message_id)
            reply = None if each.reply_id is None else dialogs.by_message.get(each.reply_id)
            if message is not None:
                found.append({"message": message, "outcome": each.outcome, "reply": reply})
    if found:
        yield _entry("settlements", [each["message"] for each in found], found)


def _verdict(dialogs: Dialogs, row: FeedbackRow) -> Object:
    body = {"score": row.score, "by": row.by, "given_at": stamp(row.given_at), "comment": row.comment}
    return _entry("feedback", dialogs.by_message.get(row.reply_id), body)


# -- of the whole -------------------------------------------------------------------------------------------------------


def _found(dialogs: Dialogs, events: Sequence[AnyEvent]) -> Iterator[Object]:
    """Each analysis is of all that was said until then, so the last one counts."""
    last = None
    for event in _of(events, AnalysisReady):
        last = event.body
    if not isinstance(last, AnalysisReady):
        return
    until = [place for seq, place in dialogs.by_seq.items() if seq <= last.up_to_seq]
    found = last.analysis
    made_by = {"vendor": found.vendor, "product": f"{found.product}/{found.product_version}"}
    summary = _entry("summary", until, found.summary, **made_by)
    yield {**summary, "mediatype": "text/plain", "encoding": "none"}
    for kind, body in _parts(dialogs, found):
        yield _entry(kind, until, body, **made_by)


def _parts(dialogs: Dialogs, found: Analysis) -> Iterator[tuple[str, Any]]:
    place = dialogs.by_seq
    yield (
        "topics",
        [
            {
                "label": each.label,
                "intent": each.intent,
                "share": each.share,
                "dialog": _places(place, each.seqs),
            }
            for each in found.topics
        ],
    )
    yield (
        "promises",
        [
            {
                "by": each.by,
                "text": each.text,
                "dialog": place.get(each.seq),
                "due": None if each.due is None else each.due.isoformat(),
            }
            for each in found.promises
        ],
    )
    yield "sentiment", _sentiment(place, found)
    yield (
        "compliance",
        [
            {
                "id": each.id,
                "passed": each.passed,
                "dialog": None if each.seq is None else place.get(each.seq),
            }
            for each in found.checks
        ],
    )


def _sentiment(place: dict[int, int], found: Analysis) -> Object:
    """From -1 to 1; a turn that is not listed is neutral."""
    turns = [
        {"dialog": place[each.seq], "score": each.score}
        for each in found.sentiment.turns
        if each.seq in place
    ]
    customer = {
        "whole": found.sentiment.customer,
        "began": found.sentiment.customer_began,
        "ended": found.sentiment.customer_ended,
    }
    return {"customer": customer, "turns": turns}
