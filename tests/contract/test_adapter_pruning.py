"""Which versions lose their files, on every registry."""

import threading
from datetime import timedelta

import pytest

from parley.ports.adapters import AdapterRegistry, AdapterVersion
from parley.runtime.adapter_pruning import Pruning
from schemas.base import TenantId
from tests.contract.test_adapter_registry import BANK, NINE, SHOP, A, B, C, version
from tests.contract.test_adapter_registry import registry as registry

DAY = timedelta(days=1)


class Archive:
    """Files by tenant and digest."""

    def __init__(self, *held: AdapterVersion) -> None:
        self.held = {(each.tenant, each.digest) for each in held}

    def holds(self, tenant: TenantId, digest: str) -> bool:
        return (tenant, digest) in self.held

    def remove(self, tenant: TenantId, digest: str) -> None:
        self.held.discard((tenant, digest))


@pytest.fixture
def archive(registry: AdapterRegistry) -> Archive:
    """A and B were live before C; A and another tenant's A are retired since nine o'clock."""
    versions = [version(each, minutes=at) for at, each in enumerate((A, B, C))] + [version(A, SHOP)]
    for each in versions:
        registry.add(each)
        registry.point(each.tenant, each.digest, NINE)
    registry.point(SHOP, None, NINE)
    registry.retire(BANK, A, NINE)
    registry.retire(SHOP, A, NINE)
    return Archive(*versions)


def pruning(registry: AdapterRegistry, archive: Archive, days: float = 8) -> Pruning:
    return Pruning(registry, archive, NINE + days * DAY, 7 * DAY)  # type: ignore[arg-type]  # nothing is put or fetched


def named(found: list[AdapterVersion]) -> set[tuple[str, str]]:
    return {(each.tenant, each.digest) for each in found}


def test_what_was_retired_long_enough_ago_is_found(registry: AdapterRegistry, archive: Archive) -> None:
    assert named(pruning(registry, archive).found()) == {(BANK, A), (SHOP, A)}
    assert named(pruning(registry, archive).found(SHOP)) == {(SHOP, A)}
    assert named(pruning(registry, archive, days=7).found()) == {(BANK, A), (SHOP, A)}
    assert pruning(registry, archive, days=6.99).found() == []


def test_what_is_removed_is_not_found_again_and_the_rest_stays(
    registry: AdapterRegistry, archive: Archive
) -> None:
    under = pruning(registry, archive)
    assert all(under.remove(each) for each in under.found())
    assert under.found() == []
    assert archive.held == {(BANK, B), (BANK, C)}
    assert registry.get(BANK, A) is not None, "answers name it"


def test_the_live_version_and_the_one_before_it_are_never_removed(
    registry: AdapterRegistry, archive: Archive
) -> None:
    under = pruning(registry, archive)
    assert registry.live(BANK) == C and registry.before(BANK) == B
    assert not under.remove(version(C)) and not under.remove(version(B))
    registry.retire(BANK, B, NINE)
    assert named(under.found()) == {(BANK, A), (BANK, B), (SHOP, A)}, "no rollback leads to a retired one"


def test_what_is_published_again_meanwhile_stays(registry: AdapterRegistry, archive: Archive) -> None:
    under = pruning(registry, archive)
    found = under.found(BANK)
    registry.add(version(A), again=True)
    assert [under.remove(each) for each in found] == [False]
    assert (BANK, A) in archive.held


def test_who_publishes_it_while_its_files_are_removed_waits_and_puts_them_there_anew(
    registry: AdapterRegistry, archive: Archive
) -> None:
    class Slow(Archive):
        """Somebody publishes the version just as its files go."""

        def remove(self, tenant: TenantId, digest: str) -> None:
            publishing.start()
            publishing.join(0.3)
            assert publishing.is_alive(), "it would serve what is being removed"
            super().remove(tenant, digest)

    def publish() -> None:
        registry.add(version(A), again=True)
        slow.held.add((BANK, A))

    slow, publishing = Slow(version(A)), threading.Thread(target=publish)
    assert pruning(registry, slow).remove(pruning(registry, slow).found(BANK)[0])
    publishing.join()
    held = registry.get(BANK, A)
    assert held is not None and held.retired_at is None and (BANK, A) in slow.held
