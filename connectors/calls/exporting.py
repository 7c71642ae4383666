"""What is kept of a conversation, read for the vCon writer: its outbound events and verdicts, opened, and its tenant's names."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from connectors.calls.fields import Object
from connectors.calls.vcon.writing import Conversation, revealed, vcon
from parley.codec import Codec, Erased
from parley.domain.readmodel import ConversationRow, FeedbackRow
from parley.domain.rights import Owner, Right
from parley.errors import KeyErased, UnknownTenant
from parley.ports.bus import Record
from parley.ports.clock import Clock
from parley.ports.store import HistoryRow, ReadModel, Store
from parley.runtime.tenants import TenantConfigs
from parley.runtime.vault import Vault
from schemas.base import AnyEvent, ConversationId, TenantId
from schemas.tenant import TenantConfig
from schemas.topics import CHAT_OUTBOUND

PAGE = 500
"""Rows read at once. One conversation is held in memory, and never two."""


class Exporter:
    """Thread-safe as far as what it reads from is."""

    def __init__(
        self, store: Store, codec: Codec, configs: TenantConfigs, vault: Vault, clock: Clock
    ) -> None:
        self._store = store
        self._codec = codec
        self._configs = configs
        self._vault = vault
        self._clock = clock

    def read(self, row: ConversationRow) -> Conversation:
        """Raises `KeyErased` where the customer was erased, `InvalidEvent` for what cannot be read, `StoreUnavailable`."""
        events = list(self._events(row.conversation_id))
        feedback = [self._opened(each) for each in self._store.feedback(row.conversation_id)]
        config = self._config(row.tenant, events)
        return Conversation(
            tenant=row.tenant,
            conversation_id=row.conversation_id,
            customer_id=row.customer_id,
            channel=row.channel,
            started_at=row.started_at,
            bot=_text(config.assistant.name, row.language, config),
            org=_text(config.name, row.language, config),
            events=events,
            feedback=feedback,
            subject=config.topic(row.last_intent, row.language),
            has_parent=config.privacy.vault,
        )

    def parent(self, said: Conversation, right: Right) -> Object:
        """The vCon with what the vault still has and the right covers. Whoever calls has noted it in the audit log before."""
        owner, now = Owner(said.tenant, said.customer_id, said.conversation_id), self._clock.now()
        return revealed(vcon(said), said, lambda texts: self._vault.reveal(right, owner, texts, now))

    def _events(self, conversation_id: ConversationId) -> Iterator[AnyEvent]:
        after = 0
        while page := self._store.history(conversation_id, after_seq=after, limit=PAGE):
            for row in page:
                event = self._codec.decode(_record(row))
                if isinstance(event, Erased):
                    raise KeyErased(f"{conversation_id}: its customer was erased")
                yield event
            after = page[-1].seq

    def _config(self, tenant: TenantId, events: Sequence[AnyEvent]) -> TenantConfig:
        """The tenant as it was when something happened last; as it is now where that version is not in the store."""
        if events:
            with suppress(UnknownTenant):
                return self._configs.get(tenant, events[-1].envelope.tenant_version)
        return self._configs.get(tenant, self._store.current(tenant))

    def _opened(self, row: FeedbackRow) -> FeedbackRow:
        if not row.comment:
            return row
        sealer = self._codec.sealer_of(row.tenant, row.customer_id, row.event_id)
        return replace(row, comment=sealer.unseal(row.comment, "comment"))


def rows_of(
    store: ReadModel, tenant: TenantId, *, since: datetime | None = None, channel: str | None = None
) -> Iterator[ConversationRow]:
    """All of a tenant's conversations, or those that are chosen, a page at a time."""
    after: ConversationId | None = None
    while page := store.conversations_by_id(tenant, after=after, since=since, channel=channel, limit=PAGE):
        yield from page
        after = page[-1].conversation_id


def _record(row: HistoryRow) -> Record:
    """The record that a history row was."""
    key = row.conversation_id.encode()
    return Record(CHAT_OUTBOUND.name, 0, row.seq, 0, key, row.value, row.headers)


def _text(texts: dict[str, str], language: str, config: TenantConfig) -> str:
    return texts.get(language) or texts.get(config.default_language) or next(iter(texts.values()))
