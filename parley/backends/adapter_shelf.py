"""Adapters' folders on this machine: `<root>/<tenant>/<digest>/`, each there whole or not at all, and never changed.

A folder is filled under another name, checked against its digest, and renamed; who reads it under its own name sees all of it.
"""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from parley.backends.adapter_folder import copy_folder, digest_folder
from parley.domain.adapters import check_digest
from parley.domain.tensor_header import quoted
from parley.errors import AdapterRefused, AdapterUnreadable, StoreUnavailable
from parley.ports.adapters import RemovalStep
from schemas.base import TENANT_PATTERN, TenantId

INCOMING = ".incoming-"
ABANDONED_S = 24 * 3600.0
"""After which a folder that is still being filled has been left by a process that died."""


class Shelf:
    """Makes nothing before something is put. Raises `AdapterRefused` for files that are wrong, and `StoreUnavailable` for a disk that is full,
    closed or away.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, tenant: TenantId, digest: str) -> Path:
        check_place(tenant, digest)
        return self.root / tenant / digest

    def place(self, tenant: TenantId, digest: str, fill: Callable[[Path], None]) -> Path:
        """The version's folder; what is not there yet is put there by `fill`, which is given an empty folder."""
        target = self.path(tenant, digest)
        try:
            if not target.is_dir():
                target.parent.mkdir(parents=True, exist_ok=True)
                _clear_abandoned(target.parent)
                self._fill(target, digest, fill)
        except OSError as error:
            raise StoreUnavailable(f"adapters in {self.root}: {error.strerror}") from error
        return target

    def put(self, tenant: TenantId, digest: str, folder: Path) -> str:
        return self.place(tenant, digest, lambda into: copy_folder(folder, into)).absolute().as_uri()

    def copy(self, tenant: TenantId, digest: str, into: Path) -> None:
        """Fill a folder with a version's files.

        A version that is not among the tenant's was never put here; where the tenant has nothing at all, a folder that should be mounted is
        taken to be away, since what it leaves behind is an empty one.
        """
        source = self.path(tenant, digest)
        with self._reached():
            if digest not in os.listdir(source.parent):
                raise AdapterRefused(f"{digest}: is missing in {self.root}; it was never published there")
            copy_folder(source, into)

    def check(self, tenant: TenantId, digest: str) -> None:
        """Whether what is here has its digest; nothing happens where it is not."""
        folder = self.path(tenant, digest)
        with self._reached():
            if folder.is_dir():
                check_content(folder, digest)

    def holds(self, tenant: TenantId, digest: str) -> bool:
        with self._reached():
            return self.path(tenant, digest).is_dir()

    def remove(self, tenant: TenantId, digest: str) -> None:
        """Nothing happens for a version that is not there."""
        for step in self.removal(tenant, digest):
            step()

    def removal(self, tenant: TenantId, digest: str) -> Iterator[RemovalStep]:
        """One step, the renaming: who dies after it leaves what the next filling clears."""
        folder = self.path(tenant, digest)
        part = folder.parent / f"{INCOMING}{uuid4().hex}"
        if self.holds(tenant, digest):
            yield lambda: self._set_aside(folder, part)
            with self._reached(), suppress(FileNotFoundError):
                shutil.rmtree(part)

    def _set_aside(self, folder: Path, part: Path) -> None:
        with self._reached(), suppress(FileNotFoundError):  # somebody else removed it just now
            folder.rename(part)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except AdapterUnreadable as error:
            raise StoreUnavailable(f"adapters in {self.root}: {error}") from error
        except OSError as error:
            raise StoreUnavailable(f"adapters in {self.root}: {error.strerror}") from error

    def _fill(self, target: Path, digest: str, fill: Callable[[Path], None]) -> None:
        part = target.parent / f"{INCOMING}{uuid4().hex}"
        part.mkdir()
        try:
            fill(part)
            check_content(part, digest)
            _settle(part)
            part.rename(target)
            _sync(target.parent)
        except OSError:
            if not target.is_dir():  # else somebody else was first with the same content
                raise
        finally:
            shutil.rmtree(part, ignore_errors=True)


def check_place(tenant: str, digest: str) -> None:
    """Raises `AdapterRefused` for names that could lead out of the root."""
    if not re.fullmatch(TENANT_PATTERN, tenant):
        raise AdapterRefused(f"tenant {quoted(tenant)}: allowed: {TENANT_PATTERN}")
    check_digest(digest)


def check_content(folder: Path, digest: str) -> None:
    found = digest_folder(folder)
    if found != digest:
        raise AdapterRefused(
            f"{folder.name}: its files have the digest {found}, not {digest}; they were changed or damaged"
        )


def _settle(folder: Path) -> None:
    """Nobody writes to these files again, and a power cut after the renaming finds them whole."""
    for file in folder.iterdir():
        file.chmod(0o444)
        _sync(file)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear_abandoned(folder: Path) -> None:
    for part in folder.glob(f"{INCOMING}*"):
        with suppress(FileNotFoundError):  # it was filled, and renamed, just now
            if time.time() - part.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(part, ignore_errors=True)
