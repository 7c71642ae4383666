"""The `TenantStore` and `DoorStore` parts: versions of tenants, access keys, claimed message ids."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, select, tuple_, update

from parley.backends.sql import tables as t
from parley.backends.sql.bulk import delete_older, put
from parley.backends.sql.engine import reading, writing
from parley.errors import UnknownTenant
from parley.ports.store import AccessKey, Claim, TenantVersion
from schemas.base import ConversationId, MessageId, TenantId
from schemas.tenant import TenantConfig, TenantContent


class Tenants:
    """`_engine` is set by the store that it is mixed into."""

    _engine: Engine

    def put(self, version: str, config: TenantConfig, content: TenantContent, imported_at: datetime) -> bool:
        row = {
            "tenant": config.id,
            "version": version,
            "config": config.model_dump_json(),
            "content": content.model_dump_json(),
            "imported_at": imported_at,
        }
        current = select(t.tenants.c.version).where(t.tenants.c.tenant == config.id)
        with writing(self._engine) as connection:
            put(connection, t.tenant_versions, [row], "keep")
            changed = connection.scalar(current) != version
            put(connection, t.tenants, [{"tenant": config.id, "version": version}], "replace")
        return changed

    def current(self, tenant: TenantId) -> str:
        with reading(self._engine) as connection:
            version = connection.scalar(select(t.tenants.c.version).where(t.tenants.c.tenant == tenant))
        if version is None:
            raise UnknownTenant(f"tenant {tenant} was never imported")
        return str(version)

    def config(self, tenant: TenantId, version: str) -> TenantConfig:
        return TenantConfig.model_validate_json(self._text(t.tenant_versions.c.config, tenant, version))

    def content(self, tenant: TenantId, version: str) -> TenantContent:
        return TenantContent.model_validate_json(self._text(t.tenant_versions.c.content, tenant, version))

    def versions(self) -> list[TenantVersion]:
        columns = t.tenant_versions.c
        query = (
            select(columns.tenant, columns.version, columns.imported_at, t.tenants.c.version.label("current"))
            .join(t.tenants, t.tenants.c.tenant == columns.tenant)
            .order_by(columns.tenant, columns.imported_at)
        )
        with reading(self._engine) as connection:
            return [
                TenantVersion(TenantId(row.tenant), row.version, row.imported_at, row.version == row.current)
                for row in connection.execute(query)
            ]

    def _text(self, column: Any, tenant: str, version: str) -> str:
        columns = t.tenant_versions.c
        with reading(self._engine) as connection:
            found = connection.scalar(
                select(column).where(columns.tenant == tenant, columns.version == version)
            )
        if found is None:
            raise UnknownTenant(f"tenant {tenant} has no version {version}")
        return str(found)


class Doors:
    """`_engine` is set by the store that it is mixed into."""

    _engine: Engine

    def put_key(self, key: AccessKey) -> None:
        row = {
            "key_hash": key.key_hash,
            "tenant": key.tenant,
            "kind": key.kind,
            "label": key.label,
            "origins": json.dumps(key.origins),
            "created_at": key.created_at,
            "revoked_at": key.revoked_at,
        }
        with writing(self._engine) as connection:
            put(connection, t.access_keys, [row], "replace")

    def key(self, key_hash: str) -> AccessKey | None:
        query = select(t.access_keys).where(t.access_keys.c.key_hash == key_hash)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else _key(row)

    def keys(self, tenant: TenantId | None = None) -> list[AccessKey]:
        columns = t.access_keys.c
        query = select(t.access_keys).order_by(columns.tenant, columns.created_at, columns.key_hash)
        if tenant is not None:
            query = query.where(columns.tenant == tenant)
        with reading(self._engine) as connection:
            return [_key(row) for row in connection.execute(query)]

    def revoke_key(self, key_hash: str, at: datetime) -> None:
        statement = update(t.access_keys).where(t.access_keys.c.key_hash == key_hash).values(revoked_at=at)
        with writing(self._engine) as connection:
            connection.execute(statement)

    def claim(self, claims: Sequence[Claim]) -> list[Claim]:
        if not claims:
            return []
        columns = t.claims.c
        rows = {(c.conversation_id, c.client_message_id): _claim_row(c) for c in reversed(claims)}
        query = select(t.claims).where(
            tuple_(columns.conversation_id, columns.client_message_id).in_(list(rows))
        )
        with writing(self._engine) as connection:
            put(connection, t.claims, rows.values(), "keep")
            held = {
                (row.conversation_id, row.client_message_id): _claim(row) for row in connection.execute(query)
            }
        return [held[c.conversation_id, c.client_message_id] for c in claims]

    def forget_claims(self, before: datetime, at_most: int) -> int:
        with writing(self._engine) as connection:
            return connection.execute(delete_older(t.claims.c.claimed_at, before, at_most)).rowcount


def _key(row: Row[Any]) -> AccessKey:
    return AccessKey(
        key_hash=row.key_hash,
        tenant=TenantId(row.tenant),
        kind=row.kind,
        label=row.label,
        origins=tuple(json.loads(row.origins)),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )


def _claim_row(claim: Claim) -> dict[str, object]:
    return {
        "conversation_id": claim.conversation_id,
        "client_message_id": claim.client_message_id,
        "message_id": claim.message_id,
        "text_digest": claim.text_digest,
        "claimed_at": claim.claimed_at,
    }


def _claim(row: Row[Any]) -> Claim:
    return Claim(
        conversation_id=ConversationId(row.conversation_id),
        client_message_id=row.client_message_id,
        message_id=MessageId(row.message_id),
        text_digest=row.text_digest,
        claimed_at=row.claimed_at,
    )
