"""A worker's lag as its gauge shows it: records that wait in the partitions that this process owns, now and then."""

import logging
from collections.abc import Mapping
from time import perf_counter

from parley.errors import ParleyError
from parley.metrics import WorkerMetrics
from parley.ports.bus import Consumer, TopicPartition

log = logging.getLogger(__name__)

LAG_EVERY_S = 5.0
"""Asking for the ends of the partitions is a round trip in the thread that polls."""


def lag(consumer: Consumer, next_offsets: Mapping[TopicPartition, int]) -> int:
    """Records from each next offset to the end of its partition; where none is given, from the consumer's position.

    Raises `BusUnavailable`.
    """
    owned = consumer.assignment()
    if not owned:
        return 0
    ends = consumer.end_offsets(owned)
    begins = {p: next_offsets[p] if p in next_offsets else consumer.position(p) for p in owned}
    return sum(max(0, ends[partition] - begins[partition]) for partition in owned)


class LagGauge:
    """Belongs to the thread that polls."""

    def __init__(self, metrics: WorkerMetrics, worker: str) -> None:
        self._gauge = metrics.lag.labels(worker)
        self._looked_at = perf_counter()

    def due(self) -> bool:
        return perf_counter() - self._looked_at >= LAG_EVERY_S

    def look(self, consumer: Consumer, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Set the gauge, see `lag`. A bus that is away leaves it as it was."""
        self._looked_at = perf_counter()
        try:
            self._gauge.set(lag(consumer, next_offsets))
        except ParleyError as error:
            log.debug("the lag is not known just now: %s", error)
