"""Every metric of the workers: name, kind, unit, labels. No label ever holds a customer's text or id."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
BATCH = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class WorkerMetrics:
    """One registry a process, handed in; making a second set in the same registry is an error."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        #: Records read and dealt with (handled, repeated, dead-lettered), by worker and event type.
        self.handled = Counter(
            "parley_records_handled", "Records dealt with", ["worker", "type", "outcome"], registry=registry
        )
        #: Seconds from a record's polling to its results' acknowledgement, by batch.
        self.seconds = Histogram(
            "parley_batch_seconds", "Seconds a batch took", ["worker"], buckets=SECONDS, registry=registry
        )
        #: Records in each polled batch.
        self.batch = Histogram(
            "parley_batch_records", "Records in a batch", ["worker"], buckets=BATCH, registry=registry
        )
        #: Seconds between a record's time stamp and now, for the oldest record of the last batch.
        self.oldest = Gauge(
            "parley_oldest_record_seconds",
            "Age of the oldest record just read",
            ["worker"],
            registry=registry,
        )
        #: Records not done yet, over all partitions that this process owns; looked at every few seconds.
        self.lag = Gauge("parley_lag_records", "Records waiting", ["worker"], registry=registry)
        #: Records that became dead letters.
        self.dead_letters = Counter(
            "parley_dead_letters", "Records given up", ["worker", "topic"], registry=registry
        )
        #: Attempts that failed for a passing reason, by what was not there.
        self.retries = Counter("parley_retries", "Attempts repeated", ["worker", "what"], registry=registry)
        #: Batches dropped because another worker had committed first.
        self.superseded = Counter("parley_superseded", "Batches dropped", ["worker"], registry=registry)
        #: Timers turned into events.
        self.timers = Counter("parley_timers_fired", "Timers fired", ["worker"], registry=registry)
