"""The door in: what a customer said on a channel, claimed, masked, sealed and in the log before the channel is told that it was taken.

Whatever a channel repeats has the same id and decides nothing twice. Ids are claimed one by one, with expiry, never as "all up to": a
channel that delivers concurrently delivers out of order.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from uuid import uuid4

from cachetools import LRUCache, TTLCache

from connectors.kit.channel import Doorway
from parley.domain.masking import Masked, Masker, masker_of
from parley.domain.rights import Owner
from parley.errors import KeyErased
from parley.ids import named_id, new_traceparent
from parley.ports.channels import Chat
from parley.ports.store import Claim
from parley.runtime.publishing import publish
from parley.runtime.vault import Writing
from schemas import parts
from schemas.base import (
    MAX_MESSAGE_CHARS,
    AnyEvent,
    Body,
    ConversationId,
    CustomerId,
    Envelope,
    Event,
    EventId,
    MessageId,
    TenantId,
)
from schemas.conversation_events import ConversationStarted, MessageReceived
from schemas.tenant import TenantConfig

TENANT_TTL_S = 2.0
BEGUN_REMEMBERED = 16_384
BEGINS_WITHIN = timedelta(days=2)
"""Twice as long as any channel delivers a message again: Telegram does for 24 hours."""
MAX_ID_CHARS = 128


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text from a chat. `external_id` is the channel's name for this delivery: the same for each repeat, and for nothing else."""

    address: str
    external_id: str
    text: str
    language: str | None = None


class MessageTooLong(Exception):
    """More than the platform takes; nothing was written."""

    def __init__(self, characters: int) -> None:
        super().__init__(f"text: {characters} characters; allowed: 1 to {MAX_MESSAGE_CHARS}")


class IdReused(Exception):
    """The channel's id stands for another text already; nothing was written."""

    def __init__(self, external_id: str) -> None:
        super().__init__(f"id: {external_id!r} was used for another text; allowed: an id of its own for each")


@dataclass(frozen=True, slots=True)
class _Tenant:
    version: str
    config: TenantConfig
    masker: Masker = field(repr=False)


class Inbox:
    """One tenant's door of one channel. Thread-safe; every method waits until the log has acknowledged what it writes.

    Each raises `BusUnavailable` and `StoreUnavailable`: the channel is then to deliver again.
    """

    def __init__(self, opened: Doorway, channel: parts.Channel, tenant: TenantId) -> None:
        self._opened = opened
        self._channel: parts.Channel = channel
        self._tenant = tenant
        self._producer = opened.bus.producer()
        self._secret = hmac.digest(opened.settings.signing_secret(), b"channel-text-digest", "sha256")
        self._tenants: TTLCache[str, _Tenant] = TTLCache(4, TENANT_TTL_S)
        #: Conversations whose first event is in the log for certain.
        self._begun: LRUCache[ConversationId, None] = LRUCache(BEGUN_REMEMBERED)
        self._lock = Lock()

    def config(self) -> TenantConfig:
        """The tenant's version in force. Raises `UnknownTenant`."""
        return self._current().config

    def chat(self, address: str) -> Chat | None:
        return self._opened.store.channels.chat(self._tenant, self._channel, address)

    def take(self, incoming: Incoming) -> MessageId:
        """Raises `MessageTooLong`, `IdReused`, `UnknownTenant`, and `KeyErased` where a key is missing that nobody erased."""
        if not 0 < len(incoming.text) <= MAX_MESSAGE_CHARS:
            raise MessageTooLong(len(incoming.text))
        chat = self.opened_chat(incoming.address, incoming.language)
        try:
            return self._take(chat, incoming)
        except KeyErased:  # the customer was erased, and writes again: that is somebody whom nobody knows
            if chat.customer_id not in {each.customer_id for each in self._opened.store.erasures()}:
                raise
            self._opened.store.purge([(chat.tenant, chat.customer_id)])
            return self._take(self.opened_chat(incoming.address, incoming.language), incoming)

    def opened_chat(self, address: str, language: str | None = None) -> Chat:
        """The chat's conversation; begun where there is none. One that was closed for sending is open again: its customer is back."""
        held = self.chat(address)
        if held is None:
            held = self._open(address, self.config().spoken(language))
        self._tell_begun(held)
        if held.closed is not None:
            self._opened.store.channels.set_closed(held.conversation_id, None)
        return held

    def close_chat(self, chat: Chat, reason: str) -> None:
        """Nothing more is sent into it, until its customer is back."""
        self._opened.store.channels.set_closed(chat.conversation_id, reason)

    def set_language(self, chat: Chat, language: str) -> None:
        self._opened.store.channels.set_language(chat.conversation_id, language)

    def write(self, chat: Chat, body: Body, external_id: str) -> EventId:
        """Any other event of this chat's conversation. Raises `KeyErased`."""
        event_id = named_id(chat.conversation_id, self._channel, external_id)
        self._publish(self._event(chat, body, event_id, self._opened.clock.now()))
        return event_id

    def close(self) -> None:
        self._producer.close()

    def _take(self, chat: Chat, incoming: Incoming) -> MessageId:
        now = self._opened.clock.now()
        name = f"{self._channel}:{incoming.external_id}"[:MAX_ID_CHARS]
        event_id = named_id(chat.conversation_id, name)
        self._opened.keys.get(chat.tenant, chat.customer_id)  # of who was erased not even a claim is written
        masked = self._masked(chat, incoming.text, event_id, now)
        claim = Claim(chat.conversation_id, name, MessageId(event_id), self._digest(chat, masked.text), now)
        [held] = self._opened.store.claim([claim])
        if held.text_digest != claim.text_digest:
            raise IdReused(incoming.external_id)
        body = MessageReceived(
            message_id=held.message_id,
            text=masked.text,
            channel=self._channel,
            client_message_id=name,
            masked=masked.kinds,
        )
        self._publish(self._event(chat, body, EventId(held.message_id), now))
        return held.message_id

    def _open(self, address: str, language: str | None) -> Chat:
        """Of several that open it at once one holds; the others' keys were never used."""
        customer = CustomerId(str(uuid4()))
        self._opened.keys.create(self._tenant, customer)
        conversation, now = ConversationId(str(uuid4())), self._opened.clock.now()
        chat = Chat(self._tenant, self._channel, address, conversation, customer, now, language)
        return self._opened.store.channels.open_chat(chat)

    def _tell_begun(self, chat: Chat) -> None:
        """The conversation's first event comes before any other of it, also where whoever opened the chat died before it was written. Under
        one id, so that it counts once.
        """
        if chat.conversation_id in self._begun or self._opened.clock.now() - chat.opened_at > BEGINS_WITHIN:
            return
        started = ConversationStarted(channel=self._channel, language=chat.language)
        self._publish(self._event(chat, started, named_id(chat.conversation_id, "started"), chat.opened_at))
        with self._lock:
            self._begun[chat.conversation_id] = None

    def _masked(self, chat: Chat, text: str, event_id: EventId, now: datetime) -> Masked:
        current = self._current()
        findings = current.masker.find(text)
        if not findings.taken:
            return Masked(findings.text)
        owner = Owner(chat.tenant, chat.customer_id, chat.conversation_id)
        return self._opened.vault.write(Writing(owner, event_id, current.config.privacy, now), findings)

    def _digest(self, chat: Chat, text: str) -> str:
        said = f"{chat.conversation_id}\x1f{text}".encode()
        return hmac.new(self._secret, said, hashlib.sha256).hexdigest()

    def _event(self, chat: Chat, body: Body, event_id: EventId, at: datetime) -> AnyEvent:
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

    def _publish(self, event: AnyEvent) -> None:
        publish(self._producer, [self._opened.codec.encode(event)])

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
