"""Where adapters' files are kept, one suite on a local folder, another one beside the cache, and fsspec."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.spec import AbstractFileSystem

from parley.backends import adapter_shelf, adapter_storage
from parley.backends.adapter_folder import digest_folder
from parley.backends.adapter_shelf import Shelf
from parley.backends.adapter_storage import AdapterFolders, Remote, open_adapter_storage
from parley.domain.adapters import CONFIG, README, WEIGHTS
from parley.errors import AdapterRefused, ConfigurationError, StoreUnavailable
from schemas.base import TenantId
from tests.support.lora import write_adapter

BANK, SHOP = TenantId("bank"), TenantId("shop")
Opened = Callable[..., AdapterFolders]


@pytest.fixture(params=["below home", "a folder", "file://", "fsspec"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    roots = {
        "below home": "",
        "a folder": str(tmp_path / "shared"),
        "file://": (tmp_path / "shared folder").as_uri(),
        "fsspec": f"memory://{tmp_path.name}/adapters",
    }
    yield roots[request.param]
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture
def opened(url: str, tmp_path: Path) -> Opened:
    """The storage as one machine has it; without a store of all machines they share their home."""

    def open_at(machine: str = "one", tenant: TenantId | None = BANK) -> AdapterFolders:
        home = tmp_path / (machine if url else "one")
        return open_adapter_storage(url, home / "adapters", tenant)

    return open_at


@pytest.fixture
def remote(tmp_path: Path) -> str:
    return f"memory://{tmp_path.name}/adapters"


def published(storage: AdapterFolders, folder: Path, fill: int = 1) -> tuple[str, str]:
    write_adapter(folder, fill=fill)
    digest = digest_folder(folder)
    return storage.put(folder, digest), digest


def remove(storage: AdapterFolders, tenant: TenantId, digest: str) -> None:
    for step in storage.removal(tenant, digest):
        step()


def test_what_was_put_is_fetched_elsewhere_by_any_tenants_reader(opened: Opened, tmp_path: Path) -> None:
    write_adapter(tmp_path / "a")
    (tmp_path / "a" / README).write_text("How it was made.")
    uri, digest = published(opened(), tmp_path / "a")
    assert uri.endswith(f"/bank/{digest}")
    folder = opened("two", tenant=None).fetch(uri, digest)
    assert folder.parts[-2:] == ("bank", digest) and folder.is_relative_to(tmp_path)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        file.name: file.read_bytes() for file in (tmp_path / "a").iterdir()
    }


def test_nothing_is_left_beside_the_folders(opened: Opened, tmp_path: Path) -> None:
    uri, digest = published(opened(), tmp_path / "a")
    path = opened("two").fetch(uri, digest)
    assert [each.name for each in path.parent.iterdir()] == [digest]
    assert not any(".incoming" in name for name in MemoryFileSystem.store)


def test_putting_it_again_leaves_it_alone(opened: Opened, tmp_path: Path) -> None:
    uri, digest = published(opened(), tmp_path / "a")
    path = opened("two").fetch(uri, digest)
    before = path.stat().st_ino, path.stat().st_mtime_ns
    assert opened("two").put(tmp_path / "a", digest) == uri
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before


def test_a_folder_that_changed_since_it_was_checked_is_not_stored(opened: Opened, tmp_path: Path) -> None:
    digest = digest_folder(write_adapter(tmp_path / "a"))
    write_adapter(tmp_path / "a", fill=2)
    with pytest.raises(AdapterRefused, match=f"not {digest}; they were changed or damaged"):
        opened().put(tmp_path / "a", digest)
    with pytest.raises((AdapterRefused, StoreUnavailable)):
        opened("two").fetch(f"x:///bank/{digest}", digest)
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".incoming")]


def test_files_are_not_written_to_again(opened: Opened, tmp_path: Path) -> None:
    path = opened("two").fetch(*published(opened(), tmp_path / "a"))
    assert {file.stat().st_mode & 0o777 for file in path.iterdir()} == {0o444}


def test_what_was_never_published_is_refused(opened: Opened, tmp_path: Path) -> None:
    published(opened(), tmp_path / "a")
    digest = "a" * 64
    with pytest.raises(AdapterRefused, match=r"is missing in .*; it was never published there"):
        opened("two").fetch(f"file:///adapters/bank/{digest}", digest)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("file:///adapters/bank/../../etc/passwd", "allowed: …/TENANT/DIGEST"),
        ("file:///adapters/../bank/{digest}", "allowed: …/TENANT/DIGEST"),
        ("file:///adapters/%2e%2e/bank/{digest}", "allowed: …/TENANT/DIGEST"),
        ("file:///adapters/../{digest}", "allowed: …/TENANT/DIGEST"),
        ("/etc/passwd", "allowed: …/TENANT/DIGEST"),
        ("{digest}", "tenant ''"),
        ("file:///adapters/Bank/{digest}", "tenant 'Bank': allowed"),
        ("file:///adapters//{digest}", "tenant ''"),
        ("file:///adapters/bank/{digest}/", "allowed: …/TENANT/DIGEST"),
        ("file:///adapters/bank/{other}", "allowed: …/TENANT/DIGEST"),
        ("file:///adapters/shop/{digest}", "is another tenant's; allowed: bank's"),
        ("", "allowed: …/TENANT/DIGEST"),
        ("http://[", "allowed: …/TENANT/DIGEST"),
    ],
)
def test_a_uri_cannot_lead_out_of_the_store(opened: Opened, tmp_path: Path, uri: str, words: str) -> None:
    _, digest = published(opened(), tmp_path / "a")
    with pytest.raises(AdapterRefused) as refused:
        opened().fetch(uri.format(digest=digest, other="b" * 64), digest)
    assert words in str(refused.value)


@pytest.mark.parametrize("digest", ["..", "../../x", "/etc", "a" * 63, ""])
def test_a_digest_cannot_lead_out_of_the_store(opened: Opened, tmp_path: Path, digest: str) -> None:
    write_adapter(tmp_path / "a")
    with pytest.raises(AdapterRefused, match="64 hexadecimal digits"):
        opened().put(tmp_path / "a", digest)


def test_many_at_once_leave_one_whole_folder(opened: Opened, tmp_path: Path) -> None:
    write_adapter(tmp_path / "a")
    digest = digest_folder(tmp_path / "a")
    failed: list[BaseException] = []

    def put() -> None:
        try:
            opened().fetch(opened().put(tmp_path / "a", digest), digest)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert digest_folder(opened().fetch(f"x:///bank/{digest}", digest)) == digest


def test_what_is_removed_is_gone_there_and_here_and_may_come_back(opened: Opened, tmp_path: Path) -> None:
    uri, digest = published(opened(), tmp_path / "a")
    _, other = published(opened(), tmp_path / "b", fill=2)
    clearing = opened("one", tenant=None)
    here = clearing.fetch(uri, digest)
    assert clearing.holds(BANK, digest) and not clearing.holds(SHOP, digest)
    for _ in range(2):
        remove(clearing, BANK, digest)
        assert not here.exists() and not clearing.holds(BANK, digest)
    with pytest.raises(AdapterRefused, match="never published there"):
        clearing.fetch(uri, digest)
    assert clearing.holds(BANK, other)
    assert [each.name for each in here.parent.iterdir()] == [other]
    assert not any(digest in name for name in MemoryFileSystem.store)
    opened().put(tmp_path / "a", digest)
    assert digest_folder(opened("two").fetch(uri, digest)) == digest


def test_after_the_first_step_of_a_removal_nobody_else_fetches_it(opened: Opened, tmp_path: Path) -> None:
    uri, digest = published(opened(), tmp_path / "a")
    removal = opened("one", tenant=None).removal(BANK, digest)
    next(removal)()
    with pytest.raises((AdapterRefused, StoreUnavailable)):
        opened("two").fetch(uri, digest)
    for step in removal:
        step()
    assert not opened("one").holds(BANK, digest)


def test_a_removal_that_somebody_else_was_faster_with_goes_on(opened: Opened, tmp_path: Path) -> None:
    _, digest = published(opened(), tmp_path / "a")
    for step in opened("one", tenant=None).removal(BANK, digest):
        remove(opened("one", tenant=None), BANK, digest)
        step()
    assert not opened().holds(BANK, digest)
    assert list(opened().removal(BANK, digest)) == []


@pytest.mark.parametrize("steps", range(1, 5))
def test_a_removal_that_broke_off_is_completed_by_putting_it_again(
    opened: Opened, tmp_path: Path, steps: int
) -> None:
    """Whoever put the files there in the middle of it too, when they were not yet gone."""
    uri, digest = published(opened(), tmp_path / "a")
    for number, step in enumerate(opened("one", tenant=None).removal(BANK, digest)):
        if number == 1:
            opened().put(tmp_path / "a", digest)
        if number == steps:
            break
        step()
    opened().put(tmp_path / "a", digest)
    assert digest_folder(opened("two").fetch(uri, digest)) == digest


@pytest.mark.parametrize(("tenant", "digest"), [("../bank", "a" * 64), ("bank", ".."), ("bank", "")])
def test_nothing_else_can_be_removed(opened: Opened, tmp_path: Path, tenant: str, digest: str) -> None:
    _, kept = published(opened(), tmp_path / "a")
    with pytest.raises(AdapterRefused, match="allowed"):
        remove(opened("one", tenant=None), TenantId(tenant), digest)
    assert opened().holds(BANK, kept)


# --- caches ----------------------------------------------------------------------------------------------------------


def damage(folder: Path) -> None:
    file = folder / WEIGHTS
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1] + b"\x07")


def test_a_damaged_copy_in_the_cache_is_fetched_anew(tmp_path: Path, remote: str) -> None:
    storage = open_adapter_storage(remote, tmp_path / "cache", BANK)
    uri, digest = published(storage, tmp_path / "a")
    damage(tmp_path / "cache" / "bank" / digest)
    assert digest_folder(open_adapter_storage(remote, tmp_path / "cache").fetch(uri, digest)) == digest


def test_a_damaged_store_is_refused_and_the_cache_stays_empty(tmp_path: Path) -> None:
    shared = str(tmp_path / "shared")
    uri, digest = published(open_adapter_storage(shared, tmp_path / "one", BANK), tmp_path / "a")
    damage(tmp_path / "shared" / "bank" / digest)
    with pytest.raises(AdapterRefused, match="were changed or damaged"):
        open_adapter_storage(shared, tmp_path / "two").fetch(uri, digest)
    assert list((tmp_path / "two" / "bank").iterdir()) == []


def test_a_damaged_store_that_is_its_own_cache_is_refused_and_kept(tmp_path: Path) -> None:
    uri, digest = published(open_adapter_storage("", tmp_path / "home", BANK), tmp_path / "a")
    damage(tmp_path / "home" / "bank" / digest)
    for _ in range(2):
        with pytest.raises(AdapterRefused, match="were changed or damaged"):
            open_adapter_storage("", tmp_path / "home").fetch(uri, digest)


def test_what_was_fetched_once_is_not_read_again(tmp_path: Path, remote: str) -> None:
    storage = open_adapter_storage(remote, tmp_path / "cache", BANK)
    uri, digest = published(storage, tmp_path / "a")
    path = storage.fetch(uri, digest)
    MemoryFileSystem.store.clear()
    (path / WEIGHTS).chmod(0)
    assert storage.fetch(uri, digest) == path


def test_a_store_that_moved_is_found_by_the_setting(tmp_path: Path) -> None:
    """The home of the embedded form, restored in another place."""
    uri, digest = published(open_adapter_storage("", tmp_path / "old", BANK), tmp_path / "a")
    shutil.move(tmp_path / "old", tmp_path / "new")
    assert open_adapter_storage("", tmp_path / "new").fetch(uri, digest) == tmp_path / "new" / "bank" / digest


def test_what_a_dead_process_left_half_written_is_cleared_after_a_day(tmp_path: Path) -> None:
    old, new = (tmp_path / "home" / "bank" / f"{adapter_shelf.INCOMING}{name}" for name in ("old", "new"))
    for part in (old, new):
        part.mkdir(parents=True)
    os.utime(old, (0, 0))
    published(open_adapter_storage("", tmp_path / "home", BANK), tmp_path / "a")
    assert new.is_dir() and not old.exists()


def test_a_cache_that_was_emptied_is_filled_anew(tmp_path: Path, remote: str) -> None:
    storage = open_adapter_storage(remote, tmp_path / "cache", BANK)
    uri, digest = published(storage, tmp_path / "a")
    shutil.rmtree(storage.fetch(uri, digest))
    assert digest_folder(storage.fetch(uri, digest)) == digest


# --- stores that fail ------------------------------------------------------------------------------------------------


class Broken(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A store whose uploads stop after so many files."""

    cachable = False
    after = 0

    def put_file(self, *args: Any, **kwargs: Any) -> None:
        if self.after == 0:
            raise ConnectionError("secret-key")
        self.after -= 1
        super().put_file(*args, **kwargs)


@pytest.mark.parametrize("after", [0, 1])
def test_an_upload_that_breaks_off_leaves_nothing_to_be_seen(tmp_path: Path, remote: str, after: int) -> None:
    broken = Broken()
    broken.after = after
    storage = AdapterFolders(
        Remote(broken, f"/{tmp_path.name}/adapters", remote), Shelf(tmp_path / "c"), BANK
    )
    with pytest.raises(StoreUnavailable, match="ConnectionError") as failed:
        published(storage, tmp_path / "a")
    assert "secret" not in str(failed.value)
    digest = digest_folder(tmp_path / "a")
    with pytest.raises(AdapterRefused, match="is missing in memory://"):
        open_adapter_storage(remote, tmp_path / "two").fetch(f"{remote}/bank/{digest}", digest)
    whole = open_adapter_storage(remote, tmp_path / "one", BANK)
    assert whole.fetch(whole.put(tmp_path / "a", digest), digest)


@pytest.mark.parametrize("left", ["nothing", "an empty mount point"])
def test_a_mounted_folder_that_is_away_for_a_moment_is_tried_again(tmp_path: Path, left: str) -> None:
    shared, away = tmp_path / "shared", tmp_path / "away"
    uri, digest = published(open_adapter_storage(str(shared), tmp_path / "one", BANK), tmp_path / "a")
    reader = open_adapter_storage(str(shared), tmp_path / "two")
    shared.rename(away)
    if left != "nothing":
        shared.mkdir()
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=f"adapters in {shared}: No such file or directory"):
            reader.fetch(uri, digest)
    if left != "nothing":
        shared.rmdir()
    away.rename(shared)
    assert digest_folder(reader.fetch(uri, digest)) == digest


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_may_not_be_read_just_now_is_no_wrong_adapter(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    uri, digest = published(open_adapter_storage(str(shared), tmp_path / "one", BANK), tmp_path / "a")
    (shared / "bank" / digest / WEIGHTS).chmod(0)
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        open_adapter_storage(str(shared), tmp_path / "two").fetch(uri, digest)


class Away(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A store that does not answer: `exists` is the base's, which takes every error for "no"."""

    cachable = False

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        raise TimeoutError("secret-key")

    exists = AbstractFileSystem.exists


def test_a_store_that_does_not_answer_is_not_one_that_lacks_the_files(tmp_path: Path, remote: str) -> None:
    uri, digest = published(open_adapter_storage(remote, tmp_path / "one", BANK), tmp_path / "a")
    storage = AdapterFolders(Remote(Away(), f"/{tmp_path.name}/adapters", remote), Shelf(tmp_path / "c"))
    with pytest.raises(StoreUnavailable, match="TimeoutError"):
        storage.fetch(uri, digest)


def test_a_file_that_is_too_large_is_not_fetched(
    tmp_path: Path, remote: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, digest = published(open_adapter_storage(remote, tmp_path / "one", BANK), tmp_path / "a")
    monkeypatch.setattr(adapter_storage, "MAX_BYTES", {CONFIG: 10, WEIGHTS: 10**9})
    with pytest.raises(AdapterRefused, match=rf"{CONFIG}: has \d+ bytes in memory://.*; allowed: up to 10"):
        open_adapter_storage(remote, tmp_path / "two").fetch(uri, digest)


def test_a_disk_that_cannot_be_written_is_a_store_that_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="Not a directory"):
        published(open_adapter_storage("", tmp_path / "file" / "below", BANK), tmp_path / "a")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("nonsense://bucket/path", "PARLEY_ADAPTERS_URL: 'nonsense://bucket/path' is no address"),
        ("s3://key:secret@bucket/path", "PARLEY_ADAPTERS_URL: holds a chain of stores, or a user's name"),
        ("simplecache::s3://bucket", "PARLEY_ADAPTERS_URL: holds a chain"),
    ],
)
def test_an_address_that_cannot_work_is_refused(tmp_path: Path, wrong: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        open_adapter_storage(wrong, tmp_path)
    assert words in str(refused.value) and "secret" not in str(refused.value)


def test_a_store_whose_package_is_missing_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(ConfigurationError, match="s3:// needs a package that is not installed"):
        open_adapter_storage("s3://bucket/path", tmp_path)
