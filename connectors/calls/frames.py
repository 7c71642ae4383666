"""What whoever helps in a call is shown of it: JSON objects told apart by their `type`. Pure.

Those that a conversation's history keeps have a `seq`, behind which a reader may go on later. A `segment` is of the moment: it has none.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from parley.domain.calls import message_of
from schemas.base import AnyEvent, rfc3339
from schemas.call_events import CallSegmentHeard
from schemas.outbound import (
    AgentMessage,
    AnalysisReady,
    CallStateChanged,
    Closed,
    CustomerMessage,
    DraftReady,
    MessageRead,
    Outbound,
    OwnerChanged,
)
from schemas.parts import Citation, Spoken
from schemas.tenant import TenantConfig

FrameType = Literal[
    "ready", "segment", "message", "read", "suggestion", "state", "owner", "closed", "analysis"
]
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CallFrame:
    type: FrameType
    fields: Mapping[str, Any]
    seq: int | None = None

    def json(self) -> bytes:
        return orjson.dumps({"type": self.type, **self.fields})

    def sse(self) -> bytes:
        """One event of an event stream (WHATWG HTML, "Server-sent events"); JSON holds no line breaks."""
        ident = b"" if self.seq is None else b"id: %d\n" % self.seq
        return b"event: %b\n%bdata: %b\n\n" % (self.type.encode(), ident, self.json())


def ready(seq: int) -> CallFrame:
    """All that was said up to here has been sent."""
    return CallFrame("ready", {"seq": seq}, seq)


def frame_of(event: AnyEvent, config: TenantConfig) -> CallFrame | None:
    """None for what nobody on a call is to see. Intents have their titles in the language of what was said."""
    if isinstance(event.body, CallSegmentHeard):
        return _segment(event, event.body)
    translate = _TRANSLATIONS.get(type(event.body))
    if translate is None or not isinstance(event.body, Outbound):
        return None
    kind, fields = translate(event, config)
    return CallFrame(kind, {**fields, "seq": event.body.seq}, event.body.seq)


def _segment(event: AnyEvent, body: CallSegmentHeard) -> CallFrame:
    fields = {
        "segment_id": body.segment_id,
        "message_id": message_of(event.envelope.conversation_id, body.segment_id),
        "speaker": body.speaker,
        "text": body.text,
        "final": body.final,
        "start_ms": body.start_ms,
        "end_ms": body.end_ms,
    }
    return CallFrame("segment", fields)


def _spoken(spoken: Spoken | None) -> Fields:
    return {} if spoken is None else spoken.model_dump(exclude_none=True)


def _customer(event: AnyEvent, config: TenantConfig) -> tuple[FrameType, Fields]:
    body: Any = event.body
    fields = {"message_id": body.message_id, "from": "customer", "text": body.text}
    return "message", {**fields, "at": rfc3339(event.envelope.occurred_at), **_spoken(body.spoken)}


def _agent(event: AnyEvent, config: TenantConfig) -> tuple[FrameType, Fields]:
    body: Any = event.body
    fields = {
        "message_id": body.message_id,
        "from": "human_agent",
        "name": body.human_agent_name,
        "text": body.text,
    }
    return "message", {**fields, "at": rfc3339(event.envelope.occurred_at), **_spoken(body.spoken)}


def _read(event: AnyEvent, config: TenantConfig) -> tuple[FrameType, Fields]:
    body: Any = event.body
    intents = [
        {
            "intent": each.intent,
            "title": config.topic(each.intent, body.language) or each.intent,
            "probability": round(each.probability, 3),
        }
        for each in body.intents
        if each.probability >= config.thresholds.intent
    ]
    return "read", {
        "message_id": body.message_id,
        "language": body.language,
        "intents": intents,
        "risks": [{"kind": each.kind, "evidence": each.evidence} for each in body.risks],
        "entities": [{"kind": each.kind, "text": each.text, "value": each.value} for each in body.entities],
    }


def _suggestion(event: AnyEvent, config: TenantConfig) -> tuple[FrameType, Fields]:
    body: Any = event.body
    return "suggestion", {
        "answers": body.answers,
        "text": body.text,
        "citations": _sources(body.citations),
        "next_articles": _sources(body.next_articles),
    }


def _state(event: AnyEvent, config: TenantConfig) -> tuple[FrameType, Fields]:
    body: Any = event.body
    return "state", {"kind": body.kind, "at_ms": body.at_ms, "by": body.by, "detail": body.detail}


def _owner(event: AnyEvent, config: TenantConfig) -> tuple[FrameType, Fields]:
    body: Any = event.body
    return "owner", {"owner": body.owner, "name": body.human_agent_name, "reason": body.reason}


def _closed(event: AnyEvent, config: TenantConfig) -> tuple[FrameType, Fields]:
    body: Any = event.body
    return "closed", {"by": body.by, "at": rfc3339(event.envelope.occurred_at)}


def _analysis(event: AnyEvent, config: TenantConfig) -> tuple[FrameType, Fields]:
    body: Any = event.body
    return "analysis", {"analysis": body.analysis.model_dump(mode="json")}


def _sources(citations: Sequence[Citation]) -> list[dict[str, str]]:
    return [{"id": each.id, "title": each.title, "url": each.url} for each in citations]


# The table's key is what guarantees each function the kind of its body.
_TRANSLATIONS: Mapping[type[Any], Callable[[AnyEvent, TenantConfig], tuple[FrameType, Fields]]] = {
    CustomerMessage: _customer,
    AgentMessage: _agent,
    MessageRead: _read,
    DraftReady: _suggestion,
    CallStateChanged: _state,
    OwnerChanged: _owner,
    Closed: _closed,
    AnalysisReady: _analysis,
}
