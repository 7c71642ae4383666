"""A customer's message on its way into the log: claimed, sealed, sent, acknowledged. No HTTP, and no rule of who may write.

Messages that arrive while others are being claimed are claimed together, in one transaction: that is where the speed is,
because a commit costs the same for one as for a hundred. Acknowledgements come back one by one.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from parley.codec import Codec
from parley.errors import BusUnavailable, KeyErased
from parley.ids import child_traceparent, named_id, new_traceparent
from parley.ports.bus import Position, Producer
from parley.ports.keys import KeyStore
from parley.ports.store import Claim, DoorStore
from parley.runtime.publishing import send
from schemas.base import Envelope, Event, EventId, MessageId
from schemas.conversation_events import MessageReceived
from services.gateway.metrics import GatewayMetrics
from services.gateway.threads import Threads
from services.gateway.tokens import Grant

MAX_BATCH = 256
MAX_WAITING = 4_096
ACKNOWLEDGE_WITHIN_S = 15.0
"""Backstop only: the producer's own delivery time-out is shorter."""


class TextDiffers(Exception):
    """The client's message id was used before, with another text."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A valid, masked message. `text_digest` is keyed; `traceparent` is what the client sent, if it sent one."""

    grant: Grant
    tenant_version: str
    client_message_id: str
    text: str
    masked: tuple[str, ...]
    text_digest: str
    received_at: datetime
    traceparent: str | None

    @property
    def event_id(self) -> EventId:
        """The same for every repeat, so that whoever decides sees one message however often it was sent."""
        return named_id(self.grant.conversation_id, self.client_message_id)

    def claim(self) -> Claim:
        return Claim(
            conversation_id=self.grant.conversation_id,
            client_message_id=self.client_message_id,
            message_id=MessageId(self.event_id),
            text_digest=self.text_digest,
            claimed_at=self.received_at,
        )

    def event(self, claim: Claim) -> Event[MessageReceived]:
        """What is written, as of this sending: a message that could not get in for an hour has its whole time once it can.

        A repeat of what is in the log already has the same id and the same body; the first one of an id counts, whatever moment
        the later ones tell.
        """
        body = MessageReceived(
            message_id=claim.message_id,
            text=self.text,
            channel=self.grant.channel,
            client_message_id=self.client_message_id,
            masked=self.masked,
        )
        event_id = EventId(claim.message_id)
        envelope = Envelope(
            event_id=event_id,
            type=MessageReceived.event_type(),
            version=MessageReceived.version,
            tenant=self.grant.tenant,
            tenant_version=self.tenant_version,
            customer_id=self.grant.customer_id,
            conversation_id=self.grant.conversation_id,
            occurred_at=self.received_at,
            traceparent=child_traceparent(self.traceparent, event_id) or new_traceparent(event_id),
        )
        return Event(envelope, body)


@dataclass(frozen=True, slots=True)
class _Waiting:
    submission: Submission
    done: "asyncio.Future[MessageId]"


class Intake:
    """Belongs to the event loop's thread, except where a method says otherwise."""

    def __init__(
        self, store: DoorStore, keys: KeyStore, codec: Codec, producer: Producer, metrics: GatewayMetrics
    ) -> None:
        self._store = store
        self._keys = keys
        self._codec = codec
        self._producer = producer
        self._metrics = metrics
        self._threads = Threads(1, "gateway-intake")
        self._waiting: deque[_Waiting] = deque()
        self._claiming: asyncio.Task[None] | None = None
        self._outcomes: deque[tuple[_Waiting, MessageId | BaseException]] = deque()
        self._report_scheduled = False

    async def submit(self, submission: Submission) -> MessageId:
        """Returns once the bus has acknowledged the message.

        Raises `TextDiffers`, `BusUnavailable`, `StoreUnavailable`, `KeyErased`.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise BusUnavailable("too many messages are waiting to be written")
        done: asyncio.Future[MessageId] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(submission, done))
        if self._claiming is None:
            self._claiming = asyncio.create_task(self._claim_all())
        try:
            async with asyncio.timeout(ACKNOWLEDGE_WITHIN_S):
                return await done
        except TimeoutError as error:
            raise BusUnavailable("the message was not acknowledged in time") from error

    def close(self) -> None:
        self._threads.close()

    async def _claim_all(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(MAX_BATCH, len(self._waiting)))]
                self._metrics.batch.observe(len(batch))
                try:
                    await self._threads.run(partial(self._process, loop, batch))
                except Exception as error:  # nothing of the batch was written: each waiter gets the reason
                    self._fail(batch, error)
        finally:
            self._claiming = None

    def _fail(self, batch: Sequence[_Waiting], error: Exception) -> None:
        for waiting in batch:
            if not waiting.done.done():
                waiting.done.set_exception(error)

    def _process(self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Waiting]) -> None:
        """In the intake's own thread: one transaction for all claims, then each message to the bus, in order."""
        admitted = [waiting for waiting in batch if self._has_key(loop, waiting)]
        held = self._store.claim([waiting.submission.claim() for waiting in admitted])
        for waiting, claim in zip(admitted, held, strict=True):
            if claim.text_digest != waiting.submission.text_digest:
                self._report(loop, waiting, TextDiffers())
                continue
            try:
                sent = send(self._producer, self._codec.encode(waiting.submission.event(claim)))
            except (
                Exception
            ) as error:  # one message's trouble (its customer was erased) is not its neighbours'
                self._report(loop, waiting, error)
                continue
            sent.add_done_callback(partial(self._acknowledged, loop, waiting, claim.message_id))

    def _has_key(self, loop: asyncio.AbstractEventLoop, waiting: _Waiting) -> bool:
        """Of a customer who was erased not even a claim is written. Raises `StoreUnavailable`."""
        try:
            self._keys.get(waiting.submission.grant.tenant, waiting.submission.grant.customer_id)
        except KeyErased as error:
            self._report(loop, waiting, error)
            return False
        return True

    def _acknowledged(
        self,
        loop: asyncio.AbstractEventLoop,
        waiting: _Waiting,
        message_id: MessageId,
        sent: "Future[Position]",
    ) -> None:
        """In the producer's thread."""
        self._report(loop, waiting, sent.exception() or message_id)

    def _report(
        self, loop: asyncio.AbstractEventLoop, waiting: _Waiting, outcome: MessageId | BaseException
    ) -> None:
        """From any thread. Outcomes that come close together wake the event loop once."""
        self._outcomes.append((waiting, outcome))
        if not self._report_scheduled:
            self._report_scheduled = True
            loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._report_scheduled = False  # before emptying: who appends from here on schedules again
        while self._outcomes:
            waiting, outcome = self._outcomes.popleft()
            if waiting.done.done():
                continue
            if isinstance(outcome, BaseException):
                waiting.done.set_exception(outcome)
            else:
                waiting.done.set_result(outcome)
