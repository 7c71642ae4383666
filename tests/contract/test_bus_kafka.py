"""What only the Kafka bus has: a library whose errors must stay inside, and topics with settings."""

import inspect

import pytest
from kafka import KafkaAdminClient
from kafka import errors as kafka_errors

from infra.dev.kafka import KafkaServer
from parley.backends.bus import open_bus
from parley.backends.kafka_bus.connecting import translate, translated
from parley.errors import (
    BusUnavailable,
    ConfigurationError,
    ParleyError,
    RecordTooLarge,
    Superseded,
    UnknownTopic,
)
from parley.ports.bus import MAX_RECORD_BYTES, TopicSpec
from tests.support.buses import new_name

ALL_ERRORS = sorted(
    (
        cls
        for _, cls in inspect.getmembers(kafka_errors, inspect.isclass)
        if issubclass(cls, kafka_errors.KafkaError) and cls is not kafka_errors.LogTruncationError
    ),
    key=lambda cls: cls.__name__,
)


@pytest.mark.parametrize("error", ALL_ERRORS, ids=lambda cls: cls.__name__)
def test_every_error_of_the_library_becomes_one_of_ours(error: type[Exception]) -> None:
    with pytest.raises(ParleyError) as caught, translated():
        raise error("because")
    assert isinstance(caught.value.__cause__, error)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (kafka_errors.KafkaTimeoutError, BusUnavailable),
        (kafka_errors.NotEnoughReplicasError, BusUnavailable),
        (kafka_errors.NodeNotReadyError, BusUnavailable),
        (kafka_errors.MessageSizeTooLargeError, RecordTooLarge),
        (kafka_errors.UnknownTopicOrPartitionError, UnknownTopic),
        (kafka_errors.CommitFailedError, Superseded),
        (kafka_errors.IllegalGenerationError, Superseded),
        (kafka_errors.TopicAuthorizationFailedError, ConfigurationError),
        (kafka_errors.InvalidReplicationFactorError, ConfigurationError),
    ],
)
def test_what_a_loop_does_about_an_error(error: type[Exception], ours: type[ParleyError]) -> None:
    assert type(translate(error())) is ours


def test_topics_are_made_with_their_settings(kafka: KafkaServer) -> None:
    names = [new_name("kept"), new_name("brief"), new_name("compacted")]
    bus = open_bus(kafka.url)
    admin = bus.admin()
    admin.apply(
        [
            TopicSpec(names[0], 2, None),
            TopicSpec(names[1], 1, 600_000),
            TopicSpec(names[2], 1, None, compacted=True),
        ]
    )
    client = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    kept, brief, compacted = (_configs(client, name) for name in names)
    client.close()

    assert kept["retention.ms"] == "-1"
    assert kept["min.insync.replicas"] == "1"
    assert int(kept["max.message.bytes"]) > MAX_RECORD_BYTES
    assert kept["unclean.leader.election.enable"] == "false"
    assert (brief["retention.ms"], brief["segment.ms"], brief["cleanup.policy"]) == (
        "600000",
        "600000",
        "delete",
    )
    assert compacted["cleanup.policy"] == "compact"
    with pytest.raises(ConfigurationError, match=r"[Rr]eplication"):
        admin.apply([TopicSpec(new_name("impossible"), 1, None, replication=5)])
    admin.close()
    bus.close()


def _configs(client: KafkaAdminClient, topic: str) -> dict[str, str]:
    from kafka.admin import ConfigResource, ConfigResourceType

    (found,) = client.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all"
    )["topic"].values()
    return {name: entry["value"] for name, entry in found.items()}


def test_a_session_that_the_broker_does_not_allow_is_a_setting(kafka: KafkaServer) -> None:
    bus = open_bus(kafka.url)
    topic = new_name("topic")
    bus.admin().apply([TopicSpec(topic, 1, None)])
    consumer = bus.consumer(new_name("group"), [topic], session_timeout_s=0.5)
    with pytest.raises(ConfigurationError, match="InvalidSessionTimeout"):
        consumer.poll(10.0)
    consumer.close()
    bus.close()
