"""The one writer of this process: everything that changes the file goes through its thread, many jobs a transaction.

What arrives while a transaction is being written is written together in the next one, so that one `fsync` serves many
sends. The thread also knows how far each partition reaches, rings the bells of consumers, looks for what other
processes wrote, and keeps the sessions.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

from parley.backends.local_log import Bell, Member
from parley.backends.sqlite_bus import groups, storage
from parley.backends.sqlite_bus.alive import Alive
from parley.backends.sqlite_bus.jobs import Append, Call, Job
from parley.backends.sqlite_bus.storage import Topic, row_id
from parley.backends.sqlite_bus.sweep import Sweeper
from parley.errors import BusUnavailable
from parley.ports.bus import Position
from parley.runtime.faults import describe

log = logging.getLogger(__name__)

T = TypeVar("T")

BUSY_TIMEOUT_S = 0.25
CALL_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 5.0
RETRY_S = 0.02
MAX_JOBS = 2000
ACTIVE_LOOK_S, IDLE_LOOK_S = 0.02, 0.05
"""How often other processes' writes are looked for: in the seconds after something happened, and otherwise."""
ACTIVE_FOR_S = 5.0
SESSIONS_EVERY_S = 1.0
CHECKPOINT_BYTES = 4 * 1_048_576


@dataclass(slots=True)
class _Known:
    """What this process knows of the file. Written by the engine's thread only."""

    topics: dict[str, Topic] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    stored_versions: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)


class Engine:
    """Thread-safe. Opens the file at the first use; `path` is the file's real path."""

    def __init__(self, path: Path, monotonic: Callable[[], float]) -> None:
        self.path = path
        self.now_s = monotonic
        self._alive = Alive(path)
        self._known = _Known()
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._open_lock = Lock()
        self._put_lock = Lock()
        self._bells_lock = Lock()
        self._bells: dict[Bell, frozenset[int]] = {}
        self._members: dict[str, Member] = {}
        self._db: sqlite3.Connection | None = None
        self._thread: Thread | None = None
        self._closed = False
        self._data_version = -1
        self._synchronous = "FULL"
        self._active_until_s = 0.0
        self._unmoved_bytes = 0
        self._look_at_s = 0.0
        self._sessions_at_s = 0.0
        self._sweeper = Sweeper()

    # -- from any thread ----------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Raises `BusUnavailable`, `ConfigurationError`."""
        if self._thread is not None:
            return
        with self._open_lock:
            if self._thread is None and not self._closed:
                with storage.translated(self.path):
                    self._db = self._connect()
                    self._refresh(self._db)
                self._thread = Thread(target=self._run, name="sqlite-bus", daemon=True)
                self._thread.start()

    def _connect(self) -> sqlite3.Connection:
        db = storage.connect(self.path, CALL_TIMEOUT_S)
        try:
            storage.prepare(db, self.path)
            db.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
            db.execute("PRAGMA wal_autocheckpoint = 8000")  # pages; smaller ones are made in idle moments
        except BaseException:
            db.close()
            raise
        return db

    def put(self, job: Job) -> None:
        """Raises `BusUnavailable` when the log was closed."""
        self.open()
        with self._put_lock:
            if self._closed:
                raise BusUnavailable(f"the log {self.path} was closed")
            self._queue.put(job)

    def call(
        self, do: Callable[[sqlite3.Connection], T], *, durable: bool = False, group: str | None = None
    ) -> T:
        """Run `do` in a write transaction and wait for it; with a group, its members are rung afterwards."""
        future: Future[T] = Future()
        self.put(Call(time.monotonic() + CALL_TIMEOUT_S, do, future, durable, group))
        return future.result()

    def topic(self, name: str) -> Topic:
        """Raises `UnknownTopic`."""
        self.open()
        found = self._known.topics.get(name)
        if found is None:
            self.refresh()  # another process may have made it a moment ago
            found = self._known.topics.get(name)
        if found is None:
            raise storage.unknown_topic(name)
        return found

    def topics(self) -> Mapping[str, Topic]:
        self.open()
        return self._known.topics

    def refresh(self) -> None:
        """Look at the file now, at what this process wrote too."""
        self.call(self._refresh)

    def sweep(self, now_ms: int) -> None:
        """Apply retention and compaction now instead of when it is time."""
        self.call(lambda _: self._sweeper.hurry(now_ms))
        self.refresh()

    def end(self, number: int) -> int:
        """As far as this process knows; what others wrote a moment ago may be missing."""
        return self._known.ends[number]

    def version(self, group: str) -> int:
        return self._known.versions.get(group, 0)

    def listen(self, bell: Bell, numbers: Iterable[int]) -> None:
        with self._bells_lock:
            self._bells[bell] = frozenset(numbers)

    def unlisten(self, bell: Bell) -> None:
        with self._bells_lock:
            self._bells.pop(bell, None)

    def add_member(self, member: Member) -> None:
        def join(db: sqlite3.Connection) -> None:
            self._alive.show()
            groups.join(db, member, self._alive.process, self.now_s())
            self._members[member.member_id] = member
            self._sessions_at_s = 0.0

        self.call(join, group=member.group)

    def remove_member(self, member: Member) -> None:
        def leave(db: sqlite3.Connection) -> None:
            groups.remove(db, member.member_id, member.group)
            self._members.pop(member.member_id, None)

        self.call(leave, group=member.group)

    def close(self) -> None:
        with self._open_lock, self._put_lock:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        if self._thread is not None:
            self._thread.join(CLOSE_TIMEOUT_S)
        self._alive.hide()

    # -- the thread: jobs ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        db = self._db
        assert db is not None  # opened before the thread was started
        pending: list[Job] = []
        closing = False
        while pending or not closing:
            closing = self._collect(pending) or closing
            if pending:
                self._write(db, pending)
            elif not closing:
                self._idle(db)
            self._chores(db)
        db.close()

    def _collect(self, pending: list[Job]) -> bool:
        """Add what waits to the pending jobs, waiting for a first one. True when asked to close."""
        wait_s = 0.0 if pending else max(0.0, self._look_at_s - time.monotonic())
        try:
            job = self._queue.get(timeout=wait_s) if wait_s else self._queue.get_nowait()
            while job is not None:
                pending.append(job)
                if len(pending) >= MAX_JOBS:
                    return False
                job = self._queue.get_nowait()
        except Empty:
            return False
        return True

    def _write(self, db: sqlite3.Connection, pending: list[Job]) -> None:
        """Write the pending jobs in one transaction, or keep them for another try."""
        self._active_until_s = time.monotonic() + ACTIVE_FOR_S
        try:
            answers, ends = self._transact(db, pending)
        except sqlite3.Error as error:
            self._roll_back(db)
            self._postpone(pending, storage.translate(error, self.path))
            return
        except Exception as error:  # a fault of ours must not leave everybody waiting
            log.error("the log %s: a transaction failed: %s", self.path, describe(error))
            self._roll_back(db)
            self._postpone(pending, error)
            return
        self._known.ends.update(ends)
        jobs, pending[:] = list(pending), []
        self._ring(ends.keys())
        for job, answer in zip(jobs, answers, strict=True):
            if isinstance(job, Call) and job.group is not None:
                self._changed(job.group)
            if isinstance(answer, BaseException):
                job.future.set_exception(answer)
            else:
                job.future.set_result(answer)

    def _transact(self, db: sqlite3.Connection, jobs: list[Job]) -> tuple[list[Any], dict[int, int]]:
        """The jobs' answers, and where the partitions that were written to end now. Raises `sqlite3.Error`."""
        self._choose_durability(db, any(isinstance(job, Append) or job.durable for job in jobs))
        db.execute("BEGIN IMMEDIATE")
        self._notice_others(db)
        ends: dict[int, int] = {}
        rows = []
        answers: list[Any] = []
        for job in jobs:
            if isinstance(job, Append):
                offset = ends.get(job.number, self._known.ends[job.number])
                ends[job.number] = offset + 1
                rows.append((row_id(job.number, offset), *job.row))
                answers.append(Position(*job.partition, offset))
            else:
                answers.append(job.answer(db))
        if rows:
            db.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", rows)
            self._unmoved_bytes += sum(len(headers) + len(value or b"") for _, _, _, headers, value in rows)
        db.execute("COMMIT")
        return answers, ends

    def _choose_durability(self, db: sqlite3.Connection, durable: bool) -> None:
        """Records survive a power cut. Offsets and members need not: without them records are delivered again."""
        wanted = "FULL" if durable else "NORMAL"
        if wanted != self._synchronous:
            db.execute(f"PRAGMA synchronous = {wanted}")
            self._synchronous = wanted

    def _roll_back(self, db: sqlite3.Connection) -> None:
        if db.in_transaction:
            try:
                db.execute("ROLLBACK")
            except sqlite3.Error as error:
                log.warning("the log %s: %s", self.path, error)
        self._data_version = -1

    def _postpone(self, pending: list[Job], error: Exception) -> None:
        """Keep for another try what still has time, unless trying again is no use."""
        now_s = time.monotonic()
        again = isinstance(error, BusUnavailable)
        jobs, pending[:] = list(pending), []
        for job in jobs:
            if again and job.until_s > now_s:
                pending.append(job)
            else:
                job.future.set_exception(error)
        if pending:
            time.sleep(RETRY_S)

    # -- the thread: what else there is to do -------------------------------------------------------------------------

    def _idle(self, db: sqlite3.Connection) -> None:
        try:
            self._notice_others(db)
            self._checkpoint(db)
        except sqlite3.Error as error:
            log.debug("the log %s: %s", self.path, error)

    def _chores(self, db: sqlite3.Connection) -> None:
        now_s = time.monotonic()
        self._look_at_s = now_s + (ACTIVE_LOOK_S if now_s < self._active_until_s else IDLE_LOOK_S)
        try:
            if now_s >= self._sessions_at_s:
                self._sessions_at_s = now_s + self._keep_sessions(db)
            self._sweeper.step(db, self._known.topics, self._known.ends)
        except sqlite3.Error as error:
            self._roll_back(db)
            log.debug("the log %s: %s", self.path, error)

    def _notice_others(self, db: sqlite3.Connection) -> None:
        """Cheap while nobody else wrote: the version moves with other connections' commits only, and ours do not write."""
        (version,) = db.execute("PRAGMA data_version").fetchone()
        if version != self._data_version:
            self._refresh(db)
            self._data_version = version

    def _refresh(self, db: sqlite3.Connection) -> None:
        known = self._known
        ends = {number: end for number, (_, end) in storage.load_bounds(db).items()}
        grown = [number for number, end in ends.items() if known.ends.get(number, 0) < end]
        known.ends.update(ends)
        known.topics = storage.load_topics(db)  # last: who finds a topic finds its partitions too
        stored = groups.versions(db)
        changed = [name for name, version in stored.items() if known.stored_versions.get(name) != version]
        known.stored_versions = stored
        self._ring(grown)
        for group in changed:
            self._changed(group)
        if grown or changed:
            self._active_until_s = time.monotonic() + ACTIVE_FOR_S

    def _ring(self, numbers: Iterable[int]) -> None:
        with self._bells_lock:
            bells = [bell for bell, wanted in self._bells.items() if not wanted.isdisjoint(numbers)]
        for bell in bells:
            bell.ring()

    def _changed(self, group: str) -> None:
        self._known.versions[group] = self._known.versions.get(group, 0) + 1
        for member in list(self._members.values()):
            if member.group == group:
                member.bell.ring()

    def _keep_sessions(self, db: sqlite3.Connection) -> float:
        """Say that our members live, expel those that stalled, here or elsewhere; returns the seconds to the next time."""
        now_s = self.now_s()
        members = list(self._members.values())
        gone = [(m.member_id, m.group) for m in members if not m.alive(now_s)]
        gone += groups.overdue(db, self._alive.process, now_s)
        for process in groups.other_processes(db, self._alive.process):
            if self._alive.is_dead(process):
                gone += groups.of_process(db, process)
        if members or gone:
            self._choose_durability(db, durable=False)
            db.execute("BEGIN IMMEDIATE")
            groups.note_seen(db, members, now_s)
            for member_id, group in gone:
                groups.remove(db, member_id, group)
            db.execute("COMMIT")
        for member_id, group in gone:
            self._members.pop(member_id, None)
            self._changed(group)
        shortest_s = min((member.session_timeout_s for member in members), default=10.0)
        return min(SESSIONS_EVERY_S, shortest_s / 8)

    def _checkpoint(self, db: sqlite3.Connection) -> None:
        """Move what was written from the WAL into the file while nobody waits."""
        if self._unmoved_bytes > CHECKPOINT_BYTES:
            self._unmoved_bytes = 0
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
