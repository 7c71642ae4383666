"""The WebSocket door: the same frames as the event stream, and a close code that says why."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from services.gateway import GatewayServer
from tests.support.doors import ORIGIN, Doors, Pen, open_doors, running
from tests.support.sse import WAIT_S
from tests.support.steps import asks, reply


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    with open_doors(tmp_path) as opened:
        yield opened


@pytest.fixture
def url(doors: Doors) -> Iterator[str]:
    with running(GatewayServer(doors.app, "127.0.0.1", 0)) as server:
        yield server.url


@contextmanager
def web_socket(
    url: str, pen: Pen, opening: dict[str, Any] | str | None = None, **headers: str
) -> Iterator[ClientConnection]:
    address = f"ws{url.removeprefix('http')}/v1/conversations/{pen.conversation_id}/ws"
    with connect(address, additional_headers=headers, open_timeout=WAIT_S, proxy=None) as opened:
        first = {"token": pen.token()} if opening is None else opening
        opened.send(first if isinstance(first, str) else json.dumps(first))
        yield opened


def frame(opened: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(opened.recv(WAIT_S))
    return found


def test_a_web_socket_carries_the_same_frames(doors: Doors, url: str) -> None:
    pen = doors.pen()
    asks(pen)
    with web_socket(url, pen) as opened:
        assert [frame(opened)["type"] for _ in range(2)] == ["message", "ready"]
        pen.delta(0, "It ")
        assert frame(opened)["text"] == "It "
        reply(pen)
        assert (frame(opened)["seq"], pen.seq) == (2, 2)
    with web_socket(url, pen, {"token": pen.token(), "cursor": "1.0"}, Origin=ORIGIN) as opened:
        assert [frame(opened)["type"] for _ in range(2)] == ["reply", "ready"]


@pytest.mark.parametrize(
    ("opening", "headers", "code"),
    [
        ({"token": "no.token"}, {}, 4401),
        ({"token": 5}, {}, 4422),
        ({}, {}, 4422),
        ("nonsense", {}, 4422),
        ({"token": "{token}", "cursor": "x"}, {}, 4422),
        ({"token": "{token}", "name": "x"}, {}, 4422),
        ({"token": "{other}"}, {}, 4403),
        ({"token": "{expired}"}, {}, 4401),
        ({"token": "{token}"}, {"Origin": "https://evil.example"}, 4403),
    ],
)
def test_a_web_socket_is_closed_with_the_reason(
    doors: Doors, url: str, opening: dict[str, Any] | str, headers: dict[str, str], code: int
) -> None:
    pen = doors.pen()
    tokens = {
        "{token}": pen.token(),
        "{other}": doors.pen().token(),
        "{expired}": pen.token(expires_in=timedelta(seconds=0)),
    }
    if isinstance(opening, dict):
        opening = {
            name: tokens.get(value, value) if isinstance(value, str) else value
            for name, value in opening.items()
        }
    with web_socket(url, pen, opening, **headers) as opened, pytest.raises(ConnectionClosed) as closed:
        opened.recv(WAIT_S)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code
    assert closed.value.rcvd.reason


def test_stopping_tells_web_sockets_to_come_again(doors: Doors) -> None:
    pen = doors.pen()
    server = GatewayServer(doors.app, "127.0.0.1", 0)
    server.start()
    server.wait_ready()
    with web_socket(server.url, pen) as opened:
        assert frame(opened)["type"] == "ready"
        server.stop()
        with pytest.raises(ConnectionClosed) as closed:
            opened.recv(WAIT_S)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
