"""When the broker or the database goes away, or the log holds what cannot be read: honest answers, nothing lost."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event as Flag
from typing import Any

import httpx
import pytest

from parley.backends.memory_store import MemoryStore
from parley.errors import StoreUnavailable
from parley.ports.store import Claim, HistoryRow
from schemas.base import ConversationId, MessageId, TenantId
from schemas.conversation_events import MessageReceived
from schemas.outbound import CustomerMessage
from services.gateway import GatewayServer
from tests.support.asgi import InProcess
from tests.support.doors import WIDGET, Doors, Pen, open_doors
from tests.support.sse import event_stream
from tests.support.steps import reply

PATIENCE_S = 20.0


class LeavingStore(MemoryStore):
    """A store that can be taken away and brought back."""

    def __init__(self) -> None:
        super().__init__()
        self.away = Flag()

    def _check(self) -> None:
        if self.away.is_set():
            raise StoreUnavailable("the test took the database away")

    def ping(self) -> None:
        self._check()

    def claim(self, claims: Sequence[Claim]) -> list[Claim]:
        self._check()
        return super().claim(claims)

    def history(
        self, conversation_id: ConversationId, *, after_seq: int = 0, limit: int = 500
    ) -> list[HistoryRow]:
        self._check()
        return super().history(conversation_id, after_seq=after_seq, limit=limit)

    def open_messages(self) -> dict[TenantId, int]:
        self._check()
        return super().open_messages()


@pytest.fixture
def store() -> LeavingStore:
    return LeavingStore()


@pytest.fixture
def doors(tmp_path: Path, store: LeavingStore) -> Iterator[Doors]:
    with open_doors(tmp_path, store=store) as opened:
        yield opened


@pytest.fixture
def client(doors: Doors) -> Iterator[InProcess]:
    with InProcess(doors.app) as opened:
        yield opened


def write(client: InProcess, pen: Pen, client_message_id: str = "m-1", text: str = "hello") -> httpx.Response:
    return client.post(
        f"/v1/conversations/{pen.conversation_id}/messages",
        json={"client_message_id": client_message_id, "text": text},
        headers={"Authorization": f"Bearer {pen.token()}"},
    )


def assert_unavailable(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) >= 1
    found: dict[str, Any] = answer.json()
    assert found["type"] == "urn:parley:problem:unavailable"
    return found


def wait_until_ready(client: InProcess) -> None:
    """Readiness is looked at again about every second."""
    while client.get("/readyz").status_code != 200:
        pass


def test_without_the_bus_nothing_is_promised_and_nothing_promised_is_lost(
    client: InProcess, doors: Doors
) -> None:
    pen = doors.pen()
    assert write(client, pen, "before").status_code == 202
    reply(pen)
    doors.memory_bus.stop()
    feedback = f"/v1/conversations/{pen.conversation_id}/feedback"
    bearer = {"Authorization": f"Bearer {pen.token()}"}
    with ThreadPoolExecutor(4) as pool:
        answers = [
            pool.submit(write, client, pen, "during"),
            pool.submit(client.post, "/v1/conversations", json={"tenant": "bank"}, headers=WIDGET),
            pool.submit(client.post, feedback, json={"reply_id": "r1", "score": 1}, headers=bearer),
        ]
        for answer in answers:
            assert_unavailable(answer.result(PATIENCE_S))
    assert client.get("/healthz").status_code == 200
    assert assert_unavailable(client.get("/readyz"))["errors"][0]["field"] == "bus"
    doors.memory_bus.start()
    again = write(client, pen, "during")
    assert again.status_code == 202
    written = [e for e in doors.events("conversation.events") if isinstance(e.body, MessageReceived)]
    assert [e.body.client_message_id for e in written if isinstance(e.body, MessageReceived)] == [
        "before",
        "during",
    ]
    assert written[1].envelope.event_id == again.json()["message_id"]
    wait_until_ready(client)


def test_a_message_that_was_typed_in_an_outage_has_its_whole_time(client: InProcess, doors: Doors) -> None:
    pen = doors.pen()
    doors.memory_bus.stop()
    assert write(client, pen).status_code == 503
    doors.clock.move(61)
    doors.memory_bus.start()
    assert write(client, pen).status_code == 202
    (written,) = [e for e in doors.events("conversation.events") if isinstance(e.body, MessageReceived)]
    assert written.envelope.occurred_at == doors.clock.now()


def test_without_the_database_nothing_is_promised(
    client: InProcess, doors: Doors, store: LeavingStore
) -> None:
    pen = doors.pen()
    assert write(client, pen, "before").status_code == 202
    store.away.set()
    bearer = {"Authorization": f"Bearer {pen.token()}"}
    assert_unavailable(write(client, pen, "during"))
    assert_unavailable(client.get(f"/v1/conversations/{pen.conversation_id}/messages", headers=bearer))
    assert_unavailable(client.get(f"/v1/conversations/{pen.conversation_id}/events", headers=bearer))
    assert assert_unavailable(client.get("/readyz"))["errors"][0]["field"] == "store"
    assert len(doors.records("conversation.events")) == 1
    store.away.clear()
    assert write(client, pen, "during").status_code == 202
    wait_until_ready(client)


def test_a_gateway_that_starts_before_its_bus_waits_for_it(doors: Doors) -> None:
    pen = doors.pen()
    doors.memory_bus.stop()
    with InProcess(doors.app) as client:
        fields = [error["field"] for error in assert_unavailable(client.get("/readyz"))["errors"]]
        assert fields == ["bus", "tail"]
        bearer = {"Authorization": f"Bearer {pen.token()}"}
        assert_unavailable(client.get(f"/v1/conversations/{pen.conversation_id}/events", headers=bearer))
        doors.memory_bus.start()
        wait_until_ready(client)
        assert write(client, pen).status_code == 202


def test_a_stream_outlives_a_restart_of_the_bus(doors: Doors) -> None:
    pen = doors.pen()
    server = GatewayServer(doors.app, "127.0.0.1", 0)
    server.start()
    try:
        server.wait_ready()
        with event_stream(server.url, pen.conversation_id, pen.token()) as stream:
            stream.until("ready")
            doors.memory_bus.stop()
            doors.memory_bus.start()
            pen.say(CustomerMessage, message_id=MessageId("m1"), text="after the restart")
            assert stream.take(1)[0].data["text"] == "after the restart"
    finally:
        server.stop()


def test_a_record_that_nobody_can_read_is_stepped_over(doors: Doors) -> None:
    pen = doors.pen()
    server = GatewayServer(doors.app, "127.0.0.1", 0)
    server.start()
    try:
        server.wait_ready()
        with event_stream(server.url, pen.conversation_id, pen.token()) as stream:
            stream.until("ready")
            headers = (("conversation_id", pen.conversation_id.encode()), ("type", b"Nonsense"))
            for value in (None, b"", b"{", b"\xff"):
                pen.publish_raw(value, headers)
            pen.say(CustomerMessage, message_id=MessageId("m1"), text="readable")
            assert stream.take(1)[0].data["text"] == "readable"
        metrics = httpx.get(f"{server.url}/metrics").text
        assert 'parley_gateway_unreadable_total{topic="chat.outbound"} 4.0' in metrics
    finally:
        server.stop()


def test_a_record_of_a_newer_version_stops_the_tail_and_says_so(doors: Doors) -> None:
    pen = doors.pen()
    server = GatewayServer(doors.app, "127.0.0.1", 0)
    server.start()
    try:
        server.wait_ready()
        with event_stream(server.url, pen.conversation_id, pen.token()) as stream:
            stream.until("ready")
            event = pen.commit(CustomerMessage, message_id=MessageId("m1"), text="from the future")
            record = doors.codec.encode(event)
            headers = tuple((name, b"999" if name == "version" else value) for name, value in record.headers)
            pen.publish_raw(record.value, headers)
            assert list(stream) == []  # the stream ends
        answer = httpx.get(f"{server.url}/readyz")
        while answer.status_code == 200:
            answer = httpx.get(f"{server.url}/readyz")
        (trouble,) = assert_unavailable(answer)["errors"]
        assert trouble["field"] == "tail"
        assert "deploy the readers" in trouble["message"]
    finally:
        server.stop()
