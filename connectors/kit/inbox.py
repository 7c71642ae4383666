"""The door in: what a customer said on a channel, claimed, masked, sealed and in the log before the channel is told that it was taken.

Whatever a channel repeats has the same id and decides nothing twice. Ids are claimed one by one, with expiry, never as "all up to": a
channel that delivers concurrently delivers out of order.
"""

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from time import monotonic
from typing import Literal

from cachetools import LRUCache

from connectors.kit.channel import Doorway
from connectors.kit.content import Kind
from connectors.kit.pen import Pen
from parley.domain.masking import Masked
from parley.errors import KeyErased, StoreUnavailable
from parley.ids import named_id
from parley.ports.channels import Chat
from parley.ports.store import Claim
from parley.runtime.digests import derive_key, text_digest
from parley.runtime.history import events_of
from parley.runtime.limits import TenantQuota, TokenBuckets
from schemas import parts
from schemas.base import (
    MAX_MESSAGE_CHARS,
    Body,
    ConversationId,
    CustomerId,
    EventId,
    MessageId,
    ReplyId,
    TenantId,
)
from schemas.conversation_events import ConversationStarted, MessageReceived
from schemas.outbound import ReplyReady
from schemas.parts import Attachment
from schemas.tenant import TenantConfig

log = logging.getLogger(__name__)

BEGUN_REMEMBERED = 16_384
BEGINS_WITHIN = timedelta(days=2)
"""Twice as long as any channel delivers a message again: Telegram does for 24 hours."""
MAX_ID_CHARS = 128
COUNT_EVERY_S = 1.0
"""How old the count of the tenant's unsettled messages may be."""
MAX_NAME_CHARS = 200


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that came with a message, loaded, and its type told by `kit.content`. `name` is the sender's."""

    kind: Kind
    media_type: str
    content: bytes = field(repr=False)
    name: str | None = None


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One that is stored for this customer."""

    customer_id: CustomerId
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class Incoming:
    """What came from a chat: a text, or files, or both. `external_id` is the channel's name for this delivery: the same for each
    repeat, and for nothing else. `masked` are the kinds that were taken out of the text already (`Inbox.masked`). `album`: the channel's
    name for what its sender sent as one, up to 64 characters.
    """

    address: str
    external_id: str
    text: str
    language: str | None = None
    files: tuple[KeptFile, ...] = ()
    masked: tuple[str, ...] = ()
    album: str | None = None


class FilesNotKept(Exception):
    """The store of files is away, or the customer was erased meanwhile; nothing was written. The message may be taken without them."""


class MessageTooLong(Exception):
    """More than the platform takes; nothing was written."""

    def __init__(self, characters: int) -> None:
        super().__init__(f"text: {characters} characters; allowed: 1 to {MAX_MESSAGE_CHARS}")


class IdReused(Exception):
    """The channel's id stands for another text already; nothing was written."""

    def __init__(self, external_id: str) -> None:
        super().__init__(f"id: {external_id!r} was used for another text; allowed: an id of its own for each")


class TooMany(Exception):
    """Above what one chat (`messages_per_minute`) or the whole tenant (`limits`) may write; nothing was written, and nothing used up."""

    def __init__(self, of: Literal["chat", "tenant"], retry_after_s: float) -> None:
        super().__init__(f"messages: too many of this {of}; allowed: again in {retry_after_s:.1f} s")
        self.of = of
        self.retry_after_s = retry_after_s


class Inbox:
    """One tenant's door of one channel. Thread-safe; every method waits until the log has acknowledged what it writes.

    Each raises `BusUnavailable` and `StoreUnavailable`: the channel is then to deliver again.
    """

    def __init__(self, opened: Doorway, channel: parts.Channel, tenant: TenantId) -> None:
        self._opened = opened
        self._channel: parts.Channel = channel
        self._tenant = tenant
        self._pen = Pen(opened, channel, tenant)
        self._digest_key = derive_key(opened.settings.signing_secret(), "channel-text-digest")
        #: Conversations whose first event is in the log for certain.
        self._begun: LRUCache[ConversationId, None] = LRUCache(BEGUN_REMEMBERED)
        per_minute = opened.settings.messages_per_minute
        self._rates = TokenBuckets(rate=per_minute / 60, burst=per_minute)
        self._quota = TenantQuota()
        self._counted_at = -COUNT_EVERY_S
        self._lock = Lock()

    def config(self) -> TenantConfig:
        """The tenant's version in force. Raises `UnknownTenant`."""
        return self._pen.config()

    def chat(self, address: str) -> Chat | None:
        return self._pen.chat(address)

    def take(self, incoming: Incoming) -> MessageId:
        """Raises `MessageTooLong`, `TooMany`, `IdReused`, `FilesNotKept`, `UnknownTenant`, and `KeyErased` where a key is missing that
        nobody erased.
        """
        if not (incoming.text or incoming.files) or len(incoming.text) > MAX_MESSAGE_CHARS:
            raise MessageTooLong(len(incoming.text))
        self._admit(incoming.address)
        chat = self.opened_chat(incoming.address, incoming.language)
        try:
            return self._take(chat, incoming)
        except KeyErased:
            self._purge_erased(chat)
            return self._take(self.opened_chat(incoming.address, incoming.language), incoming)

    def admit(self, address: str) -> None:
        """Counts what is no message, and has the channel answer all the same, among the chat's. Raises `TooMany`."""
        with self._lock:
            if wait_s := self._rates.take(address):
                raise TooMany("chat", wait_s)

    def came_from(self, chat: Chat, source: str, external_id: str) -> None:
        """Log what a link to the channel says of where its customer comes from, masked. Of who is erased it is nothing."""
        try:
            masked = self._pen.masked(
                chat, source, self._event_id(chat, external_id), self._opened.clock.now()
            )
            came = ConversationStarted(channel=self._channel, language=chat.language, source=masked.text)
            self.write(chat, came, external_id)
        except KeyErased:
            log.info("%s: an erased customer's link is passed over", self._channel)

    def wait_s(self, address: str) -> float:
        """The seconds until this chat may write again; 0.0: it may now."""
        with self._lock:
            return self._rates.wait(address)

    def writing_chat(self, address: str, language: str | None = None) -> Chat:
        """As `opened_chat`, of a customer for whom something can be sealed. Raises `UnknownTenant`, and `KeyErased` as `take` does."""
        chat = self.opened_chat(address, language)
        try:
            self._opened.keys.get(chat.tenant, chat.customer_id)
        except KeyErased:
            self._purge_erased(chat)
            return self.opened_chat(address, language)
        return chat

    def masked(self, chat: Chat, external_id: str, text: str) -> Masked:
        """The text as the log will have it, for what has to be kept before it is taken. Raises `KeyErased`."""
        event_id = named_id(chat.conversation_id, self._name(external_id))
        return self._pen.masked(chat, text, event_id, self._opened.clock.now())

    def safe_name(self, name: str | None) -> str | None:
        """A file's name as it may be kept; None for one with personal data in it, since one with a gap says nothing."""
        safe = "".join(each for each in name or "" if each.isprintable())[:MAX_NAME_CHARS]
        return safe if safe and not self._pen.findings(safe).taken else None

    def keep(self, chat: Chat, file: NewFile) -> KeptFile:
        """Store a file, before a message names it. Raises `FilesNotKept`."""
        try:
            digest = self._opened.media.put(chat.tenant, chat.customer_id, file.content)
        except (StoreUnavailable, KeyErased) as error:
            raise FilesNotKept(str(error)) from error
        attachment = Attachment(
            kind=file.kind,
            media_type=file.media_type,
            digest=digest,
            bytes=len(file.content),
            name=self.safe_name(file.name),
        )
        return KeptFile(chat.customer_id, attachment)

    def opened_chat(self, address: str, language: str | None = None) -> Chat:
        """The chat's conversation; begun where there is none. One that was closed for sending is open again: its customer is back."""
        held = self.chat(address)
        if held is None:
            held = self._pen.open_chat(address, self.config().spoken(language))
        self._tell_begun(held)
        if held.closed is not None:
            self._opened.store.channels.set_closed(held.conversation_id, None)
        return held

    def close_chat(self, chat: Chat, reason: str) -> None:
        """Nothing more is sent into it, until its customer is back."""
        self._opened.store.channels.set_closed(chat.conversation_id, reason)

    def was_said(self, chat: Chat, reply_id: ReplyId) -> bool:
        """Whether the bot has said this in the chat's conversation: the history had it before the customer was sent it."""
        store, codec = self._opened.store, self._opened.codec
        said = events_of(store, codec, chat.conversation_id, (ReplyReady.event_type(),))
        return any(isinstance(each.body, ReplyReady) and each.body.reply_id == reply_id for each in said)

    def set_language(self, chat: Chat, language: str) -> None:
        self._opened.store.channels.set_language(chat.conversation_id, language)

    def write(self, chat: Chat, body: Body, external_id: str) -> EventId:
        """Any other event of this chat's conversation. Raises `KeyErased`."""
        event_id = self._event_id(chat, external_id)
        self._pen.publish([self._pen.event(chat, body, event_id, self._opened.clock.now())])
        return event_id

    def close(self) -> None:
        self._pen.close()

    def _take(self, chat: Chat, incoming: Incoming) -> MessageId:
        now = self._opened.clock.now()
        name = self._name(incoming.external_id)
        event_id = named_id(chat.conversation_id, name)
        self._opened.keys.get(chat.tenant, chat.customer_id)  # of who was erased not even a claim is written
        if any(each.customer_id != chat.customer_id for each in incoming.files):
            raise FilesNotKept("they are kept for a customer who was erased")
        masked = self._pen.masked(chat, incoming.text, event_id, now)
        # Of the text alone: a file that came once may be missing when the message is delivered again.
        digest = text_digest(self._digest_key, chat.conversation_id, masked.text)
        claim = Claim(chat.conversation_id, name, MessageId(event_id), digest, now)
        [held] = self._opened.store.claim([claim])
        if held.text_digest != claim.text_digest:
            raise IdReused(incoming.external_id)
        body = MessageReceived(
            message_id=held.message_id,
            text=masked.text,
            channel=self._channel,
            client_message_id=name,
            masked=tuple(dict.fromkeys((*incoming.masked, *masked.kinds))),
            attachments=tuple(each.attachment for each in incoming.files),
            album=incoming.album,
        )
        self._pen.publish([self._pen.event(chat, body, EventId(held.message_id), now)])
        with self._lock:
            self._quota.accepted(chat.tenant)
        return held.message_id

    def _event_id(self, chat: Chat, external_id: str) -> EventId:
        """Of what is no message; a message has its name's."""
        return named_id(chat.conversation_id, self._channel, external_id)

    def _name(self, external_id: str) -> str:
        return f"{self._channel}:{external_id}"[:MAX_ID_CHARS]

    def _purge_erased(self, chat: Chat) -> None:
        """The customer was erased, and writes again: that is somebody whom nobody knows. Raises `KeyErased` where nobody erased them."""
        if chat.customer_id not in {each.customer_id for each in self._opened.store.erasures()}:
            raise KeyErased(f"{chat.conversation_id}: its customer's key is missing, and nobody erased it")
        self._opened.store.purge([(chat.tenant, chat.customer_id)])

    def _admit(self, address: str) -> None:
        """Raises `TooMany`."""
        limits = self.config().limits
        self._count()
        with self._lock:
            if wait_s := self._rates.wait(address):
                raise TooMany("chat", wait_s)
            if wait_s := self._quota.take(self._tenant, limits):
                raise TooMany("tenant", wait_s)
            self._rates.take(address)

    def _count(self) -> None:
        with self._lock:
            if monotonic() - self._counted_at < COUNT_EVERY_S:
                return
            self._counted_at = monotonic()
            self._quota.before_refresh()
        counted = self._opened.store.open_messages()
        with self._lock:
            self._quota.refresh(counted)

    def _tell_begun(self, chat: Chat) -> None:
        """The conversation's first event comes before any other of it, also where whoever opened the chat died before it was written. Under
        one id, so that it counts once.
        """
        if chat.conversation_id in self._begun or self._opened.clock.now() - chat.opened_at > BEGINS_WITHIN:
            return
        started = ConversationStarted(channel=self._channel, language=chat.language)
        event_id = named_id(chat.conversation_id, "started")
        self._pen.publish([self._pen.event(chat, started, event_id, chat.opened_at)])
        with self._lock:
            self._begun[chat.conversation_id] = None
