"""The adapters port: versions of the tenants' LoRA adapters, which of them is live, and where their files are.

A version is named by the digest of its content and never changes. Each tenant has one line of versions and at most one live one:
the pointer in the registry, told to the workers by `adapters.updates`.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from schemas.base import TenantId


@dataclass(frozen=True, slots=True)
class AdapterVersion:
    """`digest`: SHA-256 over the names and contents of its files, 64 hexadecimal digits. `uri`: the folder that holds them."""

    tenant: TenantId
    digest: str
    base_model: str
    base_revision: str
    rank: int
    bytes: int
    uri: str
    published_at: datetime
    retired_at: datetime | None = None

    @property
    def name(self) -> str:
        """By which engines and answers know it."""
        return f"{self.tenant}@{self.digest}"


class AdapterRegistry(Protocol):
    """Raises `StoreUnavailable`. Thread-safe."""

    def add(self, version: AdapterVersion, *, again: bool = False) -> None:
        """Nothing happens for a digest that the tenant has already; with `again`, one that was retired is there again."""

    def get(self, tenant: TenantId, digest: str) -> AdapterVersion | None: ...

    def versions(self, tenant: TenantId | None = None) -> list[AdapterVersion]:
        """Newest first, retired ones among them."""

    def retire(self, tenant: TenantId, digest: str, at: datetime) -> None: ...

    def locked(self, tenant: TenantId, digest: str) -> AbstractContextManager[AdapterVersion | None]:
        """The version, which nobody else adds again, retires or makes live until the block ends. The block asks the registry nothing, and is
        short: others' writes may wait for it, and after 30 s the lock may be lost, which is raised at its end.
        """

    def live(self, tenant: TenantId) -> str | None:
        """The digest that the tenant's answers are written with; None: the base model."""

    def point(self, tenant: TenantId, digest: str | None, at: datetime) -> str | None:
        """Make this version the live one (None: the base model); returns the one before, to which a rollback leads."""

    def before(self, tenant: TenantId) -> str | None:
        """The digest that was live before the present one."""


class AdapterStorage(Protocol):
    """Folders of files by digest: a local folder, or whatever fsspec reaches. Raises `StoreUnavailable`, `AdapterRefused`."""

    def put(self, folder: Path, digest: str) -> str:
        """Copy a checked folder to its place; returns its URI. Files that are there already are left alone."""

    def fetch(self, uri: str, digest: str) -> Path:
        """The local folder with these files, fetched and checked against the digest at the first call."""


RemovalStep = Callable[[], None]
"""One renaming or one request to the store."""


class AdapterArchive(AdapterStorage, Protocol):
    """The storage as whoever clears it sees it."""

    def holds(self, tenant: TenantId, digest: str) -> bool:
        """Whether its files are there, or a copy of them on this machine."""

    def removal(self, tenant: TenantId, digest: str) -> Iterator[RemovalStep]:
        """There and on this machine. The caller takes each step before it asks for the next one; what takes long is done between them.

        After the first step no other machine can fetch the version. Who stops before the end leaves what `put` completes. No step: nothing is there.
        """
