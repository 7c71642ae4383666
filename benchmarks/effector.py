"""The effector's loop on Kafka, one core: consume, decode, handle, encode, produce, commit; beside FastStream on the same broker.

Ours opens and seals every text and validates envelope and body; FastStream validates a body of the same size and publishes one
of the same size, awaited message by message as its documentation shows. Both on the same single core, the broker on the others,
and both timed from the first event that they handle.
"""

import asyncio
import os
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from threading import Thread
from time import perf_counter

from kafka import KafkaProducer
from pydantic import BaseModel

from benchmarks.reporting import median_of, report
from benchmarks.servers import servers
from parley.backends.bus import open_bus
from parley.domain.events import follow
from parley.ports.bus import TopicPartition, TopicSpec
from parley.runtime.effector import EffectorWorker, FailureReason
from parley.runtime.handling import Results
from parley.runtime.publishing import publish
from schemas.base import AnyEvent, Event, MessageId
from schemas.conversation_events import MessageUnderstood, UnderstandingFailed
from schemas.parts import ScoredIntent
from schemas.topics import CONVERSATION_EVENTS, WORK_UNDERSTAND
from schemas.work import UnderstandingRequested
from tests.support.platform import make_platform
from tests.support.stories import event
from workers.wiring import Platform

OURS, THEIRS = 20_000, 2_000
TEXT = "How do I get my card unblocked after three wrong PINs? " * 8


class Instant:
    """Understands at once, so that only the loop is measured."""

    name = "intent"
    topic = WORK_UNDERSTAND.name
    batch = 500
    calls = 1

    def __init__(self) -> None:
        self.began = 0.0

    def prepare(self) -> None:
        """Nothing to load."""

    def deadline(self, event: Event[UnderstandingRequested]) -> datetime:
        return event.body.deadline

    def handle(self, events: Sequence[Event[UnderstandingRequested]]) -> list[Results]:
        self.began = self.began or perf_counter()
        return [[follow(each.envelope, self._body(each), 0)] for each in events]

    def failed(self, event: Event[UnderstandingRequested], reason: FailureReason) -> Results:
        return [
            follow(
                event.envelope, UnderstandingFailed(message_id=event.body.message_id, reason=reason), "failed"
            )
        ]

    def _body(self, event: Event[UnderstandingRequested]) -> MessageUnderstood:
        intents = (ScoredIntent(intent="card_declined", probability=0.9),)
        return MessageUnderstood(
            message_id=event.body.message_id, language="en", intents=intents, model="instant"
        )


def requests(count: int) -> list[AnyEvent]:
    run, now = uuid.uuid4().hex[:8], datetime.now(UTC)
    return [
        event(
            UnderstandingRequested(
                message_id=MessageId(f"m-{number}"), text=TEXT, epoch=0, deadline=now + timedelta(minutes=10)
            ),
            run,
            number,
            at=now,
            conversation=f"c-{number % 500}",
        )
        for number in range(count)
    ]


def ends(platform: Platform) -> dict[TopicPartition, int]:
    reader = platform.bus.reader([CONVERSATION_EVENTS.name])
    try:
        return reader.end_offsets(reader.assignment())
    finally:
        reader.close()


def ours(platform: Platform) -> float:
    """Events a second until the last result is on the bus."""
    producer = platform.bus.producer(linger_s=0.02)
    publish(producer, [platform.codec.encode(each) for each in requests(OURS)])
    producer.close()
    until = sum(ends(platform).values()) + OURS
    instant = Instant()
    worker = EffectorWorker(instant, platform.bus, platform.codec, platform.clock, platform.metrics)
    stop = Flag()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    reader = platform.bus.reader([CONVERSATION_EVENTS.name])
    while sum(reader.end_offsets(reader.assignment()).values()) < until:
        stop.wait(0.02)
    seconds = perf_counter() - instant.began
    reader.close()
    stop.set()
    thread.join()
    return OURS / seconds


class In(BaseModel):
    id: str
    tenant: str
    conversation: str
    text: str
    at: int


class Out(BaseModel):
    id: str
    tenant: str
    conversation: str
    intent: str
    at: int


def theirs(platform: Platform, bootstrap: str) -> float:
    run = uuid.uuid4().hex[:8]
    admin = platform.bus.admin()
    admin.apply([TopicSpec(f"in-{run}", 4, None), TopicSpec(f"out-{run}", 4, None)])
    admin.close()
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=20)
    for number in range(THEIRS):
        body = In(id=str(uuid.uuid4()), tenant="bank", conversation=f"c{number % 500}", text=TEXT, at=number)
        producer.send(f"in-{run}", key=body.conversation.encode(), value=body.model_dump_json().encode())
    producer.flush()
    producer.close()
    return asyncio.run(_faststream(run, bootstrap))


async def _faststream(run: str, bootstrap: str) -> float:
    from faststream import AckPolicy
    from faststream.kafka import KafkaBroker

    broker = KafkaBroker(bootstrap, acks="all", logger=None)
    publisher = broker.publisher(f"out-{run}")
    done = asyncio.Event()
    began = 0.0
    count = 0

    @broker.subscriber(
        f"in-{run}", group_id=f"g-{run}", auto_offset_reset="earliest", ack_policy=AckPolicy.ACK
    )
    async def handle(body: In) -> None:
        nonlocal began, count
        began = began or perf_counter()
        out = Out(id=body.id, tenant=body.tenant, conversation=body.conversation, intent="x", at=body.at)
        await publisher.publish(out, key=body.conversation.encode())
        count += 1
        if count >= THEIRS:
            done.set()

    await broker.start()
    await asyncio.wait_for(done.wait(), 120)
    seconds = perf_counter() - began
    await broker.stop()
    return THEIRS / seconds


def main() -> None:
    with servers(postgres=False) as (kafka, _):
        os.sched_setaffinity(
            0, {min(os.sched_getaffinity(0))}
        )  # of this thread, and of all that it will start
        platform = make_platform(open_bus(kafka))
        mine = median_of(lambda: ours(platform), 3)
        other = median_of(lambda: theirs(platform, kafka.removeprefix("kafka://")), 3)
        platform.close()
    report(
        "effector",
        events_per_s=round(mine),
        faststream_events_per_s=round(other),
        ratio=round(mine / other, 1),
        to_reach={"events_per_s": 3_000, "ratio": 10},
    )
