"""The bus on Apache Kafka, through kafka-python (3.0.12 or newer)."""

from parley.backends.kafka_bus.bus import KafkaBus

__all__ = ["KafkaBus"]
