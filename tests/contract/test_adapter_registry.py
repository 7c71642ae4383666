"""The registry of adapters, one suite on every backend: in memory, SQLite, PostgreSQL."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.migrations import upgrade_store
from parley.backends.memory_store import MemoryStore
from parley.backends.sql import open_store
from parley.errors import AdapterRefused, StoreUnavailable
from parley.ports.adapters import AdapterRegistry, AdapterVersion
from schemas.base import TenantId

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BANK, SHOP = TenantId("bank"), TenantId("shop")
A, B, C = "a" * 64, "b" * 64, "c" * 64


def version(digest: str = A, tenant: TenantId = BANK, minutes: int = 0) -> AdapterVersion:
    return AdapterVersion(
        tenant=tenant,
        digest=digest,
        base_model="tiny",
        base_revision="r1",
        rank=8,
        bytes=3_000_000_000,
        uri=f"file:///adapters/{tenant}/{digest}",
        published_at=NINE + timedelta(minutes=minutes),
    )


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AdapterRegistry]:
    if request.param == "memory":
        yield MemoryStore().adapters
        return
    url = f"sqlite:///{tmp_path / 'store.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("store_url")
    else:
        upgrade_store(url)
    opened = open_store(url)
    yield opened.adapters
    opened.close()


@pytest.fixture
def three(registry: AdapterRegistry) -> AdapterRegistry:
    """With A, B and C registered for the bank."""
    for minutes, digest in enumerate((A, B, C)):
        registry.add(version(digest, minutes=minutes))
    return registry


def test_a_version_comes_back_as_it_was(registry: AdapterRegistry) -> None:
    registry.add(version())
    found = registry.get(BANK, A)
    assert found == version() and found.published_at.utcoffset() == timedelta(0)
    assert found.name == f"bank@{A}"
    assert registry.get(BANK, B) is None and registry.get(SHOP, A) is None


def test_versions_are_listed_newest_first_and_by_tenant(three: AdapterRegistry) -> None:
    three.add(version(A, SHOP, minutes=1))
    assert [(each.tenant, each.digest) for each in three.versions()] == [
        (BANK, C),
        (BANK, B),
        (SHOP, A),
        (BANK, A),
    ]
    assert [each.digest for each in three.versions(BANK)] == [C, B, A]
    assert three.versions(TenantId("nobody")) == []


def test_a_digest_that_is_there_already_stays_as_it_is(registry: AdapterRegistry) -> None:
    registry.add(version())
    registry.add(replace(version(), uri="file:///elsewhere", rank=16))
    assert registry.versions() == [version()]


def test_a_retired_version_is_told_with_its_time_and_can_be_added_again(registry: AdapterRegistry) -> None:
    registry.add(version())
    registry.retire(BANK, A, NINE)
    assert registry.get(BANK, A) == replace(version(), retired_at=NINE)
    registry.retire(BANK, A, NINE + timedelta(hours=1))
    assert registry.versions()[0].retired_at == NINE, "the first time counts"
    again = replace(version(), base_revision="r2", published_at=NINE + timedelta(days=1))
    registry.add(again)
    assert registry.get(BANK, A) == replace(version(), retired_at=NINE), "only when it is said"
    registry.add(again, again=True)
    assert registry.get(BANK, A) == again
    registry.add(version(), again=True)
    assert registry.get(BANK, A) == again, "what was not retired stays as it is"


def test_retiring_what_is_unknown_does_nothing(registry: AdapterRegistry) -> None:
    registry.retire(BANK, A, NINE)
    assert registry.versions() == []


def test_the_base_model_is_live_until_a_version_is(three: AdapterRegistry) -> None:
    assert three.live(BANK) is None and three.before(BANK) is None
    assert three.point(BANK, A, NINE) is None
    assert three.live(BANK) == A and three.before(BANK) is None
    assert three.live(SHOP) is None


def test_the_pointer_moves_and_knows_what_was_before(three: AdapterRegistry) -> None:
    three.point(BANK, A, NINE)
    assert three.point(BANK, B, NINE) == A
    assert three.point(BANK, C, NINE) == B
    assert (three.live(BANK), three.before(BANK)) == (C, B)
    assert three.point(BANK, B, NINE) == C, "a rollback"
    assert (three.live(BANK), three.before(BANK)) == (B, C)


def test_pointing_at_what_is_live_moves_nothing(three: AdapterRegistry) -> None:
    three.point(BANK, A, NINE)
    three.point(BANK, B, NINE)
    assert three.point(BANK, B, NINE) == A
    assert (three.live(BANK), three.before(BANK)) == (B, A)


def test_a_rollback_passes_over_what_was_retired_and_the_base_model(three: AdapterRegistry) -> None:
    for digest in (A, B, C, None):
        three.point(BANK, digest, NINE)
    assert three.live(BANK) is None
    three.retire(BANK, C, NINE)
    assert three.before(BANK) == B
    three.point(BANK, B, NINE)
    assert three.before(BANK) == A
    three.retire(BANK, A, NINE)
    assert three.before(BANK) is None


def test_tenants_have_pointers_of_their_own(three: AdapterRegistry) -> None:
    three.add(version(A, SHOP))
    three.point(BANK, B, NINE)
    three.point(SHOP, A, NINE)
    assert (three.live(BANK), three.live(SHOP)) == (B, A)
    with pytest.raises(AdapterRefused):
        three.point(SHOP, B, NINE)


def test_what_is_unknown_or_retired_never_becomes_live(registry: AdapterRegistry) -> None:
    with pytest.raises(AdapterRefused, match="never registered"):
        registry.point(BANK, A, NINE)
    registry.add(version())
    registry.retire(BANK, A, NINE)
    with pytest.raises(AdapterRefused, match="retired"):
        registry.point(BANK, A, NINE)
    assert registry.live(BANK) is None


def test_what_is_live_is_not_retired(three: AdapterRegistry) -> None:
    three.point(BANK, A, NINE)
    with pytest.raises(AdapterRefused, match="is live"):
        three.retire(BANK, A, NINE)
    three.point(BANK, None, NINE)
    three.retire(BANK, A, NINE)
    retired = three.get(BANK, A)
    assert retired is not None and retired.retired_at == NINE


def test_who_moves_the_pointer_at_once_leaves_one_live_and_it_is_not_retired(three: AdapterRegistry) -> None:
    """Threads that point and retire against each other: what is live in the end can be served."""

    def restless(digest: str) -> None:
        for _ in range(15):
            for act in (three.point, three.retire):
                try:
                    act(BANK, digest, NINE)
                except AdapterRefused:
                    three.add(version(digest), again=True)

    threads = [threading.Thread(target=restless, args=(digest,)) for digest in (A, B, C)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    live = three.live(BANK)
    assert live is not None
    held = three.get(BANK, live)
    assert held is not None and held.retired_at is None


def test_a_version_that_is_locked_stays_as_it_is_until_the_block_ends(registry: AdapterRegistry) -> None:
    registry.add(version())
    registry.retire(BANK, A, NINE)
    adding = threading.Thread(target=registry.add, args=(version(minutes=1),), kwargs={"again": True})
    with registry.locked(BANK, A) as held:
        assert held == replace(version(), retired_at=NINE)
        adding.start()
        adding.join(0.3)
        assert adding.is_alive()
    adding.join()
    assert registry.get(BANK, A) == version(minutes=1)
    with registry.locked(BANK, B) as unknown:
        assert unknown is None


def test_a_block_that_fails_lets_the_version_go(registry: AdapterRegistry) -> None:
    registry.add(version())
    with pytest.raises(StoreUnavailable, match="the files are away"), registry.locked(BANK, A):
        raise StoreUnavailable("the files are away")
    registry.retire(BANK, A, NINE)
    assert registry.versions()[0].retired_at == NINE


def test_a_database_that_is_away_is_a_store_that_is_unavailable() -> None:
    store = open_store("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=1")
    with pytest.raises(StoreUnavailable):
        store.adapters.live(BANK)
    with pytest.raises(StoreUnavailable):
        store.adapters.add(version())
