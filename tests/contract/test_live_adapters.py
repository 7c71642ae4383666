"""Which adapter is live, as it is told on `adapters.updates` and heard by workers: on every bus."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from parley.backends.memory_adapters import MemoryAdapters
from parley.errors import AdapterRefused, UnknownTenant
from parley.ids import named_id
from parley.ports.adapters import AdapterVersion
from parley.runtime.adapter_pointer import AdapterPointer
from parley.runtime.adapters import LiveAdapter, LiveAdapters
from parley.runtime.announcing import about_tenant
from schemas.base import TenantId
from schemas.other_events import AdapterPublished, AdapterRetired
from schemas.tenant import TenantConfig
from tests.support.buses import DEADLINE_S, Backend, KafkaBackend, MemoryBackend, SqliteBackend
from tests.support.platform import ManualClock, events_on, make_platform, records_on, send
from tests.support.small_tenant import CONFIG, CONTENT, TENANT, VERSION
from workers.wiring import Platform, adapter_pointer

TOPIC = "adapters.updates"
NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SHOP = TenantId("shop")
A, B, C = "a" * 64, "b" * 64, "c" * 64

Change = tuple[str, str | None, str | None]


@pytest.fixture(params=["memory", "sqlite", "kafka"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    made: Backend
    if request.param == "memory":
        made = MemoryBackend()
    elif request.param == "sqlite":
        made = SqliteBackend(tmp_path / "log.db")
    else:
        made = KafkaBackend(request.getfixturevalue("clean_kafka"))
    yield made
    made.close()


@pytest.fixture
def platform(backend: Backend) -> Platform:
    """With two tenants, and A, B and C registered for each."""
    opened = make_platform(backend.bus, clock=ManualClock())
    fields = {**CONFIG.model_dump(), "id": SHOP}
    opened.store.put(VERSION, TenantConfig.model_validate(fields), CONTENT, NINE)
    for tenant in (TENANT, SHOP):
        for minutes, digest in enumerate((A, B, C)):
            opened.store.adapters.add(version(tenant, digest, minutes))
    return opened


def version(tenant: TenantId, digest: str, minutes: int = 0) -> AdapterVersion:
    at = NINE + timedelta(minutes=minutes)
    return AdapterVersion(tenant, digest, "tiny", "r1", 8, 10, f"file:///x/{tenant}/{digest}", at)


def adapter(tenant: TenantId, digest: str) -> LiveAdapter:
    return LiveAdapter(tenant, digest, f"file:///x/{tenant}/{digest}", "tiny", "r1")


class Heard:
    """A listener in a thread, and the changes that it told."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.adapters = LiveAdapters(self._heard)

    def _heard(self, tenant: TenantId, old: LiveAdapter | None, new: LiveAdapter | None) -> None:
        assert self.adapters.live(tenant) == new, "who is told asks, and hears the same"
        self.changes.append((tenant, old.digest if old else None, new.digest if new else None))

    @contextmanager
    def listening(self, platform: Platform, *, wait: bool = True) -> Iterator[LiveAdapters]:
        stop = threading.Event()
        arguments = (platform.bus, platform.codec, stop)
        thread = threading.Thread(target=self.adapters.listen, args=arguments, daemon=True)
        thread.start()
        try:
            if wait:
                assert self.adapters.wait(DEADLINE_S)
            yield self.adapters
        finally:
            stop.set()
            thread.join(DEADLINE_S)
        assert not thread.is_alive()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# --- what is told ----------------------------------------------------------------------------------------------------


def test_what_becomes_live_is_told_under_the_tenants_key(platform: Platform) -> None:
    pointer = adapter_pointer(platform)
    assert pointer.go_live(TENANT, A) is None
    assert pointer.go_live(TENANT, B) == A
    pointer.retire(TENANT, B, to_base=True)
    bodies = [event.body for event in events_on(platform, TOPIC)]
    told = {"adapter": TENANT, "base_model": "tiny", "base_revision": "r1"}
    assert bodies[-3:] == [
        AdapterPublished(digest=A, uri=f"file:///x/bank/{A}", **told),
        AdapterPublished(digest=B, uri=f"file:///x/bank/{B}", **told),
        AdapterRetired(adapter=TENANT, digest=A),
    ]
    assert {record.key for record in records_on(platform, TOPIC)} == {b"bank"}
    envelope = events_on(platform, TOPIC)[-1].envelope
    assert (envelope.customer_id, envelope.conversation_id) == ("tenant", "tenant")
    assert envelope.tenant_version == VERSION


def test_what_moves_no_pointer_is_not_told(platform: Platform) -> None:
    pointer = adapter_pointer(platform)
    pointer.register(version(TENANT, "d" * 64))
    pointer.retire(TENANT, C)
    with pytest.raises(AdapterRefused, match="retired"):
        pointer.go_live(TENANT, C)
    assert pointer.tell(SHOP) is True and pointer.tell(TenantId("nobody")) is False
    assert {event.envelope.tenant for event in events_on(platform, TOPIC)} == {SHOP}


def test_the_live_one_is_retired_only_for_the_base_model(platform: Platform) -> None:
    pointer = adapter_pointer(platform)
    pointer.go_live(TENANT, A)
    with pytest.raises(AdapterRefused, match="is live"):
        pointer.retire(TENANT, A)
    assert platform.store.adapters.live(TENANT) == A
    pointer.retire(TENANT, A, to_base=True)
    held = platform.store.adapters.get(TENANT, A)
    assert platform.store.adapters.live(TENANT) is None and held is not None and held.retired_at is not None


def test_the_same_files_cannot_be_registered_for_another_base(platform: Platform) -> None:
    pointer = adapter_pointer(platform)
    other = replace(version(TENANT, A), base_revision="r2")
    with pytest.raises(AdapterRefused, match="is registered for the base tiny@r1, not tiny@r2"):
        pointer.register(other)
    pointer.retire(TENANT, A)
    assert pointer.register(other, again=True) == other


def test_what_was_retired_is_registered_only_again(platform: Platform) -> None:
    pointer, registry = adapter_pointer(platform), platform.store.adapters
    registry.retire(TENANT, A, NINE)
    for refuse in (pointer.check, pointer.register):
        with pytest.raises(
            AdapterRefused, match=r"was retired at 2026-11-23T09:00:00.*; allowed: .* --again"
        ):
            refuse(version(TENANT, A))
    held = registry.get(TENANT, A)
    assert held is not None and held.retired_at == NINE
    assert pointer.check(version(TENANT, A), again=True) is True
    assert pointer.register(version(TENANT, A), again=True).retired_at is None
    assert pointer.check(version(TENANT, A), again=True) is False


def test_a_tenant_that_was_never_imported_is_told_nothing_about(platform: Platform) -> None:
    nobody = TenantId("nobody")
    platform.store.adapters.add(version(nobody, A))
    with pytest.raises(UnknownTenant):
        adapter_pointer(platform).go_live(nobody, A)


class Overtaken(MemoryAdapters):
    """Somebody else moves the pointer just after it was read."""

    def __init__(self) -> None:
        super().__init__()
        self.moves_to: str | None = None

    def live(self, tenant: TenantId) -> str | None:
        found = super().live(tenant)
        moves_to, self.moves_to = self.moves_to, None
        if moves_to is not None:
            self.point(tenant, moves_to, NINE)
        return found


def test_of_two_who_move_the_pointer_at_once_the_last_record_tells_the_last_move(platform: Platform) -> None:
    registry = Overtaken()
    registry.add(version(TENANT, A))
    registry.add(version(TENANT, B))
    registry.moves_to = B
    AdapterPointer(registry, platform.store, platform.bus, platform.codec, platform.clock).go_live(TENANT, A)
    last = events_on(platform, TOPIC)[-1].body
    assert isinstance(last, AdapterPublished) and last.digest == registry.live(TENANT) == B


# --- what is heard ---------------------------------------------------------------------------------------------------


def test_the_table_is_rebuilt_from_the_last_record_of_each_tenant(platform: Platform) -> None:
    pointer = adapter_pointer(platform)
    for digest in (A, B, C, B):
        pointer.go_live(TENANT, digest)
    pointer.go_live(SHOP, A)
    pointer.retire(SHOP, A, to_base=True)
    heard = Heard()
    assert heard.adapters.live(TENANT) is None and not heard.adapters.wait(0)
    with heard.listening(platform) as live:
        assert live.live(TENANT) == adapter(TENANT, B)
        assert live.live(SHOP) is None and live.live(TenantId("nobody")) is None
        assert live.everybody() == [adapter(TENANT, B)]
    assert heard.changes == [(TENANT, None, B)], "what was live long ago is not told"


def test_an_empty_topic_is_a_table_without_adapters(platform: Platform) -> None:
    with Heard().listening(platform) as live:
        assert live.everybody() == []


def test_it_follows_what_is_told_later(platform: Platform) -> None:
    pointer = adapter_pointer(platform)
    pointer.go_live(TENANT, A)
    heard = Heard()
    with heard.listening(platform) as live:
        pointer.go_live(TENANT, B)
        pointer.go_live(SHOP, C)
        pointer.tell(SHOP)
        pointer.go_live(TENANT, A)
        pointer.retire(SHOP, C, to_base=True)
        until(lambda: len(heard.changes) == 5)
        assert live.live(TENANT) == adapter(TENANT, A) and live.live(SHOP) is None
    assert heard.changes == [
        (TENANT, None, A),
        (TENANT, A, B),
        (SHOP, None, C),
        (TENANT, B, A),
        (SHOP, C, None),
    ]


def test_a_compacted_topic_gives_the_same_table(platform: Platform, backend: Backend) -> None:
    pointer = adapter_pointer(platform)
    for _ in range(30):
        for digest in (A, B):
            pointer.go_live(TENANT, digest)
    if not isinstance(backend, KafkaBackend):  # whose broker compacts when it likes
        backend.drop_before(TOPIC, int(time.time() * 1000))
        assert len(records_on(platform, TOPIC)) < 60
    with Heard().listening(platform) as live:
        assert live.live(TENANT) == adapter(TENANT, B)


def test_a_record_that_cannot_be_read_leaves_its_tenant_as_it_was(platform: Platform) -> None:
    pointer = adapter_pointer(platform)
    pointer.go_live(TENANT, A)
    record = records_on(platform, TOPIC)[-1]
    foreign = AdapterPublished(adapter=SHOP, digest=B, base_model="tiny", base_revision="r1", uri="file:///x")
    send(platform, about_tenant(foreign, named_id("foreign"), TENANT, VERSION, NINE))
    producer = platform.bus.producer()
    wrong = {"adapter": TENANT, "digest": "../../etc"}
    for key, value in (
        (b"bank", b"nonsense"),
        (b"bank", json.dumps(wrong).encode()),
        (b"shop", record.value),
        (b"bank", None),
    ):
        producer.send(TOPIC, key=key, value=value, headers=record.headers)
    producer.flush()
    producer.close()
    heard = Heard()
    with heard.listening(platform) as live:
        pointer.go_live(SHOP, C)
        until(lambda: live.live(SHOP) is not None)
        assert live.everybody() == [adapter(TENANT, A), adapter(SHOP, C)]


def test_a_record_of_a_newer_version_is_waited_for_and_not_passed_over(platform: Platform) -> None:
    """Readers are deployed first: a worker that cannot read what is live does not guess."""
    adapter_pointer(platform).go_live(TENANT, A)
    record = records_on(platform, TOPIC)[-1]
    headers = tuple((name, b"2" if name == "version" else value) for name, value in record.headers)
    producer = platform.bus.producer()
    producer.send(TOPIC, key=b"bank", value=record.value, headers=headers)
    producer.flush()
    producer.close()
    heard = Heard()
    with heard.listening(platform, wait=False) as live:
        assert not live.wait(1.0)
        assert live.everybody() == []


def test_an_error_of_who_is_told_stops_nothing(platform: Platform) -> None:
    def broken(*_: object) -> None:
        raise ValueError("secret")

    heard = Heard()
    heard.adapters = LiveAdapters(broken)
    pointer = adapter_pointer(platform)
    with heard.listening(platform) as live:
        pointer.go_live(TENANT, A)
        pointer.go_live(SHOP, B)
        until(lambda: len(live.everybody()) == 2)


def test_nobody_has_to_be_told(platform: Platform) -> None:
    adapter_pointer(platform).go_live(TENANT, A)
    heard = Heard()
    heard.adapters = LiveAdapters()
    with heard.listening(platform) as live:
        assert live.live(TENANT) == adapter(TENANT, A)


def test_a_bus_that_comes_later_is_waited_for(platform: Platform, backend: Backend) -> None:
    adapter_pointer(platform).go_live(TENANT, A)
    backend.stop()
    with Heard().listening(platform, wait=False) as live:
        # SQLite's log can be read even while somebody else holds it locked.
        assert live.wait(0.5) is isinstance(backend, SqliteBackend)
        backend.start()
        assert live.wait(DEADLINE_S)
        assert live.live(TENANT) == adapter(TENANT, A)


def test_topics_that_are_applied_later_are_waited_for(backend: Backend) -> None:
    bare = replace(make_platform(MemoryBackend().bus), bus=backend.bus)
    heard = Heard()
    with heard.listening(bare, wait=False) as live:
        assert not live.wait(0.5)
        make_platform(backend.bus)
        assert live.wait(DEADLINE_S)


def test_a_bus_that_goes_away_in_between_is_followed_again(platform: Platform, backend: Backend) -> None:
    pointer = adapter_pointer(platform)
    pointer.go_live(TENANT, A)
    heard = Heard()
    with heard.listening(platform) as live:
        backend.stop()
        time.sleep(0.5)
        assert live.live(TENANT) == adapter(TENANT, A), "what is known stays known"
        backend.start()
        pointer.go_live(TENANT, B)
        until(lambda: live.live(TENANT) == adapter(TENANT, B))
    assert heard.changes == [(TENANT, None, A), (TENANT, A, B)]
