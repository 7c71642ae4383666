"""Where customers' files are kept, one suite on a local folder and on fsspec: sealed, told apart by keyed digests, gone with the customer."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from parley.backends import media_files
from parley.backends.media_files import MediaFiles, Remote, open_media
from parley.codec import Codec
from parley.errors import ConfigurationError, InvalidEvent, KeyErased, StoreUnavailable
from schemas.base import CustomerId, TenantId
from tests.support.platform import DictKeys

BANK, SHOP = TenantId("bank"), TenantId("shop")
X, Y = CustomerId("x"), CustomerId("y")
PHOTO = b"\xff\xd8\xff a picture of a passport"


@pytest.fixture
def keys() -> DictKeys:
    return DictKeys()


@pytest.fixture(params=["below home", "a folder", "file://", "fsspec", "object store"])
def media(request: pytest.FixtureRequest, tmp_path: Path, keys: DictKeys) -> Iterator[MediaFiles]:
    urls = {
        "below home": "",
        "a folder": str(tmp_path / "shared"),
        "file://": (tmp_path / "shared folder").as_uri(),
        "fsspec": f"memory://{tmp_path.name}/media",
    }
    if request.param == "object store":
        yield MediaFiles(Remote(NoFolders(), f"/{tmp_path.name}/objects", "s3://bucket"), Codec(keys))
    else:
        yield open_media(urls[request.param], tmp_path / "home", Codec(keys))
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


class NoFolders(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """As S3 is: making a folder would make a bucket."""

    protocol = "s3"
    cachable = False

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        raise AssertionError("an object store has no folders")


def everything(tmp_path: Path) -> dict[str, bytes]:
    """All that is stored, by its whole name."""
    local = {str(each): each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()}
    return local | {name: file.getvalue() for name, file in MemoryFileSystem.store.items()}


def test_what_was_put_is_there_as_it_was(media: MediaFiles) -> None:
    digest = media.put(BANK, X, PHOTO)
    assert media.get(BANK, X, digest) == PHOTO
    assert digest == hashlib.sha256(PHOTO).hexdigest() and len(media.held(BANK, X)) == 1
    assert media.put(BANK, X, b"another") != digest and len(media.held(BANK, X)) == 2


def test_the_same_content_is_kept_once(media: MediaFiles, tmp_path: Path) -> None:
    first = media.put(BANK, X, PHOTO)
    stored = everything(tmp_path)
    assert media.put(BANK, X, PHOTO) == first and everything(tmp_path) == stored and len(stored) == 1


def test_neither_name_nor_content_tells_anything(media: MediaFiles, tmp_path: Path) -> None:
    media.put(BANK, CustomerId("customer-4711"), PHOTO)
    [(name, content)] = everything(tmp_path).items()
    assert b"passport" not in content and "customer-4711" not in name
    assert hashlib.sha256(PHOTO).hexdigest() not in name


def test_the_same_file_of_two_customers_has_two_names_and_nobody_reads_anothers(media: MediaFiles) -> None:
    ours = media.put(BANK, X, PHOTO)
    assert media.get(BANK, Y, ours) is None and media.get(SHOP, X, ours) is None
    assert media.put(BANK, Y, PHOTO) == ours
    assert {*media.held(BANK, X)}.isdisjoint(media.held(BANK, Y)) and media.held(SHOP, X) == {}


def test_all_of_a_customers_files_are_read_for_an_export(media: MediaFiles) -> None:
    for content in (PHOTO, b"another"):
        media.put(BANK, X, content)
    media.put(BANK, Y, b"somebody else's")
    assert sorted(media.all_of(BANK, X)) == sorted((PHOTO, b"another")) and list(media.all_of(SHOP, X)) == []


@pytest.mark.parametrize("digest", ["", "0" * 64, "../x", "/etc/passwd", "A" * 64, "0" * 63])
def test_what_was_never_put_is_not_there(media: MediaFiles, digest: str) -> None:
    media.put(BANK, X, PHOTO)
    assert media.get(BANK, X, digest) is None


def test_whoever_is_erased_takes_the_files_along(media: MediaFiles, keys: DictKeys, tmp_path: Path) -> None:
    digest = media.put(BANK, X, PHOTO)
    media.put(BANK, X, b"another")
    kept = media.put(BANK, Y, PHOTO)
    keys.erase(BANK, X)
    with pytest.raises(KeyErased):
        media.get(BANK, X, digest)
    with pytest.raises(KeyErased):
        media.put(BANK, X, PHOTO)
    assert len(media.held(BANK, X)) == 2, "what is left can be told without the key"
    assert media.erase([(BANK, X)]) == 2 and media.erase([(BANK, X)]) == 0
    assert media.held(BANK, X) == {} and media.get(BANK, Y, kept) == PHOTO
    assert len(everything(tmp_path)) == 1


def test_many_are_erased_at_once(media: MediaFiles, tmp_path: Path) -> None:
    some = [CustomerId(f"c-{number}") for number in range(30)]
    for customer in some[::10]:
        media.put(BANK, customer, PHOTO)
    kept = media.put(SHOP, X, PHOTO)
    assert media.erase([(tenant, each) for each in some for tenant in (BANK, SHOP)]) == 3
    assert media.erase([]) == 0 and media.get(SHOP, X, kept) == PHOTO and len(everything(tmp_path)) == 1


def test_a_customers_odd_id_leads_nowhere_else(media: MediaFiles, tmp_path: Path) -> None:
    for odd in ("../../bank", "..", "a/b", "x\x00y"):
        digest = media.put(BANK, CustomerId(odd), PHOTO)
        assert media.get(BANK, CustomerId(odd), digest) == PHOTO
        assert media.erase([(BANK, CustomerId(odd))]) == 1
    assert everything(tmp_path) == {}


def test_a_file_that_was_damaged_or_exchanged_is_not_opened(media: MediaFiles, tmp_path: Path) -> None:
    digest = media.put(BANK, X, PHOTO)
    [name] = everything(tmp_path)
    media.put(BANK, X, b"another")
    exchanged = next(content for each, content in everything(tmp_path).items() if each != name)
    if name in MemoryFileSystem.store:
        MemoryFileSystem().pipe_file(name, exchanged)
    else:
        Path(name).write_bytes(exchanged)
    with pytest.raises(InvalidEvent, match="media: cannot be opened"):
        media.get(BANK, X, digest)


def test_half_a_file_is_none(tmp_path: Path, keys: DictKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    media = open_media("", tmp_path, Codec(keys))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken, pytest.raises(StoreUnavailable, match="customers' files in"):
        broken.setattr(os, "fsync", full)
        media.put(BANK, X, PHOTO)
    assert media.held(BANK, X) == {} and everything(tmp_path) == {}
    assert media.get(BANK, X, media.put(BANK, X, PHOTO)) == PHOTO


def test_only_its_owner_reads_the_folder(tmp_path: Path, keys: DictKeys) -> None:
    open_media("", tmp_path / "media", Codec(keys)).put(BANK, X, PHOTO)
    [file] = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert file.stat().st_mode & 0o077 == 0 and file.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("call", ["put", "get", "held", "erase"])
def test_a_store_that_is_away_is_unavailable(keys: DictKeys, call: str) -> None:
    class Away:
        protocol = "s3"

        def __getattr__(self, name: str) -> Callable[..., Any]:
            def away(*_: object, **__: object) -> None:
                raise TimeoutError("key AKIA…")

            return away

    media = MediaFiles(Remote(Away(), "/x", "s3://bucket"), Codec(keys))
    arguments = {
        "put": (BANK, X, PHOTO),
        "get": (BANK, X, "0" * 64),
        "held": (BANK, X),
        "erase": ([(BANK, X)],),
    }
    with pytest.raises(StoreUnavailable, match="s3://bucket: TimeoutError") as failed:
        getattr(media, call)(*arguments[call])
    assert "AKIA" not in str(failed.value)


@pytest.mark.parametrize("url", ["nonsense://x", "s3://key:secret@bucket/x", "zip::s3://bucket/x"])
def test_a_url_that_cannot_work_is_refused(tmp_path: Path, keys: DictKeys, url: str) -> None:
    with pytest.raises(ConfigurationError, match=media_files.SETTING) as refused:
        open_media(url, tmp_path, Codec(keys))
    assert "secret" not in str(refused.value)
