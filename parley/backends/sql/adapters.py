"""The registry of adapters: one row a version, and one a move of a tenant's pointer, the last of which says what is live."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update

from parley.backends.sql import tables as t
from parley.backends.sql.bulk import put
from parley.backends.sql.engine import reading, writing
from parley.errors import AdapterRefused
from parley.ports.adapters import AdapterVersion
from schemas.base import TenantId

A = t.adapters.c
P = t.adapter_pointers.c


class SqlAdapters:
    """Implements `parley.ports.adapters.AdapterRegistry` on the store's connections."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, version: AdapterVersion, *, again: bool = False) -> None:
        with writing(self._engine) as connection:
            held = _locked(connection, version.tenant, version.digest)
            retired = held is not None and held.retired_at is not None
            put(connection, t.adapters, [asdict(version)], "replace" if again and retired else "keep")

    def get(self, tenant: TenantId, digest: str) -> AdapterVersion | None:
        query = select(t.adapters).where(A.tenant == tenant, A.digest == digest)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else _version(row)

    def versions(self, tenant: TenantId | None = None) -> list[AdapterVersion]:
        query = select(t.adapters).order_by(A.published_at.desc(), A.tenant, A.digest)
        if tenant is not None:
            query = query.where(A.tenant == tenant)
        with reading(self._engine) as connection:
            return [_version(row) for row in connection.execute(query)]

    def retire(self, tenant: TenantId, digest: str, at: datetime) -> None:
        """Raises `AdapterRefused` for the live one: first the pointer, then the version."""
        with writing(self._engine) as connection:
            _locked(connection, tenant, digest)
            if _live(connection, tenant) == digest:
                raise AdapterRefused(f"adapter {digest} of {tenant}: is live; allowed: one that is not")
            ours = (A.tenant == tenant) & (A.digest == digest) & A.retired_at.is_(None)
            connection.execute(update(t.adapters).where(ours).values(retired_at=at))

    @contextmanager
    def locked(self, tenant: TenantId, digest: str) -> Iterator[AdapterVersion | None]:
        with writing(self._engine) as connection:
            row = _locked(connection, tenant, digest)
            yield None if row is None else _version(row)

    def live(self, tenant: TenantId) -> str | None:
        with reading(self._engine) as connection:
            return _live(connection, tenant)

    def point(self, tenant: TenantId, digest: str | None, at: datetime) -> str | None:
        """Raises `AdapterRefused` for a version that is unknown or retired. Pointing at what is live moves nothing."""
        with writing(self._engine) as connection:
            # The version's row is locked, so that nobody retires what is about to be live.
            held = None if digest is None else _locked(connection, tenant, digest)
            if digest is not None and (held is None or held.retired_at is not None):
                state = "was never registered" if held is None else "is retired"
                raise AdapterRefused(
                    f"adapter {digest} of {tenant}: {state}; allowed: one that can be served"
                )
            live = _live(connection, tenant)
            if live == digest:
                return _before(connection, tenant, live)
            move = {"tenant": tenant, "digest": digest, "moved_at": at}
            connection.execute(t.adapter_pointers.insert(), [move])
            return live

    def before(self, tenant: TenantId) -> str | None:
        """Retired versions are passed over."""
        with reading(self._engine) as connection:
            return _before(connection, tenant, _live(connection, tenant))


def _locked(connection: Connection, tenant: TenantId, digest: str) -> Row[Any] | None:
    """The version's row, which nobody else may lock until this transaction ends (on SQLite the whole database is)."""
    query = select(t.adapters).where(A.tenant == tenant, A.digest == digest).with_for_update()
    return connection.execute(query).first()


def _live(connection: Connection, tenant: TenantId) -> str | None:
    query = select(P.digest).where(P.tenant == tenant).order_by(P.move_id.desc()).limit(1)
    found: str | None = connection.scalar(query)
    return found


def _before(connection: Connection, tenant: TenantId, live: str | None) -> str | None:
    served = (A.tenant == P.tenant) & (A.digest == P.digest) & A.retired_at.is_(None)
    query = select(P.digest).join(t.adapters, served).where(P.tenant == tenant)
    if live is not None:
        query = query.where(P.digest != live)
    found: str | None = connection.scalar(query.order_by(P.move_id.desc()).limit(1))
    return found


def _version(row: Row[Any]) -> AdapterVersion:
    return AdapterVersion(
        tenant=TenantId(row.tenant),
        digest=row.digest,
        base_model=row.base_model,
        base_revision=row.base_revision,
        rank=row.rank,
        bytes=row.bytes,
        uri=row.uri,
        published_at=row.published_at,
        retired_at=row.retired_at,
    )
