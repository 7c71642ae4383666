"""Which versions lose their files, on every registry."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from parley.backends.adapter_folder import digest_folder
from parley.backends.adapter_shelf import Shelf
from parley.backends.adapter_storage import AdapterFolders, Remote
from parley.backends.sql import open_store
from parley.errors import StoreUnavailable
from parley.ports.adapters import AdapterRegistry, AdapterVersion, RemovalStep
from parley.runtime.adapter_pruning import Pruning
from schemas.base import TenantId
from tests.contract.test_adapter_registry import BANK, NINE, SHOP, A, B, C, version
from tests.contract.test_adapter_registry import registry as registry
from tests.support.lora import write_adapter

DAY = timedelta(days=1)


class Archive:
    """Files by tenant and digest."""

    def __init__(self, *held: AdapterVersion) -> None:
        self.held = {(each.tenant, each.digest) for each in held}

    def holds(self, tenant: TenantId, digest: str) -> bool:
        return (tenant, digest) in self.held

    def removal(self, tenant: TenantId, digest: str) -> Iterator[RemovalStep]:
        yield lambda: self.held.discard((tenant, digest))


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


def never(removed: AdapterVersion) -> None:
    raise AssertionError(f"{removed.name} was removed")


def test_what_was_retired_long_enough_ago_is_found(registry: AdapterRegistry, archive: Archive) -> None:
    assert named(pruning(registry, archive).found()) == {(BANK, A), (SHOP, A)}
    assert named(pruning(registry, archive).found(SHOP)) == {(SHOP, A)}
    assert named(pruning(registry, archive, days=7).found()) == {(BANK, A), (SHOP, A)}
    assert pruning(registry, archive, days=6.99).found() == []


def test_what_is_removed_is_not_found_again_and_the_rest_stays(
    registry: AdapterRegistry, archive: Archive
) -> None:
    under, noted = pruning(registry, archive), list[AdapterVersion]()
    assert all(under.remove(each, noted.append) for each in under.found())
    assert under.found() == [] and named(noted) == {(BANK, A), (SHOP, A)}
    assert archive.held == {(BANK, B), (BANK, C)}
    assert registry.get(BANK, A) is not None, "answers name it"


def test_the_live_version_and_the_one_before_it_are_never_removed(
    registry: AdapterRegistry, archive: Archive
) -> None:
    under = pruning(registry, archive)
    assert registry.live(BANK) == C and registry.before(BANK) == B
    assert not under.remove(version(C), never) and not under.remove(version(B), never)
    registry.retire(BANK, B, NINE)
    assert named(under.found()) == {(BANK, A), (BANK, B), (SHOP, A)}, "no rollback leads to a retired one"


def test_what_is_published_again_meanwhile_stays(registry: AdapterRegistry, archive: Archive) -> None:
    under = pruning(registry, archive)
    found = under.found(BANK)
    registry.add(version(A), again=True)
    assert [under.remove(each, never) for each in found] == [False]
    assert (BANK, A) in archive.held


def test_who_publishes_it_while_a_step_is_taken_waits(registry: AdapterRegistry, archive: Archive) -> None:
    class Slow(Archive):
        """Somebody publishes the version just as its files go."""

        def removal(self, tenant: TenantId, digest: str) -> Iterator[RemovalStep]:
            def step() -> None:
                publishing.start()
                publishing.join(0.3)
                assert publishing.is_alive(), "it would serve what is being removed"
                self.held.discard((tenant, digest))

            yield step
            publishing.join()
            yield lambda: never(version())

    def publish() -> None:
        registry.add(version(A), again=True)
        slow.held.add((BANK, A))

    slow, publishing = Slow(version(A)), threading.Thread(target=publish)
    noted: list[AdapterVersion] = []
    assert pruning(registry, slow).remove(pruning(registry, slow).found(BANK)[0], noted.append)
    held = registry.get(BANK, A)
    assert held is not None and held.retired_at is None and (BANK, A) in slow.held
    assert named(noted) == {(BANK, A)}, "its files were gone for a moment"


def test_what_breaks_off_after_the_first_step_is_noted(registry: AdapterRegistry, archive: Archive) -> None:
    class Failing(Archive):
        def removal(self, tenant: TenantId, digest: str) -> Iterator[RemovalStep]:
            yield from super().removal(tenant, digest)
            raise StoreUnavailable("the files are away")

    failing, noted = Failing(version(A)), list[AdapterVersion]()
    with pytest.raises(StoreUnavailable, match="the files are away"):
        pruning(registry, failing).remove(pruning(registry, failing).found(BANK)[0], noted.append)
    assert named(noted) == {(BANK, A)}


def test_a_step_that_outlasts_its_lock_is_noted(store_url: str) -> None:
    """PostgreSQL ends the transaction of who keeps a row locked and says nothing."""

    class Slow(Archive):
        def removal(self, tenant: TenantId, digest: str) -> Iterator[RemovalStep]:
            yield lambda: time.sleep(0.5)
            yield from super().removal(tenant, digest)

    parts = f"{store_url}{'&' if '?' in store_url else '?'}"
    store = open_store(f"{parts}options=-c%20idle_in_transaction_session_timeout%3D100ms")
    store.adapters.add(version(A))
    store.adapters.retire(BANK, A, NINE)
    slow, noted = Slow(version(A)), list[AdapterVersion]()
    assert pruning(store.adapters, slow).remove(pruning(store.adapters, slow).found()[0], noted.append)
    assert named(noted) == {(BANK, A)} and slow.held == set()
    store.close()


# --- with files ------------------------------------------------------------------------------------------------------


class Watched(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A store that says when it looks for a file, and before and after it removes one."""

    cachable = False
    said: Callable[[], None] = staticmethod(lambda: None)

    def info(self, path: str, **kwargs: Any) -> Any:
        self.said()
        return super().info(path, **kwargs)

    def rm_file(self, path: str) -> None:
        self.said()
        super().rm_file(path)
        self.said()


@pytest.fixture
def adapter(tmp_path: Path, registry: AdapterRegistry) -> AdapterVersion:
    """Retired long ago; its folder is `tmp_path / "a"`."""
    folder = write_adapter(tmp_path / "a")
    (folder / "README.md").write_text("How it was made.")
    made = version(digest_folder(folder))
    registry.add(made)
    registry.retire(BANK, made.digest, NINE)
    return replace(made, retired_at=NINE)


def machine(
    tmp_path: Path, name: str, files: MemoryFileSystem, tenant: TenantId | None = None
) -> AdapterFolders:
    place = Remote(files, f"/{tmp_path.name}/adapters", "memory://")
    return AdapterFolders(place, Shelf(tmp_path / name), tenant)


@pytest.mark.parametrize("registered", ["at once", "after the removal"])
@pytest.mark.parametrize("moment", range(11))
def test_what_is_published_at_any_moment_of_a_removal_is_whole(
    registry: AdapterRegistry, adapter: AdapterVersion, tmp_path: Path, moment: int, registered: str
) -> None:
    """As `publish --again` does it: stored, registered, stored."""
    theirs, moments = machine(tmp_path, "theirs", MemoryFileSystem(), BANK), iter(range(100))
    theirs.put(tmp_path / "a", adapter.digest)

    def publish() -> None:
        theirs.put(tmp_path / "a", adapter.digest)
        if registered != "at once":
            removed.wait()
        registry.add(replace(adapter, retired_at=None), again=True)
        theirs.put(tmp_path / "a", adapter.digest)

    def said() -> None:
        if next(moments) == moment:
            publishing.start()
            publishing.join(0.2)  # it goes as far as the lock lets it

    files, publishing, removed = Watched(), threading.Thread(target=publish), threading.Event()
    files.said = said
    under = Pruning(registry, machine(tmp_path, "ours", files), NINE + 8 * DAY, 7 * DAY)
    under.remove(adapter, lambda gone: None)
    removed.set()
    assert publishing.ident is not None, "the removal has fewer moments"
    publishing.join()
    fetched = machine(tmp_path, "another", MemoryFileSystem()).fetch(
        f"x:///bank/{adapter.digest}", adapter.digest
    )
    assert digest_folder(fetched) == adapter.digest
    MemoryFileSystem.store.clear()


def test_nobody_waits_while_a_folder_is_emptied(
    registry: AdapterRegistry, adapter: AdapterVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(tmp_path / "shelf")
    storage = AdapterFolders(shelf, shelf, BANK)
    storage.put(tmp_path / "a", adapter.digest)
    rmtree, written = shutil.rmtree, list[bool]()

    def slow(folder: Path) -> None:
        writing = threading.Thread(
            target=registry.add, args=(replace(adapter, retired_at=None),), kwargs={"again": True}
        )
        writing.start()
        writing.join(5)
        written.append(not writing.is_alive())
        rmtree(folder)

    monkeypatch.setattr(shutil, "rmtree", slow)
    assert Pruning(registry, storage, NINE + 8 * DAY, 7 * DAY).remove(adapter, lambda gone: None)
    assert written == [True]
    assert list((tmp_path / "shelf" / BANK).iterdir()) == []
