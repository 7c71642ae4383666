"""The read model made anew: every decision of the log is taken again, and only its rows for reading are written.

The log is read once. In memory are, at any time, the states and event ids of one partition's conversations and a few
thousand rows; where a conversation's rows do not fit into one transaction, a reader sees it grow.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from parley.codec import Codec, Erased
from parley.domain.deciding import Decider
from parley.domain.readmodel import FeedbackRow, Projection
from parley.errors import InvalidEvent, KeyErased
from parley.ports.bus import Record
from parley.ports.store import HistoryRow, Store
from parley.runtime.judging import history_row, row_key, sealed
from parley.runtime.replay import Configs, Engine
from schemas.base import AnyEvent, ConversationId, Envelope
from schemas.conversation_events import ConversationStarted
from schemas.outbound import Outbound, Typing
from schemas.topics import CONVERSATION_EVENTS

ROWS_AT_ONCE = 2_000


@dataclass(slots=True)
class Rebuilt:
    """`incomplete` counts conversations whose beginning has expired: their rows stay as they are. Those of erased ones go."""

    records: int = 0
    conversations: int = 0
    verdicts: int = 0
    incomplete: int = 0
    erased: int = 0


def rebuild_read_model(
    decider: Decider[Any], records: Iterable[Record], store: Store, codec: Codec, configs: Configs
) -> Rebuilt:
    """`records` is all of the decider's topic, one partition after the other (`parley.runtime.exports.read_records`).

    Raises `StoreUnavailable`, `BusUnavailable`. Safe to repeat; the decider's worker may not run, or its newer rows are lost.
    """
    done = Rebuilt()
    skipped = frozenset(store.skips(decider.name, decider.topic.name))
    for _, part in groupby(records, key=lambda record: record.topic_partition):
        rebuilding = _Partition(decider, store, codec, configs, done)
        for record in part:
            rebuilding.take(record, skipped=(record.topic_partition, record.offset) in skipped)
        rebuilding.finish()
    return done


class _Partition:
    """One partition on its way: what its conversations have come to, and the rows that wait to be written."""

    def __init__(
        self, decider: Decider[Any], store: Store, codec: Codec, configs: Configs, done: Rebuilt
    ) -> None:
        self._decider = decider
        self._store = store
        self._codec = codec
        self._done = done
        self._engine = Engine([decider], configs)
        self._begun: set[ConversationId] = set()
        self._incomplete: set[ConversationId] = set()
        self._erased: set[ConversationId] = set()
        self._outdated: set[ConversationId] = set()
        self._history: list[HistoryRow] = []
        self._rows: dict[object, Projection] = {}

    def take(self, record: Record, *, skipped: bool) -> None:
        self._done.records += 1
        try:
            event = self._codec.decode(record)
        except InvalidEvent:
            return
        if isinstance(event, Erased):
            self._erase(event.envelope)
        elif self._is_whole(event):
            decision = self._engine.feed(event, skipped=skipped)
            if decision is not None:
                self._keep(event.envelope, decision.events, decision.projections)
        if len(self._history) + len(self._rows) + len(self._outdated) >= ROWS_AT_ONCE:
            self._flush()

    def finish(self) -> None:
        self._flush()
        self._done.conversations += len(self._begun)
        self._done.incomplete += len(self._incomplete)
        self._done.erased += len(self._erased)

    def _is_whole(self, event: AnyEvent) -> bool:
        """Whether the event's conversation was read from its beginning, where its rows depend on that."""
        name = event.envelope.conversation_id
        if self._decider.topic is not CONVERSATION_EVENTS:
            return True
        if name in self._erased or name in self._incomplete:
            return False
        if name in self._begun:
            return True
        whole = isinstance(event.body, ConversationStarted)
        (self._begun if whole else self._incomplete).add(name)
        if whole:
            self._outdated.add(name)
        return whole

    def _erase(self, envelope: Envelope) -> None:
        """The customer's text is gone, and with it all that can be shown of the conversation."""
        name = envelope.conversation_id
        if not self._decider.state_is_sealed or name in self._erased:
            return
        self._begun.discard(name)
        self._incomplete.discard(name)
        self._erased.add(name)
        self._outdated.add(name)
        self._history = [row for row in self._history if row.conversation_id != name]
        self._rows = {at: row for at, row in self._rows.items() if row.conversation_id != name}

    def _keep(
        self, envelope: Envelope, events: Iterable[AnyEvent], projections: Iterable[Projection]
    ) -> None:
        try:
            for event in events:
                if isinstance(event.body, Outbound) and not isinstance(event.body, Typing):
                    self._history.append(history_row(event, event.body, self._codec.encode(event)))
            for row in projections:
                self._rows[row_key(row)] = sealed(row, envelope, self._codec)
                self._done.verdicts += isinstance(row, FeedbackRow)
        except KeyErased:  # a moment ago
            self._erase(envelope)

    def _flush(self) -> None:
        self._store.rewrite(self._outdated, self._history, self._rows.values())
        self._outdated, self._history, self._rows = set(), [], {}
