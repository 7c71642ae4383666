"""What every door writes with: whose conversation a channel's chat is, masked texts, sealed events, the log's acknowledgement."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from uuid import uuid4

from cachetools import TTLCache

from connectors.kit.channel import Doorway
from parley.domain.masking import Findings, Masked, Masker, masker_of
from parley.domain.masking.placeholders import apart, together
from parley.domain.rights import Owner
from parley.ids import new_traceparent
from parley.ports.channels import Chat
from parley.runtime.publishing import publish
from parley.runtime.vault import Writing
from schemas import parts
from schemas.base import AnyEvent, Body, ConversationId, CustomerId, Envelope, Event, EventId, TenantId
from schemas.tenant import TenantConfig

TENANT_TTL_S = 2.0


@dataclass(frozen=True, slots=True)
class _Tenant:
    version: str
    config: TenantConfig
    masker: Masker = field(repr=False)


class Pen:
    """One tenant's, for one channel. Thread-safe. Its methods raise `StoreUnavailable`, and `UnknownTenant` where the tenant is asked for."""

    def __init__(self, opened: Doorway, channel: parts.Channel, tenant: TenantId) -> None:
        self._opened = opened
        self._channel: parts.Channel = channel
        self._tenant = tenant
        self._producer = opened.bus.producer()
        self._tenants: TTLCache[str, _Tenant] = TTLCache(4, TENANT_TTL_S)
        self._lock = Lock()

    def config(self) -> TenantConfig:
        """The tenant's version in force."""
        return self._current().config

    def chat(self, address: str) -> Chat | None:
        return self._opened.store.channels.chat(self._tenant, self._channel, address)

    def open_chat(self, address: str, language: str | None, customer: CustomerId | None = None) -> Chat:
        """A conversation for an address that has none, of a new customer unless one is named. Of several that open it at once one holds;
        the others' keys were never used. Raises `KeyErased` for a customer who was erased.
        """
        customer = customer or CustomerId(str(uuid4()))
        self._opened.keys.create(self._tenant, customer)
        conversation, now = ConversationId(str(uuid4())), self._opened.clock.now()
        chat = Chat(self._tenant, self._channel, address, conversation, customer, now, language)
        return self._opened.store.channels.open_chat(chat)

    def masked(self, chat: Chat, text: str, event_id: EventId, now: datetime) -> Masked:
        """Raises `KeyErased`."""
        return self._written(chat, self.findings(text), event_id, now)

    def masked_all(
        self, chat: Chat, findings: Sequence[Findings], event_id: EventId, now: datetime
    ) -> list[str]:
        """Each text without what was found in it, all of which is stored at once. No text has `BETWEEN` in it. Raises `KeyErased`."""
        return apart(self._written(chat, together(findings), event_id, now)) if findings else []

    def _written(self, chat: Chat, findings: Findings, event_id: EventId, now: datetime) -> Masked:
        if not findings.taken:
            return Masked(findings.text)
        owner = Owner(chat.tenant, chat.customer_id, chat.conversation_id)
        return self._opened.vault.write(Writing(owner, event_id, self.config().privacy, now), findings)

    @property
    def masker(self) -> Masker:
        """The tenant's rules in force."""
        return self._current().masker

    def findings(self, text: str) -> Findings:
        """What is to be taken out of a text by the tenant's rules."""
        return self._current().masker.find(text)

    def event(self, chat: Chat, body: Body, event_id: EventId, at: datetime) -> AnyEvent:
        envelope = Envelope(
            event_id=event_id,
            type=body.event_type(),
            version=body.version,
            tenant=chat.tenant,
            tenant_version=self._current().version,
            customer_id=chat.customer_id,
            conversation_id=chat.conversation_id,
            occurred_at=at,
            traceparent=new_traceparent(event_id),
        )
        return Event(envelope, body)

    def publish(self, events: Sequence[AnyEvent]) -> None:
        """Returns once the log has all of them. Raises `BusUnavailable`, `KeyErased`, `RecordTooLarge`."""
        publish(self._producer, [self._opened.codec.encode(event) for event in events])

    def close(self) -> None:
        self._producer.close()

    def _current(self) -> _Tenant:
        with self._lock:
            found = self._tenants.get(self._tenant)
        if found is None:
            store = self._opened.store
            version = store.current(self._tenant)
            config = store.config(self._tenant, version)
            found = _Tenant(version, config, masker_of(config.privacy.patterns))
            with self._lock:
                self._tenants[self._tenant] = found
        return found
