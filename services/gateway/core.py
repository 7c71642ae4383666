"""The gateway behind its routes: what it holds, how it starts and stops, and the checks that several doors share."""

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

from connectors.web.frames import Cursor, Frame
from parley.errors import KeyErased, TransientError
from parley.ids import child_traceparent, new_traceparent
from parley.ports.bus import Position
from parley.runtime.digests import derive_key
from parley.runtime.faults import describe
from parley.runtime.limits import TenantQuota
from parley.runtime.publishing import send
from schemas.base import AnyEvent, Body, Envelope, Event, EventId
from services.gateway.auth import Doorman
from services.gateway.deps import Deps
from services.gateway.directory import Directory
from services.gateway.intake import Intake
from services.gateway.masking import Masking
from services.gateway.metrics import GatewayMetrics
from services.gateway.problems import erased
from services.gateway.rates import Rate
from services.gateway.rooms import Connection, DeltaBuffer, Rooms
from services.gateway.streams import Streams
from services.gateway.tail import Tail
from services.gateway.threads import Threads
from services.gateway.tokens import Grant, TokenSigner

logger = logging.getLogger(__name__)

STORE_THREADS = 8
LINGER_S = 0.002
DELIVERY_TIMEOUT_S = 5.0
QUOTA_EVERY_S = 1.0
PING_S = 15.0
READS_PER_MINUTE = 240
"""History pages and stream openings of one conversation: many reconnects are fine, a loop is not."""


class Gateway:
    """One a process. Everything here but `Deps` is its own; making one opens nothing, `start` does."""

    def __init__(self, deps: Deps, ping_s: float = PING_S) -> None:
        settings, secret = deps.settings, deps.settings.signing_secret()
        self.deps = deps
        self.ping_s = ping_s
        self.metrics = GatewayMetrics(deps.registry)
        self.signer = TokenSigner(secret)
        self.digest_key = derive_key(secret, "text-digest")
        self.demo_key = derive_key(secret, "demo-widget-key")
        self.threads = Threads(STORE_THREADS, "gateway-store")
        self.directory = Directory(deps.store, self.threads)
        self.doorman = Doorman(self.signer, self.directory, settings, deps.clock)
        self.quota = TenantQuota()
        beginnings = settings.conversations_per_minute
        self.message_rate = Rate("messages", settings.messages_per_minute, "in one conversation")
        self.read_rate = Rate("reads", READS_PER_MINUTE, "in one conversation")
        self.key_rate = Rate("conversations", beginnings, "with one key")
        # Half of what a key may: one address alone cannot use up what all visitors of a site share.
        self.address_rate = Rate("conversations", max(10, beginnings // 2), "from one address")
        self.refusal_rate = Rate("refused requests", settings.refusals_per_minute, "from one address")
        self.producer = deps.bus.producer(linger_s=LINGER_S, delivery_timeout_s=DELIVERY_TIMEOUT_S)
        self.intake = Intake(deps.store, deps.keys, deps.codec, self.producer, self.metrics)
        self.rooms = Rooms()
        deltas = DeltaBuffer()
        self.tail = Tail(deps.bus, deps.codec, self.rooms, deltas, self.metrics)
        self.streams = Streams(deps.store, deps.codec, self.rooms, deltas, self.threads)
        self.masking = Masking(deps.vault, self.directory, self.threads, deps.clock, self.metrics)
        self._background: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_unexpected)
        self.tail.start(loop)
        self._background.append(asyncio.create_task(self._count_open_messages()))

    def drain(self) -> None:
        """End every stream, so that their clients go elsewhere at once."""
        self.rooms.drain()

    async def stop(self) -> None:
        self.drain()
        self.tail.stop()
        for task in self._background:
            task.cancel()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.tail.join(5.0)
        self.producer.close()
        self.intake.close()
        self.threads.close()

    async def _count_open_messages(self) -> None:
        while True:
            self.quota.before_refresh()
            with suppress(TransientError):  # the last count stands until the store is back
                self.quota.refresh(await self.threads.run(self.deps.store.open_messages))
            await asyncio.sleep(QUOTA_EVERY_S)

    async def check_key(self, grant: Grant) -> None:
        """Raises `Problem` 410 where the customer was erased, `StoreUnavailable`."""
        try:
            await self.threads.run(partial(self.deps.keys.get, grant.tenant, grant.customer_id))
        except KeyErased as error:
            raise erased() from error

    async def frames(
        self, grant: Grant, connection: Connection, cursor: Cursor
    ) -> AsyncIterator[Frame | None]:
        """What a customer's stream passes on. Raises `StreamEnded`, `StoreUnavailable`."""
        async for frame in self.streams.frames(grant.conversation_id, connection, cursor, self.ping_s):
            yield None if frame is None else await self.masking.frame(grant, frame)

    async def write(
        self,
        tenant_version: str,
        grant: Grant,
        body: Body,
        trace: str | None,
        event_id: EventId | None = None,
    ) -> EventId:
        """Put an event of this conversation on the bus; returns its id once it is acknowledged.

        Raises `BusUnavailable`, `StoreUnavailable`, `KeyErased`.
        """
        event_id = event_id or EventId(str(uuid4()))
        envelope = Envelope(
            event_id=event_id,
            type=body.event_type(),
            version=body.version,
            tenant=grant.tenant,
            tenant_version=tenant_version,
            customer_id=grant.customer_id,
            conversation_id=grant.conversation_id,
            occurred_at=self.deps.clock.now(),
            traceparent=child_traceparent(trace, event_id) or new_traceparent(event_id),
        )
        await asyncio.wrap_future(await self.threads.run(partial(self._send, Event(envelope, body))))
        return event_id

    def _send(self, event: AnyEvent) -> "Future[Position]":
        return send(self.producer, self.deps.codec.encode(event))


def _unexpected(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What nobody awaited. asyncio's own report would quote the error's words."""
    error = context.get("exception")
    logger.error("%s: %s", context["message"], describe(error) if error is not None else "no error is named")
