"""Conversation tokens: signed, so that no request needs a look-up to know whose it is. Pure but for the secret handed in.

A token is `<payload>.<signature>`, both base64url without padding: channel (1 byte), expiry (4 bytes, seconds since the
epoch), conversation and customer (UUIDs, 16 bytes each), the access key's id (6 bytes), tenant (UTF-8). The signature is
HMAC-SHA256 (RFC 2104). Another layout needs another `PURPOSE`, so that tokens of the old one are refused and not misread.
"""

import base64
import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from parley.runtime.digests import derive_key
from schemas.base import ConversationId, CustomerId, TenantId

DoorChannel = Literal["web", "api"]

_CHANNELS: dict[DoorChannel, bytes] = {"web": b"w", "api": b"a"}
_CHANNEL_OF = {mark: channel for channel, mark in _CHANNELS.items()}
_FIXED = struct.Struct(">cI16s16s6s")
_MAX_TOKEN_CHARS = 256
PURPOSE = "conversation-token-2"
REMEMBERED = 8_192


class TokenRefused(Exception):
    """The token is none of ours, was altered, or has expired; the text says which."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows: one customer's one conversation, until it expires, from the pages of the key that it began with."""

    conversation_id: ConversationId
    tenant: TenantId
    customer_id: CustomerId
    channel: DoorChannel
    key_id: str
    expires_at: datetime


class TokenSigner:
    """Signs and verifies, for one purpose: a token of another is refused."""

    def __init__(self, secret: bytes, purpose: str = PURPOSE) -> None:
        self._key = derive_key(secret, purpose)
        self._known: dict[str, Grant] = {}

    def sign(self, grant: Grant) -> str:
        payload = _FIXED.pack(
            _CHANNELS[grant.channel],
            int(grant.expires_at.timestamp()),
            UUID(grant.conversation_id).bytes,
            UUID(grant.customer_id).bytes,
            bytes.fromhex(grant.key_id),
        )
        payload += grant.tenant.encode()
        return f"{_encode(payload)}.{_encode(hmac.digest(self._key, payload, 'sha256'))}"

    def verify(self, token: str, now: datetime) -> Grant:
        """Raises `TokenRefused`. What a token says never changes, so the last ones are remembered."""
        grant = self._known.get(token)
        if grant is None:
            grant = self._read(token)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[token] = grant
        if now >= grant.expires_at:
            raise TokenRefused("has expired")
        return grant

    def _read(self, token: str) -> Grant:
        """Signatures are compared in constant time, and before anything is made of the payload."""
        payload_text, dot, signature_text = token.partition(".")
        if not dot or len(token) > _MAX_TOKEN_CHARS:
            raise TokenRefused("is not a conversation token")
        payload, signature = _decode(payload_text), _decode(signature_text)
        if not hmac.compare_digest(signature, hmac.digest(self._key, payload, "sha256")):
            raise TokenRefused("is not a conversation token")
        mark, expiry, conversation, customer, key_id = _FIXED.unpack_from(payload)
        return Grant(
            ConversationId(str(UUID(bytes=conversation))),
            TenantId(payload[_FIXED.size :].decode()),
            CustomerId(str(UUID(bytes=customer))),
            _CHANNEL_OF[mark],
            key_id.hex(),
            datetime.fromtimestamp(expiry, UTC),
        )


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Raises `TokenRefused`; only the one canonical spelling counts."""
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise TokenRefused("is not a conversation token") from error
    if _encode(data) != text:
        raise TokenRefused("is not a conversation token")
    return data
