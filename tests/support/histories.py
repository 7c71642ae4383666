"""Outbound events as the dialogue worker leaves them: in the history first, then on the topic."""

from parley.ports.store import Commit, HistoryRow
from schemas.base import AnyEvent
from schemas.outbound import Outbound
from tests.support.platform import send
from workers.wiring import Platform


def said(on: Platform, *events: AnyEvent) -> None:
    rows = []
    for event in events:
        body, envelope, sealed = event.body, event.envelope, on.codec.encode(event)
        assert isinstance(body, Outbound)
        rows.append(
            HistoryRow(
                envelope.conversation_id,
                body.seq,
                body.epoch,
                envelope.event_id,
                envelope.type,
                body.audience,
                envelope.occurred_at,
                sealed.headers,
                sealed.value,
            )
        )
    on.store.commit(Commit("dialogue", [], history=rows))
    send(on, *events)
