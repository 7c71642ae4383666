"""What came in and waits to be taken: sealed in the store, so that the channel may forget it, and read again in its order by whoever takes it.

For a channel that is asked for what is new and confirms all of it together. One that delivers each message by itself is told to come again.
"""

import logging
from collections.abc import Sequence

from connectors.kit.channel import Doorway
from parley.errors import InvalidEvent, KeyErased
from parley.ports.channels import Chat, Waiting, waiting_context
from schemas import parts
from schemas.base import TenantId

log = logging.getLogger(__name__)

AT_ONCE = 20


class WaitingRoom:
    """One tenant's of one channel. Thread-safe; each method raises `StoreUnavailable`."""

    def __init__(self, opened: Doorway, channel: parts.Channel, tenant: TenantId) -> None:
        self._store = opened.store.channels
        self._codec = opened.codec
        self._channel: parts.Channel = channel
        self._tenant = tenant

    def keep(self, chat: Chat, arrived: Sequence[tuple[int, bytes]]) -> None:
        """All of them or none; each a JSON document without what masking takes out, under the channel's own number for it. What is kept
        already stays. Raises `KeyErased`.
        """
        self._store.keep_waiting([self._sealed(chat, position, content) for position, content in arrived])

    def chats(self) -> list[Chat]:
        """Those of which something waits."""
        return self._store.waiting_chats(self._tenant, self._channel)

    def first(self, chat: Chat) -> list[tuple[int, bytes]]:
        """The first ones, in their order. What cannot be opened, as that of an erased customer, is dropped."""
        opened: list[tuple[int, bytes]] = []
        for row in self._store.waiting(chat.conversation_id, AT_ONCE):
            context = waiting_context(row.conversation_id, row.position)
            try:
                value = self._codec.unseal_for(row.tenant, row.customer_id, row.value, *context)
            except (KeyErased, InvalidEvent) as error:
                log.warning("%s: what waited is passed over: %s", self._channel, error)
                self.done(chat, row.position)
            else:
                opened.append((row.position, value))
        return opened

    def done(self, chat: Chat, position: int) -> None:
        self._store.drop_waiting(chat.conversation_id, [position])

    def _sealed(self, chat: Chat, position: int, content: bytes) -> Waiting:
        context = waiting_context(chat.conversation_id, position)
        value = self._codec.seal_for(chat.tenant, chat.customer_id, content, *context)
        return Waiting(chat.conversation_id, position, chat.tenant, chat.customer_id, chat.channel, value)
