"""The gateway on real Kafka and PostgreSQL: the same doors, the same promises."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from infra.dev.kafka import KafkaServer
from parley.backends.bus import open_bus
from schemas.base import MessageId
from schemas.conversation_events import MessageReceived
from schemas.outbound import CustomerMessage
from services.gateway import GatewayServer
from tests.support.doors import WIDGET, Doors, open_doors
from tests.support.sse import event_stream


@pytest.fixture
def doors(tmp_path: Path, clean_kafka: KafkaServer, postgres_url: str) -> Iterator[Doors]:
    bus = open_bus(clean_kafka.url)
    with open_doors(tmp_path, bus=bus, database_url=postgres_url, keys_url=postgres_url) as opened:
        yield opened


@pytest.fixture
def url(doors: Doors) -> Iterator[str]:
    server = GatewayServer(doors.app, "127.0.0.1", 0)
    server.start()
    try:
        server.wait_ready()
        yield server.url
    finally:
        server.stop()


def write(client: httpx.Client, started: httpx.Response, number: int) -> httpx.Response:
    return client.post(
        f"/v1/conversations/{started.json()['conversation_id']}/messages",
        json={"client_message_id": f"m-{number}", "text": f"text {number}"},
        headers={"Authorization": f"Bearer {started.json()['token']}"},
    )


def test_every_accepted_message_is_in_the_log_once_and_in_order(doors: Doors, url: str) -> None:
    with httpx.Client(base_url=url, timeout=30) as client, ThreadPoolExecutor(16) as pool:

        def converse(_: int) -> list[str]:
            started = client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET)
            answers = [write(client, started, number) for number in range(10)]
            assert {answer.status_code for answer in answers} == {202}
            return [answer.json()["message_id"] for answer in answers]

        promised = list(pool.map(converse, range(30)))
    logged: dict[str, list[str]] = {}
    for event in doors.events("conversation.events"):
        if isinstance(event.body, MessageReceived):
            logged.setdefault(event.envelope.conversation_id, []).append(event.body.message_id)
    assert sorted(promised) == sorted(logged.values())


def test_repeats_from_many_sides_are_one_message(doors: Doors, url: str) -> None:
    with httpx.Client(base_url=url, timeout=30) as client, ThreadPoolExecutor(16) as pool:
        started = client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET)
        answers = list(pool.map(lambda number: write(client, started, number % 5), range(60)))
    assert {answer.status_code for answer in answers} == {202}
    events = [
        event for event in doors.events("conversation.events") if isinstance(event.body, MessageReceived)
    ]
    bytes_of = Counter(record.value for record in doors.records("conversation.events"))
    assert len({event.envelope.event_id for event in events}) == 5
    assert len(bytes_of) == 6  # each repeat is the same to the byte; the sixth is the beginning


def test_streams_and_promises_outlive_the_brokers_restart(
    doors: Doors, url: str, clean_kafka: KafkaServer
) -> None:
    pen = doors.pen()
    with httpx.Client(base_url=url, timeout=30) as client:
        started = client.post("/v1/conversations", json={"tenant": "bank"}, headers=WIDGET)
        with event_stream(url, pen.conversation_id, pen.token()) as stream:
            stream.until("ready")
            clean_kafka.stop()
            refused = write(client, started, 1)
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) >= 1
            clean_kafka.start()
            answer = write(client, started, 1)
            while answer.status_code == 503:
                answer = write(client, started, 1)
            assert answer.status_code == 202
            pen.say(CustomerMessage, message_id=MessageId("m1"), text="after the restart")
            assert stream.take(1)[0].data["text"] == "after the restart"
    events = [
        event for event in doors.events("conversation.events") if isinstance(event.body, MessageReceived)
    ]
    assert {event.envelope.event_id for event in events} == {answer.json()["message_id"]}
