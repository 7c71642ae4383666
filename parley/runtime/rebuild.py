"""The read model made anew: every decision of the log is taken again, and only its rows for reading are written."""

from dataclasses import dataclass
from typing import Any

from parley.codec import Codec, Erased
from parley.domain.deciding import Decider
from parley.domain.readmodel import Projection
from parley.errors import InvalidEvent, KeyErased, UnknownTenant
from parley.ports.bus import Bus
from parley.ports.store import HistoryRow, ReadModel
from parley.runtime.exports import read_records
from parley.runtime.judging import history_row, row_key
from parley.runtime.replay import Engine, skipped_ids
from parley.runtime.tenants import TenantConfigs
from schemas.base import AnyEvent, ConversationId
from schemas.conversation_events import ConversationStarted
from schemas.outbound import Outbound, Typing

AT_ONCE = 200


@dataclass(slots=True)
class Rebuilt:
    """`incomplete` counts conversations whose beginning has expired: their rows stay as they are."""

    conversations: int = 0
    records: int = 0
    incomplete: int = 0


def rebuild_read_model(
    decider: Decider[Any], bus: Bus, store: ReadModel, codec: Codec, configs: TenantConfigs
) -> Rebuilt:
    """Raises `StoreUnavailable`, `BusUnavailable`. Safe to repeat; no dialogue worker may run, or its newer rows are lost."""
    done = Rebuilt()
    by_conversation: dict[ConversationId, list[AnyEvent]] = {}
    for record in read_records(bus, [decider.topic.name]):
        done.records += 1
        try:
            event = codec.decode(record)
        except InvalidEvent:
            continue
        if not isinstance(event, Erased):
            by_conversation.setdefault(event.envelope.conversation_id, []).append(event)
    whole = {}
    for conversation, events in by_conversation.items():
        if isinstance(events[0].body, ConversationStarted):
            whole[conversation] = events
        else:
            done.incomplete += 1
    names = list(whole)
    for at in range(0, len(names), AT_ONCE):
        part = names[at : at + AT_ONCE]
        events = [event for name in part for event in whole[name]]
        store.rewrite(part, *_rows(Engine([decider], configs.get, skipped_ids(events)), events, codec))
        done.conversations += len(part)
    return done


def _rows(engine: Engine, events: list[AnyEvent], codec: Codec) -> tuple[list[HistoryRow], list[Projection]]:
    history: list[HistoryRow] = []
    rows: dict[object, Projection] = {}
    for event in events:
        try:
            decision = engine.feed(event)
        except UnknownTenant:
            continue  # it was a dead letter when it came
        if decision is None:
            continue
        for output in decision.events:
            if isinstance(output.body, Outbound) and not isinstance(output.body, Typing):
                try:
                    history.append(history_row(output, output.body, codec.encode(output)))
                except KeyErased:
                    continue
        rows |= {row_key(row): row for row in decision.projections}
    return history, list(rows.values())
