"""The decider on Kafka and PostgreSQL: events a second with state, outbox, read model and offset, in batches of 500 and of 1."""

import uuid
from datetime import UTC, datetime
from time import perf_counter

from benchmarks.reporting import median_of, report
from benchmarks.servers import servers
from infra.migrations import upgrade_store
from parley.backends.sql import open_store
from parley.runtime.decider import DeciderWorker
from parley.runtime.publishing import publish
from schemas.base import AnyEvent, MessageId
from schemas.conversation_events import ConversationStarted, MessageReceived
from tests.support.platform import make_platform
from tests.support.stories import event
from workers.dialogue import DialogueDecider
from workers.wiring import Platform

MANY, FEW = 12_000, 600
CONVERSATIONS = 400


def load(platform: Platform, count: int) -> None:
    """Customers' messages of many conversations: each is echoed, opens or extends a turn, and asks for understanding."""
    run = uuid.uuid4().hex[:8]
    now = datetime.now(UTC)
    events: list[AnyEvent] = []
    for number in range(count):
        conversation = f"{run}-{number % CONVERSATIONS}"
        if number < CONVERSATIONS:
            events.append(event(ConversationStarted(channel="web"), run, at=now, conversation=conversation))
        body = MessageReceived(
            message_id=MessageId(f"{run}-{number}"),
            text="How do I get my card unblocked? " * 6,
            channel="web",
        )
        events.append(event(body, run, number, at=now, conversation=conversation))
    producer = platform.bus.producer(linger_s=0.02)
    publish(producer, [platform.codec.encode(each) for each in events[:count]])
    producer.close()


def measure(platform: Platform, count: int, batch: int) -> float:
    """Events a second from the first polled record to the last acknowledged result."""
    worker = DeciderWorker(
        DialogueDecider(),
        platform.bus,
        platform.store,
        platform.codec,
        platform.configs,
        platform.clock,
        platform.metrics,
        max_batch=batch,
    )
    worker.open()
    while not worker.owned:
        worker.step(0.2)
    load(platform, count)
    began = perf_counter()
    handled = 0
    while handled < count:
        handled += worker.step(0.2)
    worker.step(0.0)  # nothing is left to read: waits until the last result is acknowledged
    seconds = perf_counter() - began
    worker.close()
    return count / seconds


def main() -> None:
    from parley.backends.bus import open_bus

    with servers() as (kafka, database):
        upgrade_store(database)
        platform = make_platform(open_bus(kafka), open_store(database))
        many = median_of(lambda: measure(platform, MANY, 500), 3)
        few = median_of(lambda: measure(platform, FEW, 1), 3)
        platform.close()
    report(
        "decider", batch_500_events_per_s=round(many), batch_1_events_per_s=round(few), to_reach=[3_000, 250]
    )
