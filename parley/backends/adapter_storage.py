"""Where adapters' files are kept for all machines: a local (or mounted) folder, or whatever fsspec reaches, such as `s3://BUCKET/PATH`.

Both are laid out alike, `<root>/<tenant>/<digest>/`. A URI names the folder; of it tenant and digest are taken, the root is this process's
own setting: a store that has moved is found, and nothing that stands in a record can lead anywhere else.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from math import inf
from pathlib import Path
from threading import Lock
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from parley.backends.adapter_folder import copy_folder
from parley.backends.adapter_shelf import INCOMING, Shelf, check_place
from parley.backends.remote_files import has_folders, open_remote, reached
from parley.domain.adapters import CONFIG, MAX_BYTES, NEEDED
from parley.domain.tensor_header import quoted
from parley.errors import AdapterRefused, StoreUnavailable
from parley.ports.adapters import RemovalStep
from schemas.base import TenantId

SETTING = "PARLEY_ADAPTERS_URL"


class Place(Protocol):
    """Where the files of all machines are."""

    def put(self, tenant: TenantId, digest: str, folder: Path) -> str:
        """Copy a folder there, or of its files what is not there; returns its URI."""

    def copy(self, tenant: TenantId, digest: str, into: Path) -> None:
        """Fill a local folder with a version's files. Raises `AdapterRefused` where it was never put there, `StoreUnavailable` where the place is
        away.
        """

    def holds(self, tenant: TenantId, digest: str) -> bool:
        """Whether any of its files is there."""

    def removal(self, tenant: TenantId, digest: str) -> Iterator[RemovalStep]:
        """As `AdapterArchive.removal`."""


class AdapterFolders:
    """Implements `parley.ports.adapters.AdapterArchive`; thread-safe, one fetch at a time.

    `put` is for one tenant, `fetch` for any; with a tenant named, for that one alone.
    """

    def __init__(self, place: Place, cache: Shelf, tenant: TenantId | None = None) -> None:
        self._place = place
        self._cache = cache
        self._tenant = tenant
        self._checked: set[Path] = set()
        self._lock = Lock()

    def put(self, folder: Path, digest: str) -> str:
        assert self._tenant is not None, "whose adapter it is was not said when the storage was opened"
        cached = self._whole(self._tenant, digest, lambda into: copy_folder(folder, into))
        return self._place.put(self._tenant, digest, cached)

    def fetch(self, uri: str, digest: str) -> Path:
        tenant = self._tenant_of(uri, digest)
        path = self._cache.path(tenant, digest)
        with self._lock:
            if path not in self._checked or not path.is_dir():
                self._whole(tenant, digest, lambda into: self._place.copy(tenant, digest, into))
                self._checked.add(path)
        return path

    def holds(self, tenant: TenantId, digest: str) -> bool:
        return self._cache.holds(tenant, digest) or self._place.holds(tenant, digest)

    def removal(self, tenant: TenantId, digest: str) -> Iterator[RemovalStep]:
        yield from self._place.removal(tenant, digest)
        yield from self._cache.removal(tenant, digest)

    def _whole(self, tenant: TenantId, digest: str, fill: Callable[[Path], None]) -> Path:
        """The version's folder in the cache. One that is damaged is filled anew, but never where the cache is the store itself."""
        try:
            self._cache.check(tenant, digest)
        except (AdapterRefused, StoreUnavailable):
            if self._place is self._cache:
                raise
            self._cache.remove(tenant, digest)
        return self._cache.place(tenant, digest, fill)

    def _tenant_of(self, uri: str, digest: str) -> TenantId:
        parts = unquote(uri).split("/")
        tenant = parts[-2] if len(parts) > 1 else ""
        if ".." in parts or parts[-1] != digest:
            raise AdapterRefused(f"URI {quoted(uri)}: allowed: …/TENANT/DIGEST with the digest {digest}")
        check_place(tenant, digest)
        if self._tenant not in (None, tenant):
            raise AdapterRefused(f"URI {quoted(uri)}: is another tenant's; allowed: {self._tenant}'s")
        return TenantId(tenant)


class Remote:
    """A `Place` on fsspec. `adapter_config.json` is written last and removed first: who reads it finds the whole folder.

    Who puts a folder there looks for each file: a removal may have met with an earlier putting, and have left any of them.
    """

    def __init__(self, filesystem: Any, root: str, url: str) -> None:
        self._files = filesystem
        self._root = root.rstrip("/")
        self._url = url.rstrip("/")

    def put(self, tenant: TenantId, digest: str, folder: Path) -> str:
        check_place(tenant, digest)
        final = f"{self._root}/{tenant}/{digest}"
        with self._reached():
            self._files.invalidate_cache()
            missing = [each for each in folder.iterdir() if self._size(f"{final}/{each.name}") is None]
            if missing:
                self._upload(missing, f"{self._root}/{tenant}/{INCOMING}{uuid4().hex}", final)
        return f"{self._url}/{tenant}/{digest}"

    def copy(self, tenant: TenantId, digest: str, into: Path) -> None:
        check_place(tenant, digest)
        final = f"{self._root}/{tenant}/{digest}"
        with self._reached():
            self._files.invalidate_cache()
            for name, most in MAX_BYTES.items():
                size = self._size(f"{final}/{name}")
                if size is None and name in NEEDED:
                    raise AdapterRefused(f"{name}: is missing in {self._url}; it was never published there")
                if size is not None:
                    self._check_size(name, size, most)
                    self._files.get_file(f"{final}/{name}", str(into / name))

    def holds(self, tenant: TenantId, digest: str) -> bool:
        check_place(tenant, digest)
        with self._reached():
            self._files.invalidate_cache()
            return any(self._size(f"{self._root}/{tenant}/{digest}/{name}") is not None for name in MAX_BYTES)

    def removal(self, tenant: TenantId, digest: str) -> Iterator[RemovalStep]:
        """A file a step, `adapter_config.json` first: without it nobody takes the rest for a version."""
        check_place(tenant, digest)
        final = f"{self._root}/{tenant}/{digest}"
        with self._reached():
            self._files.invalidate_cache()
            there = [name for name in MAX_BYTES if self._size(f"{final}/{name}") is not None]
            is_folder = has_folders(self._files) and self._files.exists(final)
        for name in sorted(there, key=lambda name: name != CONFIG):
            yield partial(self._remove_file, f"{final}/{name}")
        if is_folder:
            yield partial(self._remove_folder, final)

    def _remove_file(self, path: str) -> None:
        with self._reached(), suppress(FileNotFoundError):  # somebody else removed it just now
            self._files.rm_file(path)

    def _remove_folder(self, path: str) -> None:
        """Unless somebody has put files there again."""
        with self._reached(), suppress(FileNotFoundError):
            self._files.invalidate_cache()
            if not self._files.ls(path, detail=False):
                self._files.rmdir(path)

    def _upload(self, files: list[Path], part: str, final: str) -> None:
        """Where a file system has no atomic writing, renaming is: so the files come under another name first."""
        files = sorted(files, key=lambda file: file.name == CONFIG)
        try:
            self._make_folder(part)
            for file in files:
                self._files.put_file(str(file), f"{part}/{file.name}")
            self._make_folder(final)
            for file in files:
                self._files.mv(f"{part}/{file.name}", f"{final}/{file.name}")
        finally:
            if self._files.exists(part):
                self._files.rm(part, recursive=True)

    def _make_folder(self, path: str) -> None:
        if has_folders(self._files):
            self._files.makedirs(path, exist_ok=True)

    def _size(self, path: str) -> float | None:
        """In bytes, infinite where the store does not tell; None for a file that is not there. `exists` would say that of a store that is away too."""
        try:
            size = self._files.info(path).get("size")
        except FileNotFoundError:
            return None
        return inf if size is None else size

    def _check_size(self, name: str, size: float, most: int) -> None:
        """Before anything is fetched: what does not fit would fill the disk."""
        if size > most:
            raise AdapterRefused(f"{name}: has {size} bytes in {self._url}; allowed: up to {most}")

    def _reached(self) -> AbstractContextManager[None]:
        return reached(f"adapters in {self._url}")


def open_adapter_storage(url: str, cache: Path, tenant: TenantId | None = None) -> AdapterFolders:
    """Opens nothing yet. An empty URL keeps everything in `cache`. Raises `ConfigurationError` for a URL that cannot work."""
    shelf = Shelf(cache)
    if not url:
        return AdapterFolders(shelf, shelf, tenant)
    scheme = urlsplit(url).scheme
    if scheme in ("", "file"):
        root = Path(unquote(urlsplit(url).path) if scheme else url).expanduser()
        return AdapterFolders(shelf if root == cache else Shelf(root), shelf, tenant)
    return AdapterFolders(Remote(*open_remote(url, SETTING), url), shelf, tenant)
