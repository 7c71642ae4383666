"""Topics and groups of a Kafka cluster."""

from collections.abc import Iterable, Mapping

from kafka import KafkaAdminClient, OffsetSpec, errors

from parley.backends.kafka_bus.connecting import AdminLink, translate
from parley.errors import ConfigurationError
from parley.ports.bus import MAX_RECORD_BYTES, TopicPartition, TopicSpec

FRAMING_BYTES = 64 * 1024
"""On top of a record's own bytes: Kafka measures the batch with its lengths and its header."""
DAY_MS = 86_400_000
MIN_SEGMENT_MS = 60_000


class KafkaAdmin:
    def __init__(self, link: AdminLink) -> None:
        self._link = link

    def apply(self, topics: Iterable[TopicSpec]) -> list[str]:
        specs = {spec.name: spec for spec in topics}
        missing = self._missing(specs, self.topics())
        if not missing:
            return []
        created = self._link.ask(lambda admin: _create(admin, [specs[name] for name in missing]))
        if len(created) < len(missing):  # somebody else was there first: with the same number of partitions?
            self._missing(specs, self.topics())
        return created

    def _missing(self, specs: Mapping[str, TopicSpec], have: Mapping[str, int]) -> list[str]:
        for name, spec in specs.items():
            if have.get(name, spec.partitions) != spec.partitions:
                raise ConfigurationError(
                    f"topic {name} has {have[name]} partitions, not {spec.partitions}; "
                    "a topic in use keeps its number"
                )
        return [name for name in specs if name not in have]

    def topics(self) -> dict[str, int]:
        described = self._link.ask(lambda admin: admin.describe_topics())
        return {
            topic["name"]: len(topic["partitions"])
            for topic in described
            if not topic["is_internal"] and not topic["name"].startswith("__")
        }

    def lag(self, group: str) -> dict[TopicPartition, int]:
        def question(admin: KafkaAdminClient) -> dict[TopicPartition, int]:
            try:
                committed = admin.list_group_offsets(group)[group]
            except errors.GroupIdNotFoundError:
                return {}
            if not committed:
                return {}
            ends = admin.list_partition_offsets(dict.fromkeys(committed, OffsetSpec.LATEST))
            return {
                TopicPartition(*partition): max(0, ends[partition].offset - stored.offset)
                for partition, stored in committed.items()
                if stored.offset >= 0
            }

        return self._link.ask(question)

    def members(self, group: str) -> int:
        def question(admin: KafkaAdminClient) -> int:
            try:
                return len(admin.describe_groups([group])[group]["members"])
            except errors.GroupIdNotFoundError:
                return 0

        return self._link.ask(question)

    def close(self) -> None:
        self._link.close()


def _create(admin: KafkaAdminClient, specs: Iterable[TopicSpec]) -> list[str]:
    """The names that were created; one that exists by now is left out. Raises our own errors."""
    wanted = {
        spec.name: {
            "num_partitions": spec.partitions,
            "replication_factor": spec.replication,
            "configs": _configs(spec),
        }
        for spec in specs
    }
    answer = admin.create_topics(wanted, raise_errors=False)
    created = []
    for topic in answer["topics"]:
        error = errors.for_code(topic["error_code"])
        if error is errors.NoError:
            created.append(topic["name"])
        elif error is not errors.TopicAlreadyExistsError:
            raise translate(error(f"topic {topic['name']}: {topic['error_message']}"))
    admin.wait_for_topics(created)
    return created


def _configs(spec: TopicSpec) -> dict[str, str]:
    configs = {
        "cleanup.policy": "compact" if spec.compacted else "delete",
        "retention.ms": str(-1 if spec.retention_ms is None else spec.retention_ms),
        "min.insync.replicas": str(min(2, spec.replication)),
        "max.message.bytes": str(MAX_RECORD_BYTES + FRAMING_BYTES),
        "unclean.leader.election.enable": "false",
        "message.timestamp.type": "CreateTime",
    }
    if spec.retention_ms is not None:
        # Only closed segments are deleted: without this, what should live for minutes lives for a week.
        configs["segment.ms"] = str(max(MIN_SEGMENT_MS, min(spec.retention_ms, 7 * DAY_MS)))
    return configs
