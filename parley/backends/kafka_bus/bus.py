"""The Kafka bus: makes producers, consumers, readers and admins for one cluster."""

from collections.abc import Sequence

from parley.backends.kafka_bus.admin import KafkaAdmin
from parley.backends.kafka_bus.connecting import AdminLink
from parley.backends.kafka_bus.consumer import KafkaGroupConsumer, KafkaReader
from parley.backends.kafka_bus.producer import KafkaBusProducer
from parley.ports.bus import Admin, Consumer, Producer, RebalanceListener, Start


class KafkaBus:
    """`brokers` are HOST:PORT of any brokers of the cluster. Connects at the first use of what is made here."""

    def __init__(self, brokers: Sequence[str]) -> None:
        self._brokers = tuple(brokers)
        self._link = AdminLink(self._brokers)

    def producer(self, *, linger_s: float = 0.0, delivery_timeout_s: float = 30.0) -> Producer:
        return KafkaBusProducer(self._brokers, self._link, linger_s, delivery_timeout_s)

    def consumer(
        self,
        group: str,
        topics: Sequence[str],
        *,
        listener: RebalanceListener | None = None,
        start: Start = "earliest",
        session_timeout_s: float = 10.0,
    ) -> Consumer:
        """Brokers allow sessions of 6 s and more unless `group.min.session.timeout.ms` says otherwise."""
        return KafkaGroupConsumer(
            self._brokers, self._link, group, topics, listener, start, session_timeout_s
        )

    def reader(self, topics: Sequence[str], *, start: Start = "latest") -> Consumer:
        return KafkaReader(self._brokers, self._link, topics, start)

    def admin(self) -> Admin:
        return KafkaAdmin(AdminLink(self._brokers))

    def close(self) -> None:
        self._link.close()
