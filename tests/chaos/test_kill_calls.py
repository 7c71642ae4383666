"""The gateway is killed again and again while ten calls tell it five hundred segments: each is said once and in order, whatever was told twice."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from time import monotonic
from typing import Any

import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from infra.dev.ground import free_ports
from parley.ports.store import AccessKey
from schemas.outbound import CustomerMessage, MessageSettled
from services.gateway.directory import key_hash
from tests.support.durable import durable_platform
from tests.support.platform import events_on
from tests.support.processes import ParleyProcess
from tests.support.small_tenant import TENANT
from workers.embedded import Embedded
from workers.wiring import Platform

CALLS, EACH, KILLS = 10, 50, 4
WITHIN_S = 120.0
KEY = "sk_chaos"


@pytest.fixture(params=["sqlite", "kafka"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Platform, ParleyProcess, str]]:
    """All workers in this process, and the gateway in one of its own, at an address."""
    [port] = free_ports(1)
    platform, environment = durable_platform(request, tmp_path / "home", PARLEY_PORT=str(port))
    platform.store.put_key(AccessKey(key_hash(KEY), TENANT, "api", "chaos", (), datetime.now(UTC)))
    workers = Embedded(platform, ("calls", "dialogue"))
    workers.start()
    gateway = ParleyProcess("gateway", ["gateway"], environment, tmp_path)
    gateway.start()
    yield platform, gateway, f"ws://127.0.0.1:{port}/v1/calls/live"
    gateway.stop()
    workers.stop()
    assert workers.failed is None
    platform.close()


class Caller:
    """A telephone system's end of one call: what was not acknowledged is told again, on a new connection."""

    def __init__(self, number: int, url: str) -> None:
        self._number = number
        self._url = url
        self._socket: ClientConnection | None = None
        self._opened = ExitStack()

    def tell(self, turn: int) -> None:
        frame = {
            "type": "segment",
            "segment_id": f"s{turn}",
            "speaker": "customer",
            "text": f"this is turn {turn}",
            "final": True,
            "start_ms": turn * 1_000,
            "end_ms": turn * 1_000 + 900,
        }
        until = monotonic() + WITHIN_S
        while True:
            assert monotonic() < until, f"call {self._number}: turn {turn} was not taken"
            try:
                socket = self._connected()
                socket.send(json.dumps(frame))
                self._until(socket, "ack")
                return
            except (OSError, WebSocketException, TimeoutError):
                self.close()
                Flag().wait(0.2)

    def close(self) -> None:
        self._socket = None
        with suppress(OSError, WebSocketException):
            self._opened.close()

    def _connected(self) -> ClientConnection:
        if self._socket is None:
            headers = {"Authorization": f"Bearer {KEY}"}
            opened = self._opened.enter_context(
                connect(self._url, additional_headers=headers, open_timeout=5, close_timeout=1, proxy=None)
            )
            start = {"type": "start", "call_id": f"call-{self._number}", "agent": {"id": "a", "name": "A"}}
            opened.send(json.dumps(start))
            self._until(opened, "started")
            self._socket = opened
        return self._socket

    def _until(self, socket: ClientConnection, kind: str) -> None:
        while (frame := json.loads(socket.recv(20)))["type"] != kind:
            assert frame["type"] != "error", frame


@pytest.mark.timeout(420)
def test_what_is_said_on_calls_is_there_once_and_in_order(stage: tuple[Platform, ParleyProcess, str]) -> None:
    on, gateway, url = stage
    callers = [Caller(number, url) for number in range(CALLS)]
    due = [Flag() for _ in range(KILLS)]
    killing = Thread(target=_kill_when, args=(gateway, due))
    killing.start()
    for turn in range(EACH):
        for caller in callers:
            caller.tell(turn)
        if turn % (EACH // KILLS) == EACH // KILLS // 2:
            due[turn // (EACH // KILLS)].set()  # some moment of the next turns
    killing.join()
    for caller in callers:
        caller.close()
    expected = [f"this is turn {turn}" for turn in range(EACH)]
    chats = [on.store.channels.chat(TENANT, "call", f"call-{number}") for number in range(CALLS)]
    until = monotonic() + WITHIN_S
    while True:
        said, settled = _said(on)
        if all(chat is not None and len(said.get(chat.conversation_id, ())) >= EACH for chat in chats):
            break
        assert monotonic() < until, gateway.output()[-3000:]
        Flag().wait(0.5)
    assert len(said) == CALLS
    assert all(texts == expected for texts in said.values())
    assert len(settled) == len(set(settled)) == CALLS * EACH


def _kill_when(gateway: ParleyProcess, due: list[Flag]) -> None:
    for each in due:
        each.wait(WITHIN_S)
        gateway.kill()
        gateway.start()


def _said(on: Platform) -> tuple[dict[str, list[str]], list[str]]:
    """By conversation, what was said in the order of its `seq`; and the ids of messages that were settled."""
    said: dict[str, dict[int, str]] = {}
    settled: dict[str, list[Any]] = {}
    for each in events_on(on, "chat.outbound"):
        body = each.body
        if isinstance(body, CustomerMessage):
            said.setdefault(each.envelope.conversation_id, {})[body.seq] = body.text
        elif isinstance(body, MessageSettled):  # published once more after a crash, it has the same id
            settled[each.envelope.event_id] = [one.message_id for one in body.settlements]
    ordered = {name: [texts[seq] for seq in sorted(texts)] for name, texts in said.items()}
    return ordered, [one for ids in settled.values() for one in ids]
