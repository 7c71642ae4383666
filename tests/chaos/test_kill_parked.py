"""A receiver is down for a while, and the connector is killed again and again while messages wait for it and when they go out at last:
nothing is lost, nothing is sent twice, and each chat keeps its order.
"""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep

import pytest

from parley.ports.channels import Chat
from schemas.base import AnyEvent, ConversationId, CustomerId, Event, ReplyId
from schemas.outbound import ReplyReady
from tests.support.durable import durable_platform
from tests.support.platform import send
from tests.support.processes import ParleyProcess
from tests.support.small_tenant import TENANT
from tests.support.stories import event
from workers.wiring import Platform

CHATS, EACH, KILLS = 20, 10, 3
NAMES = [f"c-{number}" for number in range(CHATS)]
WITHIN_S = 180.0


class Receiver:
    """Answers 503 while it is down; slowly else, so that a kill meets calls under way."""

    def __init__(self) -> None:
        self.up = False
        self.shown: dict[str, list[str]] = {}
        self.asked = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.asked += 1
                if receiver.up:
                    receiver.shown.setdefault(said["chat"], []).append(said["text"])
                    sleep(0.05)
                self.send_response(200 if receiver.up else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """The test's own output is enough."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count(self) -> int:
        return sum(map(len, self.shown.values()))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.slow)])
def stage(
    request: pytest.FixtureRequest, receiver: Receiver, tmp_path: Path
) -> Iterator[tuple[Platform, ParleyProcess]]:
    platform, environment = durable_platform(
        request, tmp_path / "home", PARLEY_WEBHOOK_URL=receiver.url, PARLEY_WEBHOOK_SECRET="w" * 40
    )
    connector = ParleyProcess("webhook", ["worker", "webhook"], environment, tmp_path)
    connector.start()
    yield platform, connector
    connector.stop()
    platform.close()


def until(check: Callable[[], bool], process: ParleyProcess) -> None:
    end = monotonic() + WITHIN_S
    while not check():
        sleep(0.1)
        assert monotonic() < end, process.output()[-3000:]


def reply(on: Platform, name: str, seq: int) -> AnyEvent:
    body = ReplyReady(
        seq=seq,
        epoch=1,
        reply_id=ReplyId(f"r-{seq}"),
        kind="answer",
        answers=(),
        text=f"{seq}",
        language="en",
    )
    made = event(body, seq, at=datetime.now(UTC), conversation=name)
    return Event(made.envelope, body)


@pytest.mark.timeout(420)
def test_what_waits_survives_kills_and_goes_out_once_and_in_order(
    stage: tuple[Platform, ParleyProcess], receiver: Receiver
) -> None:
    on, connector = stage
    for name in NAMES:
        customer = CustomerId(f"customer-of-{name}")
        on.keys.create(TENANT, customer)
        on.store.channels.open_chat(
            Chat(TENANT, "api", name, ConversationId(name), customer, datetime.now(UTC))
        )
    said = {name: [reply(on, name, seq) for seq in range(1, EACH + 1)] for name in NAMES}
    for number in range(EACH):
        send(on, *(said[name][number] for name in NAMES))
        if number in (3, 7):
            asked = receiver.asked
            until(lambda asked=asked: receiver.asked > asked, connector)  # type: ignore[misc]  # a default is how a lambda keeps it
            connector.kill()
            connector.start()
    waiting = on.store.channels.parked

    def all_wait() -> bool:
        """But for those that a kill met while the receiver was called: they are unknown."""
        ids = [each.envelope.event_id for mine in said.values() for each in mine]
        unknown = [each for each in on.store.channels.deliveries(ids) if each.state == "unknown"]
        parked = sum(len(waiting(ConversationId(name), 99)) for name in NAMES)
        return parked + len(unknown) == CHATS * EACH

    until(all_wait, connector)
    receiver.up = True
    for kill in range(1, KILLS + 1):
        until(lambda kill=kill: receiver.count() >= kill * CHATS * EACH // (KILLS + 1), connector)  # type: ignore[misc]  # likewise
        connector.kill()
        connector.start()
    until(lambda: all(waiting(ConversationId(name), 1) == [] for name in NAMES), connector)
    for name in NAMES:
        shown = receiver.shown[name]
        assert shown == sorted(set(shown), key=int), f"{name}: twice, or out of order"
        found = on.store.channels.deliveries([each.envelope.event_id for each in said[name]])
        assert len(found) == EACH and {each.state for each in found} <= {"sent", "unknown"}
        assert len(shown) >= sum(each.state == "sent" for each in found)
