"""Every metric of the gateway: name, kind, unit, labels. No label ever holds a customer's text or id."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from parley.metrics import BATCH, SECONDS


class GatewayMetrics:
    """One registry a process, handed in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        #: Counter: messages the bus has acknowledged, by tenant (repeats included).
        self.accepted = Counter(
            "parley_gateway_messages_accepted",
            "Messages acknowledged by the bus",
            ["tenant"],
            registry=registry,
        )
        #: Counter: requests answered with a problem, by status.
        self.refused = Counter("parley_gateway_refused", "Requests refused", ["status"], registry=registry)
        #: Counter: values masked before the first write, by kind.
        self.masked = Counter("parley_gateway_masked", "Values masked", ["kind"], registry=registry)
        #: Histogram, seconds: from a valid message to the bus's acknowledgement.
        self.seconds = Histogram(
            "parley_gateway_accept_seconds",
            "Seconds until a message was acknowledged",
            buckets=SECONDS,
            registry=registry,
        )
        #: Histogram: messages claimed in one transaction.
        self.batch = Histogram(
            "parley_gateway_claim_batch", "Messages claimed together", buckets=BATCH, registry=registry
        )
        #: Gauge: open event streams, by kind (sse, ws).
        self.connections = Gauge(
            "parley_gateway_connections", "Open event streams", ["kind"], registry=registry
        )
        #: Counter: streams ended because their client did not read fast enough.
        self.overflows = Counter("parley_gateway_overflows", "Slow streams ended", registry=registry)
        #: Counter: records of the tail that nobody could read.
        self.unreadable = Counter(
            "parley_gateway_unreadable", "Records not readable", ["topic"], registry=registry
        )
        #: Gauge, seconds: age of the newest record that the tail has read, when it read it.
        self.tail_age = Gauge(
            "parley_gateway_tail_age_seconds", "Age of the newest record just read", registry=registry
        )
        self._accepted_by: dict[str, Counter] = {}

    def count_accepted(self, tenant: str) -> None:
        """One more; looking a label up anew for each message would cost as much as sealing it."""
        counter = self._accepted_by.get(tenant)
        if counter is None:
            counter = self._accepted_by[tenant] = self.accepted.labels(tenant)
        counter.inc()
