"""The decider on Kafka and PostgreSQL: events a second with state, outbox, read model and offset, in batches of 500 and of 1.

The events are those of conversations as they run: begun, asked, understood, answered, small talk, a question that is asked on
while the bot still answers. They are interleaved, so that neighbours in a batch belong to different conversations.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, zip_longest
from time import perf_counter

from benchmarks.reporting import median_of, report
from benchmarks.servers import servers
from infra.migrations import upgrade_store
from parley.backends.sql import open_store
from parley.runtime import heap
from parley.runtime.decider import DeciderWorker
from parley.runtime.publishing import publish
from schemas.base import AnyEvent
from tests.support.platform import make_platform
from tests.support.stories import Story
from workers.dialogue import DialogueDecider
from workers.wiring import Platform

MANY, FEW = 12_000, 600
AT_ONCE = 250
"""Conversations that run side by side."""


def conversation(name: str, at: datetime) -> list[AnyEvent]:
    """What comes in, and what the workers make of it."""
    story = Story(name)
    story.at = at
    story.says("What does the Everyday account cost a month?")
    story.understood("fees")
    story.generated()
    story.says("thanks, hello")
    story.understood("hello")
    story.says("What does cash abroad cost?")
    story.says("and at home?")
    story.understood("fees")
    story.understood("fees")
    story.generated()
    return story.log


def stream(count: int) -> Iterator[AnyEvent]:
    """So many events, of `AT_ONCE` conversations at a time."""
    run, at = uuid.uuid4().hex[:8], datetime.now(UTC)
    left, number = count, 0
    while left > 0:
        logs = [conversation(f"{run}-{number + each}", at) for each in range(AT_ONCE)]
        number += AT_ONCE
        for event in chain.from_iterable(zip_longest(*logs)):
            if left and event is not None:
                left -= 1
                yield event


def load(platform: Platform, count: int) -> None:
    producer = platform.bus.producer(linger_s=0.02)
    publish(producer, [platform.codec.encode(each) for each in stream(count)])
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
        heap.settle()  # as `parley worker` does
        many = median_of(lambda: measure(platform, MANY, 500), 3)
        few = median_of(lambda: measure(platform, FEW, 1), 3)
        platform.close()
    report(
        "decider", batch_500_events_per_s=round(many), batch_1_events_per_s=round(few), to_reach=[3_000, 250]
    )
