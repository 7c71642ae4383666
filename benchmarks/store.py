"""The store alone: commits of 500 events and of 1 with the rows that the dialogue worker writes, on SQLite and PostgreSQL.

What a decider costs on top (decode, decide, encode, publish) is the benchmark `decider`.
"""

import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from benchmarks.reporting import RUNS, report
from benchmarks.servers import servers
from infra.migrations import upgrade_store
from parley.backends.sql import open_store
from parley.codec import Outgoing
from parley.domain.readmodel import ConversationRow
from parley.ids import named_id
from parley.ports.bus import TopicPartition
from parley.ports.store import Advance, Commit, HistoryRow, Store, StoredState, Timer
from schemas.base import ConversationId, CustomerId, EventId, TenantId

GROUP = "dialogue"
PARTITIONS = [TopicPartition("conversation.events", number) for number in range(12)]
CONVERSATIONS = 3_000
STATE_BYTES, RECORD_BYTES = 2_000, 700
BIG, BIG_COMMITS = 500, 12
ONE, ONE_COMMITS = 1, 300
STARTED = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Load:
    """Commits of a decider whose conversations are drawn at random; the same ones on every database.

    A commit of 500 events holds 500 seen ids, 300 states of 2 KB, 350 history rows, 300 conversation rows, 60 timers,
    and 500 records of 700 bytes in 12 outbox rows; it cancels the 60 timers and deletes the 12 rows of the one before.
    """

    def __init__(self, store: Store) -> None:
        leases = store.raise_fence(GROUP, PARTITIONS)
        self._random = Random(7)
        self._fences = {partition: lease.fence for partition, lease in leases.items()}
        self._next = {partition: lease.next_offset for partition, lease in leases.items()}
        self._number = count(1)
        self._timers: list[Timer] = []
        self.published: Sequence[int] = ()

    def commit(self, events: int) -> Commit:
        changed = self._random.sample(range(CONVERSATIONS), max(1, events * 3 // 5))
        names = [f"{number:036d}" for number in changed]
        cancelled = [timer.timer_id for timer in self._timers]
        self._timers = [self._timer(name) for name in names[: round(events * 0.12)]]
        shares = self._shares(events)
        return Commit(
            group=GROUP,
            advances=[self._advance(partition, size) for partition, size in shares.items()],
            seen=[self._id() for _ in range(events)],
            states=[StoredState(name, self._random.randbytes(STATE_BYTES)) for name in names],
            history=[self._history(names[at % len(names)]) for at in range(max(1, round(events * 0.7)))],
            projections=[self._conversation(name) for name in names],
            timers=self._timers,
            timers_cancelled=cancelled,
            outbox={p: [self._record(names[0]) for _ in range(size)] for p, size in shares.items()},
            published=self.published,
        )

    def _shares(self, events: int) -> dict[TopicPartition, int]:
        if events < len(PARTITIONS):
            return {self._random.choice(PARTITIONS): events}
        whole, rest = divmod(events, len(PARTITIONS))
        return {partition: whole + (place < rest) for place, partition in enumerate(PARTITIONS)}

    def _advance(self, partition: TopicPartition, size: int) -> Advance:
        expected = self._next[partition]
        self._next[partition] = (expected or 0) + size
        return Advance(partition, self._fences[partition], expected, (expected or 0) + size)

    def _id(self) -> EventId:
        return named_id("benchmark", str(next(self._number)))

    def _record(self, name: str) -> Outgoing:
        headers = (
            ("event_id", self._id().encode()),
            ("type", b"ReplyReady"),
            ("version", b"1"),
            ("tenant", b"bank"),
            ("tenant_version", b"0123456789abcdef"),
            ("customer_id", name.encode()),
            ("conversation_id", name.encode()),
            ("occurred_at", b"2026-11-23T09:00:00.000Z"),
        )
        in_headers = sum(len(header) + len(value) for header, value in headers) + len(name)
        value = b'{"seq":1,"text":"%s"}' % (b"s" * (RECORD_BYTES - in_headers - 19))
        return Outgoing("chat.outbound", name.encode(), value, headers)

    def _history(self, name: str) -> HistoryRow:
        out = self._record(name)
        conversation, seq = ConversationId(name), next(self._number)
        return HistoryRow(
            conversation, seq, 2, self._id(), "ReplyReady", "both", STARTED, out.headers, out.value
        )

    def _conversation(self, name: str) -> ConversationRow:
        seq = next(self._number)
        return ConversationRow(
            conversation_id=ConversationId(name),
            tenant=TenantId("bank"),
            customer_id=CustomerId(name),
            channel="web",
            language="en",
            owner="bot",
            human_agent_id=None,
            status="open",
            epoch=2,
            seq=seq,
            open_messages=seq % 2,
            last_intent="card_fees",
            started_at=STARTED,
            updated_at=STARTED + timedelta(seconds=seq),
        )

    def _timer(self, name: str) -> Timer:
        envelope = '{"event_id":"%s"}' % ("e" * 380)
        due_at = STARTED + timedelta(days=1)
        return Timer(self._id(), self._random.choice(PARTITIONS), name, "turn_deadline", 2, due_at, envelope)


def commit_rate(store: Store, load: Load, events: int, commits: int) -> float:
    """Events a second; the commits alone are timed, the making of their rows is not."""
    seconds = 0.0
    for _ in range(commits):
        commit = load.commit(events)
        began = perf_counter()
        entries = store.commit(commit)
        seconds += perf_counter() - began
        load.published = list(entries.values())
    return events * commits / seconds


def look_up_ms(store: Store, load: Load) -> float:
    """What a batch of 500 asks before it decides: 500 ids, and the states of 300 conversations."""
    commit = load.commit(BIG)
    began = perf_counter()
    for _ in range(10):
        store.seen(GROUP, commit.seen)
        store.states(GROUP, [state.key for state in commit.states])
    return (perf_counter() - began) * 100


def measure(name: str, url: str) -> dict[str, float]:
    """Medians of several runs, after one that fills the tables."""
    upgrade_store(url)
    store = open_store(url)
    load = Load(store)
    commit_rate(store, load, BIG, BIG_COMMITS)
    big = median(commit_rate(store, load, BIG, BIG_COMMITS) for _ in range(RUNS))
    one = median(commit_rate(store, load, ONE, ONE_COMMITS) for _ in range(RUNS))
    asked = median(look_up_ms(store, Load(store)) for _ in range(RUNS))
    store.close()
    return {
        f"{name}_commits_of_500_events_per_s": round(big),
        f"{name}_commits_of_1_events_per_s": round(one),
        f"{name}_look_up_of_500_ms": round(asked, 2),
    }


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="parley-bench-"))
    try:
        with servers(kafka=False) as (_, database):
            figures = {
                **measure("sqlite", f"sqlite:///{folder / 'store.db'}"),
                **measure("postgresql", database),
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report("store", **figures, to_reach={"postgresql_of_500": 3_000, "postgresql_of_1": 250})
