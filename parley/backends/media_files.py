"""Customers' files in a local (or mounted) folder, or in whatever fsspec reaches: `<root>/<tenant>/<customer>/<file>`.

The customer's part is a hash, since an id is whatever an operator types; the file's is its digest, keyed (HMAC-SHA-256) with the customer's key. So no name tells anything of whose file it
is or what it holds.
"""

import hashlib
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from parley.backends.remote_files import has_folders, open_remote, reached
from parley.codec import Codec
from schemas.base import TENANT_PATTERN, CustomerId, TenantId

SETTING = "PARLEY_MEDIA_URL"
NAME = re.compile(r"[0-9a-f]{64}")
INCOMING = ".incoming-"
ONE_BY_ONE = 8
"""Of more customers than this it is looked who has any file at all."""


class Place(Protocol):
    """Folders of files, two deep. Every method may raise `StoreUnavailable`."""

    def write(self, folder: str, name: str, content: bytes) -> None:
        """The whole file, or nothing under this name; unless it is there already."""

    def read(self, folder: str, name: str) -> bytes | None: ...

    def files(self, folder: str) -> dict[str, int]:
        """Names with sizes; empty where there is no such folder."""

    def folders(self, of: str) -> set[str]:
        """Names of the folders in this one."""

    def remove(self, folder: str) -> None:
        """With all that is in it."""


class MediaFiles:
    """Implements `parley.ports.media.MediaStore`."""

    def __init__(self, place: Place, codec: Codec) -> None:
        self._place = place
        self._codec = codec

    def put(self, tenant: TenantId, customer: CustomerId, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        name = self._name(tenant, customer, digest)
        sealed = self._codec.seal_for(tenant, customer, content, "media", name)
        self._place.write(_folder(tenant, customer), name, sealed)
        return digest

    def get(self, tenant: TenantId, customer: CustomerId, digest: str) -> bytes | None:
        return self._opened(tenant, customer, self._name(tenant, customer, digest))

    def all_of(self, tenant: TenantId, customer: CustomerId) -> Iterator[bytes]:
        for name in self.held(tenant, customer):
            content = self._opened(tenant, customer, name)
            if content is not None:
                yield content

    def held(self, tenant: TenantId, customer: CustomerId) -> dict[str, int]:
        found = self._place.files(_folder(tenant, customer))
        return {name: size for name, size in sorted(found.items()) if NAME.fullmatch(name)}

    def erase(self, customers: Collection[tuple[TenantId, CustomerId]]) -> int:
        return sum(self._erase(folder) for folder in self._there(customers))

    def _erase(self, folder: str) -> int:
        found = self._place.files(folder)
        if found:
            self._place.remove(folder)
        return sum(NAME.fullmatch(name) is not None for name in found)

    def _name(self, tenant: TenantId, customer: CustomerId, digest: str) -> str:
        return self._codec.digest_for(tenant, customer, "media", digest).hex()

    def _opened(self, tenant: TenantId, customer: CustomerId, name: str) -> bytes | None:
        sealed = self._place.read(_folder(tenant, customer), name)
        return None if sealed is None else self._codec.unseal_for(tenant, customer, sealed, "media", name)

    def _there(self, customers: Collection[tuple[TenantId, CustomerId]]) -> Iterable[str]:
        """Of few customers their folders, be they there or not; of many those that are there."""
        wanted: defaultdict[str, set[str]] = defaultdict(set)
        for tenant, customer in customers:
            of, _, name = _folder(tenant, customer).partition("/")
            wanted[of].add(name)
        for of, names in wanted.items():
            there = names if len(names) <= ONE_BY_ONE else names & self._place.folders(of)
            yield from (f"{of}/{name}" for name in sorted(there))


def _folder(tenant: TenantId, customer: CustomerId) -> str:
    assert re.fullmatch(TENANT_PATTERN, tenant), "a tenant is imported under such a name only"
    return f"{tenant}/{hashlib.sha256(f'{tenant}/{customer}'.encode()).hexdigest()[:32]}"


class Folder:
    """A `Place` on this machine's file system. What is written is on the disk when `write` returns."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, folder: str, name: str, content: bytes) -> None:
        path = self._root / folder
        part = path / f"{INCOMING}{uuid4().hex}"
        with reached(self._words()):
            if (path / name).is_file():
                return
            self._make(path)
            try:
                self._write(part, content)
                part.replace(path / name)
            finally:
                part.unlink(missing_ok=True)
            _sync(path)

    def read(self, folder: str, name: str) -> bytes | None:
        with reached(self._words()):
            try:
                return (self._root / folder / name).read_bytes()
            except FileNotFoundError:
                return None

    def files(self, folder: str) -> dict[str, int]:
        with reached(self._words()):
            try:
                return {each.name: each.stat().st_size for each in os.scandir(self._root / folder)}
            except FileNotFoundError:
                return {}

    def folders(self, of: str) -> set[str]:
        with reached(self._words()):
            try:
                return {each.name for each in os.scandir(self._root / of) if each.is_dir()}
            except FileNotFoundError:
                return set()

    def remove(self, folder: str) -> None:
        with reached(self._words()), suppress(FileNotFoundError):
            shutil.rmtree(self._root / folder)

    def _make(self, path: Path) -> None:
        if not path.is_dir():
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for made in (path.parent, path.parent.parent):
                _sync(made)

    def _write(self, part: Path, content: bytes) -> None:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def _words(self) -> str:
        return f"customers' files in {self._root}"


class Remote:
    """A `Place` on fsspec. Object stores write a whole object or none; elsewhere it comes under another name first."""

    def __init__(self, filesystem: Any, root: str, url: str) -> None:
        self._files = filesystem
        self._root = root.rstrip("/")
        self._url = url

    def write(self, folder: str, name: str, content: bytes) -> None:
        path = f"{self._root}/{folder}"
        with self._reached():
            if self._size(f"{path}/{name}") is not None:
                return
            if not has_folders(self._files):
                self._files.pipe_file(f"{path}/{name}", content)
                return
            self._files.makedirs(path, exist_ok=True)
            part = f"{path}/{INCOMING}{uuid4().hex}"
            try:
                self._files.pipe_file(part, content)
                self._files.mv(part, f"{path}/{name}")
            finally:
                if self._files.exists(part):
                    self._files.rm_file(part)

    def read(self, folder: str, name: str) -> bytes | None:
        with self._reached():
            try:
                return bytes(self._files.cat_file(f"{self._root}/{folder}/{name}"))
            except FileNotFoundError:
                return None

    def files(self, folder: str) -> dict[str, int]:
        return {name: int(each.get("size") or 0) for name, each in self._listed(folder).items()}

    def folders(self, of: str) -> set[str]:
        return {name for name, each in self._listed(of).items() if each.get("type") == "directory"}

    def remove(self, folder: str) -> None:
        with self._reached(), suppress(FileNotFoundError):
            self._files.rm(f"{self._root}/{folder}", recursive=True)

    def _listed(self, folder: str) -> dict[str, dict[str, Any]]:
        with self._reached():
            self._files.invalidate_cache()
            try:
                found = self._files.ls(f"{self._root}/{folder}", detail=True)
            except FileNotFoundError:
                return {}
        return {str(each["name"]).rstrip("/").rpartition("/")[2]: each for each in found}

    def _size(self, path: str) -> int | None:
        try:
            return int(self._files.info(path).get("size") or 0)
        except FileNotFoundError:
            return None

    def _reached(self) -> Any:
        return reached(f"customers' files in {self._url}")


def open_media(url: str, folder: Path, codec: Codec) -> MediaFiles:
    """Opens nothing yet. An empty URL keeps everything in `folder`. Raises `ConfigurationError` for a URL that cannot work."""
    scheme = urlsplit(url).scheme
    if url and scheme not in ("", "file"):
        return MediaFiles(Remote(*open_remote(url, SETTING), url), codec)
    root = Path(unquote(urlsplit(url).path) if scheme else url).expanduser() if url else folder
    return MediaFiles(Folder(root), codec)


def _sync(folder: Path) -> None:
    """The name itself, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
