"""What the store keeps of masked values: which placeholder stands for which, and the sealed original where a tenant allows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from parley.domain.masking.placeholders import placeholder
from schemas.base import ConversationId, CustomerId, TenantId


@dataclass(frozen=True, slots=True)
class MaskedValue:
    """One value of one conversation: `[kind_number]`.

    `digest` is keyed with the customer's key, so that a value is known again without being kept, and by nobody once the key is erased.
    `sealed` is the original under the same key; None where it is not kept, or not any more (`expires_at`). `source` is the id of the
    message with which it was written, part of what it is sealed with.
    """

    conversation_id: ConversationId
    kind: str
    number: int
    tenant: TenantId
    customer_id: CustomerId
    digest: bytes
    source: str
    masked_at: datetime
    sealed: bytes | None = None
    expires_at: datetime | None = None

    @property
    def sealed_under(self) -> tuple[str, ...]:
        """What an original is sealed with besides the key: nowhere else can it be opened."""
        named = placeholder(self.kind, self.number)
        return "vault", self.tenant, self.customer_id, self.conversation_id, self.source, named


class ValueStore(Protocol):
    """Part of `parley.ports.store.Store`; no part of what is rebuilt from the log, which has placeholders only.
    An erasure purges a customer's like every other row (`parley.ports.store.PrivacyStore`).
    """

    def values(self, conversation_id: ConversationId) -> list[MaskedValue]:
        """By kind and number."""

    def add_values(self, values: Sequence[MaskedValue]) -> bool:
        """Store each unless its placeholder is taken. Whether all were stored: if not, read again to see whose those are."""

    def replace_values(self, values: Sequence[MaskedValue]) -> None:
        """Store each in the place of what its placeholder had: the same value, sealed anew."""

    def forget_originals(self, before: datetime, at_most: int) -> int:
        """Of values that expired before `before` let the originals go; returns how many.

        The placeholders stay as long as the conversation's history: a number that came again would mean another value in it.
        """
