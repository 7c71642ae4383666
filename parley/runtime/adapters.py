"""Which adapter is live for each tenant: a table that is rebuilt from `adapters.updates` at the start and follows it from there."""

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from threading import Event as Flag
from threading import Lock

from parley.codec import Codec
from parley.errors import InvalidEvent, ParleyError
from parley.ports.bus import Bus, Consumer, Record
from parley.runtime.backoff import Backoff
from parley.runtime.faults import describe
from schemas.base import Event, TenantId
from schemas.other_events import AdapterPublished, AdapterRetired
from schemas.topics import ADAPTERS_UPDATES

log = logging.getLogger(__name__)

POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class LiveAdapter:
    """What a worker needs to load a tenant's live version."""

    tenant: TenantId
    digest: str
    uri: str
    base_model: str
    base_revision: str

    @property
    def name(self) -> str:
        """By which engines and answers know it, as `parley.ports.adapters.AdapterVersion` has it."""
        return f"{self.tenant}@{self.digest}"


OnChange = Callable[[TenantId, LiveAdapter | None, LiveAdapter | None], None]
"""Told of each change, in the listening thread, once `live` says the same: the tenant, what was live, what is."""
Table = dict[TenantId, LiveAdapter]


class LiveAdapters:
    """Thread-safe. The base model is what a tenant has that is not in the table.

    `listen` runs in a thread of its own; until the topic has been read up to where it ended when listening began, the table is empty
    (`wait` tells), so that nobody sees a version that was live long ago. When the bus comes back after an outage, the table is read anew
    and only what differs is told.
    """

    def __init__(self, on_change: OnChange | None = None) -> None:
        self._on_change = on_change
        self._table: Table = {}
        self._lock = Lock()
        self._rebuilt = Flag()

    def tell(self, on_change: OnChange) -> None:
        """Who is to hear of changes from now on."""
        self._on_change = on_change

    def digest_of(self, tenant: TenantId) -> str | None:
        """The live version's; None where the base model answers."""
        found = self.live(tenant)
        return found.digest if found is not None else None

    def live(self, tenant: TenantId) -> LiveAdapter | None:
        with self._lock:
            return self._table.get(tenant)

    def everybody(self) -> list[LiveAdapter]:
        with self._lock:
            return list(self._table.values())

    def wait(self, timeout_s: float) -> bool:
        """Whether the table is rebuilt, at the latest after `timeout_s`."""
        return self._rebuilt.wait(timeout_s)

    def listen(self, bus: Bus, codec: Codec, stop: Flag) -> None:
        """Rebuild, then follow until `stop`, also when the bus comes only later or goes away in between."""
        backoff = Backoff(0.2, 5.0)
        while not stop.is_set():
            try:
                self._follow(bus, codec, stop, backoff)
            except ParleyError as error:
                log.warning("inference hears of no adapters: %s", error)
                stop.wait(backoff.next())

    def _follow(self, bus: Bus, codec: Codec, stop: Flag, backoff: Backoff) -> None:
        with closing(bus.reader([ADAPTERS_UPDATES.name], start="earliest")) as reader:
            table = _read_to_the_end(reader, codec, stop)
            if stop.is_set():
                return
            self._become(table)
            self._rebuilt.set()
            backoff.reset()
            while not stop.is_set():
                for record in reader.poll(POLL_S):
                    changed = dict(table)
                    _apply(changed, record, codec)
                    self._become(changed)
                    table = changed

    def _become(self, table: Table) -> None:
        with self._lock:
            old, self._table = self._table, table
        for tenant in sorted(old.keys() | table.keys()):
            if old.get(tenant) != table.get(tenant):
                self._tell(tenant, old.get(tenant), table.get(tenant))

    def _tell(self, tenant: TenantId, old: LiveAdapter | None, new: LiveAdapter | None) -> None:
        if self._on_change is None:
            return
        try:
            self._on_change(tenant, old, new)
        except Exception as error:  # the other tenants' news are heard all the same
            log.error("the change of %s's adapter was not taken: %s", tenant, describe(error))


def _read_to_the_end(reader: Consumer, codec: Codec, stop: Flag) -> Table:
    """The table as the records up to the present end leave it; what comes meanwhile may be in it too."""
    table: Table = {}
    ends = reader.end_offsets(reader.assignment())
    while not stop.is_set() and any(reader.position(each) < end for each, end in ends.items()):
        for record in reader.poll(POLL_S):
            _apply(table, record, codec)
    return table


def _apply(table: Table, record: Record, codec: Codec) -> None:
    """What cannot be read leaves its tenant as it was. Raises `NewerVersion`: readers are deployed first."""
    try:
        event = codec.decode(record)
    except InvalidEvent as error:
        log.error("adapters.updates, offset %d: %s", record.offset, error)
        return
    if not isinstance(event, Event):
        return
    tenant, body = event.envelope.tenant, event.body
    if isinstance(body, AdapterPublished | AdapterRetired) and body.adapter != tenant:
        log.error("adapters.updates, offset %d: adapter: is not the tenant's own", record.offset)
    elif isinstance(body, AdapterPublished):
        table[tenant] = LiveAdapter(tenant, body.digest, body.uri, body.base_model, body.base_revision)
    elif isinstance(body, AdapterRetired):
        table.pop(tenant, None)
