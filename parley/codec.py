"""Bytes to events and back: the only place that parses records, and the only one that seals and opens text.

The envelope travels in the record's headers, the body is JSON in its value, the key is chosen by the topic.
Free text is sealed with the customer's key (AES-SIV, RFC 5297); associated data are the event id and the field's name, so
a sealed text cannot be moved to another event, and the same event always gives the same bytes.
"""

import base64
import hmac
import json
from dataclasses import dataclass
from functools import cache, lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from pydantic import ValidationError

from parley.domain.sharding import shard_of
from parley.errors import InvalidEvent, KeyErased, NewerVersion, RecordTooLarge
from parley.ports.bus import MAX_VALUE_BYTES, Headers, Record
from parley.ports.keys import KeyStore
from schemas.base import (
    AnyEvent,
    Body,
    ConversationId,
    CustomerId,
    Envelope,
    Event,
    EventId,
    TenantId,
    rfc3339,
)
from schemas.topics import BODY_OF, TOPIC_OF, Topic

SEALED_PREFIX = "siv1:"
CIPHERS_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class Erased:
    """An event whose text is gone with its customer's key. It still has its envelope; nobody can read its body."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An encoded event on its way to the bus. `partition` None leaves the choice to the key."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers
    partition: int | None = None


class TextSealer:
    """Seals the texts of one event; given to pydantic as its context."""

    __slots__ = ("_aad", "_siv")

    def __init__(self, siv: AESSIV, context_id: str) -> None:
        self._siv = siv
        self._aad = context_id.encode()

    def seal(self, text: str, field: str) -> str:
        if not text:
            return ""  # AES-SIV of nothing is refused by the library, and says nothing
        sealed = self._siv.encrypt(text.encode(), [self._aad, field.encode()])
        return SEALED_PREFIX + base64.b64encode(sealed).decode()

    def unseal(self, sealed: str, field: str) -> str:
        if not sealed:
            return ""
        if not sealed.startswith(SEALED_PREFIX):
            raise InvalidEvent(f"field {field} is not sealed (it must begin with {SEALED_PREFIX!r})")
        try:
            raw = base64.b64decode(sealed[len(SEALED_PREFIX) :], validate=True)
            return self._siv.decrypt(raw, [self._aad, field.encode()]).decode()
        except (InvalidTag, ValueError) as error:
            raise InvalidEvent(
                f"field {field} cannot be opened: it was sealed for another event or damaged"
            ) from error


class Codec:
    """Thread-safe as far as its key store is."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._made = lru_cache(maxsize=CIPHERS_KEPT)(AESSIV)

    def sealer(self, envelope: Envelope) -> TextSealer:
        """Raises `KeyErased`, `StoreUnavailable`."""
        return self.sealer_of(envelope.tenant, envelope.customer_id, envelope.event_id)

    def sealer_of(self, tenant: TenantId, customer: CustomerId, event_id: EventId) -> TextSealer:
        """For the texts of one event where only its id is known. Raises `KeyErased`, `StoreUnavailable`."""
        return TextSealer(self._cipher(tenant, customer), event_id)

    def seal_bytes(self, envelope: Envelope, plain: bytes, *context: str) -> bytes:
        """Seal what is stored under a name of its own (a decider's state) with the key of the envelope's customer."""
        return self.seal_for(envelope.tenant, envelope.customer_id, plain, *context)

    def unseal_bytes(self, envelope: Envelope, sealed: bytes, *context: str) -> bytes:
        """Raises `KeyErased`, and `InvalidEvent` for what was sealed under another name or key."""
        return self.unseal_for(envelope.tenant, envelope.customer_id, sealed, *context)

    def seal_for(self, tenant: TenantId, customer: CustomerId, plain: bytes, *context: str) -> bytes:
        """Seal what belongs to a customer and is part of no event. Raises `KeyErased`, `StoreUnavailable`."""
        return self._cipher(tenant, customer).encrypt(plain, [part.encode() for part in context])

    def unseal_for(self, tenant: TenantId, customer: CustomerId, sealed: bytes, *context: str) -> bytes:
        """Raises `KeyErased`, and `InvalidEvent` for what was sealed under another name or key."""
        cipher = self._cipher(tenant, customer)
        try:
            return cipher.decrypt(sealed, [part.encode() for part in context])
        except InvalidTag as error:
            raise InvalidEvent(
                f"{context[0]}: cannot be opened: sealed under another name or damaged"
            ) from error

    def digest_for(self, tenant: TenantId, customer: CustomerId, *values: str) -> bytes:
        """By which equal values of one customer are known, and by nobody without the key. Raises `KeyErased`, `StoreUnavailable`.

        HMAC-SHA256 (RFC 2104) with a key that is derived, since the customer's own is for sealing.
        """
        key = hmac.digest(self._keys.get(tenant, customer), b"digest", "sha256")
        lengths = "".join(f"{len(value)}:{value}" for value in values)
        return hmac.digest(key, lengths.encode(), "sha256")

    def encode(self, event: AnyEvent) -> Outgoing:
        """Raises `KeyErased` for a text of a customer whose key is gone, `RecordTooLarge` for what no bus would take."""
        topic = TOPIC_OF[event.envelope.type]
        value = event.body.model_dump_json(context=self._sealer_of(event.envelope, type(event.body))).encode()
        if len(value) > MAX_VALUE_BYTES:
            raise RecordTooLarge(f"{event.envelope.type}: {len(value)} bytes; at most {MAX_VALUE_BYTES}")
        key, partition = route(topic, event.envelope)
        return Outgoing(topic.name, key, value, encode_headers(event.envelope), partition)

    def decode(self, record: Record) -> "AnyEvent | Erased":
        """Raises `InvalidEvent` (with a reason that quotes no text) and `NewerVersion`.

        What holds no text is readable whatever became of its customer's key: a timer, an assignment, a settlement.
        """
        envelope = decode_headers(record.headers)
        kind = body_class(record.topic, envelope)
        if record.value is None:
            raise InvalidEvent("value: missing; allowed: a JSON object")
        key, _ = route(TOPIC_OF[envelope.type], envelope)
        if record.key != key:
            raise InvalidEvent("key: is not the one that the envelope leads to; its order would not hold")
        try:
            sealer = self._sealer_of(envelope, kind)
        except KeyErased:
            return Erased(envelope)
        try:
            return Event(envelope, kind.model_validate_json(record.value, context=sealer))
        except ValidationError as error:
            raise InvalidEvent(explain(error)) from error

    def forget(self) -> None:
        """Ciphers hold their keys: called again and again (`parley.runtime.forgetting`), it lets go of those that were erased."""
        self._made.cache_clear()

    def _cipher(self, tenant: TenantId, customer: CustomerId) -> AESSIV:
        """Which key may be used the key store alone says; the ciphers are kept because making one costs more than sealing a text."""
        return self._made(self._keys.get(tenant, customer))

    def _sealer_of(self, envelope: Envelope, kind: type[Body]) -> TextSealer | None:
        return self.sealer(envelope) if has_text(kind) else None


@cache
def has_text(kind: type[Body]) -> bool:
    """Whether a body of this kind holds any text that is sealed."""
    return '"x-sealed": true' in json.dumps(kind.model_json_schema())


def route(topic: Topic, envelope: Envelope) -> tuple[bytes, int | None]:
    """The record's key, and its partition where the key alone does not decide it."""
    if topic.key == "tenant_shard":
        shard = shard_of(envelope.tenant, envelope.conversation_id, topic.partitions)
        return envelope.tenant.encode(), shard
    if topic.key in (
        "tenant",
        "adapter",
    ):  # a tenant has one line of adapters: the last record says which is live
        return envelope.tenant.encode(), None
    return envelope.conversation_id.encode(), None


def header_fields(envelope: Envelope) -> dict[str, str]:
    """The envelope as header names and values, in the order in which they are written."""
    fields = {
        "event_id": envelope.event_id,
        "type": envelope.type,
        "version": str(envelope.version),
        "tenant": envelope.tenant,
        "tenant_version": envelope.tenant_version,
        "customer_id": envelope.customer_id,
        "conversation_id": envelope.conversation_id,
        "occurred_at": rfc3339(envelope.occurred_at),
    }
    if envelope.cause_id is not None:
        fields["cause_id"] = envelope.cause_id
    if envelope.traceparent is not None:
        fields["traceparent"] = envelope.traceparent
    return fields


def encode_headers(envelope: Envelope) -> Headers:
    return tuple([(name, value.encode()) for name, value in header_fields(envelope).items()])


def decode_headers(headers: Headers) -> Envelope:
    """Raises `InvalidEvent` naming each header that is missing or wrong."""
    try:
        return Envelope.model_validate({name: value.decode() for name, value in headers})
    except UnicodeDecodeError as error:
        raise InvalidEvent("headers: not UTF-8") from error
    except ValidationError as error:
        raise InvalidEvent(f"headers: {explain(error)}") from error


def conversation_of(record: Record) -> ConversationId:
    """Whose record it is, by its headers, before anything is decoded; empty where they do not say."""
    return ConversationId(dict(record.headers).get("conversation_id", b"").decode("utf-8", "replace"))


def body_class(topic: str, envelope: Envelope) -> type[Body]:
    """Raises `InvalidEvent` for a type that does not belong to the topic, `NewerVersion` for one from the future."""
    kind = BODY_OF.get(envelope.type)
    if kind is None or TOPIC_OF[envelope.type].name != topic:
        allowed = ", ".join(sorted(name for name, home in TOPIC_OF.items() if home.name == topic))
        raise InvalidEvent(f"type: {envelope.type} does not belong to {topic}; allowed: {allowed}")
    if envelope.version > kind.version:
        raise NewerVersion(
            f"{topic} holds {envelope.type} version {envelope.version}, this build reads up to {kind.version}: "
            "deploy the readers of the new version first"
        )
    return kind


def explain(error: ValidationError) -> str:
    """Each problem as `field: what is wrong`, without the offending value: reasons never quote a customer's text.

    Nor the name of a field that no contract has, which may be anything.
    """
    lines = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        known = problem["loc"][:-1] if problem["type"] == "extra_forbidden" else problem["loc"]
        field = ".".join(str(part) for part in known) or "value"
        lines.append(f"{field}: {problem['msg']}")
    return "; ".join(lines)
