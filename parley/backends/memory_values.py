"""Masked values in a dictionary: the `ValueStore` part of the store in memory."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock

from parley.ports.vault import MaskedValue
from schemas.base import ConversationId, CustomerId, TenantId

Place = tuple[str, str, int]


class MemoryValues:
    """Implements `parley.ports.vault.ValueStore`."""

    def __init__(self) -> None:
        self._values: dict[Place, MaskedValue] = {}
        self._values_lock = Lock()

    def values(self, conversation_id: ConversationId) -> list[MaskedValue]:
        with self._values_lock:
            found = [each for each in self._values.values() if each.conversation_id == conversation_id]
        return sorted(found, key=_place)

    def add_values(self, values: Sequence[MaskedValue]) -> bool:
        with self._values_lock:
            held = [self._values.setdefault(_place(each), each) for each in values]
        return all(there is each for there, each in zip(held, values, strict=True))

    def replace_values(self, values: Sequence[MaskedValue]) -> None:
        with self._values_lock:
            self._values.update({_place(each): each for each in values})

    def forget_originals(self, before: datetime, at_most: int) -> int:
        with self._values_lock:
            over = self._those(lambda each: each.expires_at is not None and each.expires_at < before)[
                :at_most
            ]
            for place in over:
                self._values[place] = replace(self._values[place], sealed=None, expires_at=None)
        return len(over)

    def values_of(self, tenant: TenantId, customer_id: CustomerId) -> list[MaskedValue]:
        with self._values_lock:
            return [
                each
                for each in self._values.values()
                if (each.tenant, each.customer_id) == (tenant, customer_id)
            ]

    def drop_values(self, values: Sequence[MaskedValue]) -> None:
        with self._values_lock:
            for each in values:
                self._values.pop(_place(each), None)

    def _those(self, wanted: Callable[[MaskedValue], bool]) -> list[Place]:
        return [place for place, each in self._values.items() if wanted(each)]


def _place(value: MaskedValue) -> Place:
    return value.conversation_id, value.kind, value.number
