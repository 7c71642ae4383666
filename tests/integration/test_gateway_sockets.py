"""The WebSocket door: the same frames as the event stream, and a close code that says why."""

import json
import socket
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


@pytest.mark.parametrize(
    ("opening", "said"),
    [
        ({"token": "{token}", "cursor": 1}, "cursor: "),
        ({"token": "{token}", "cursor": "9" * 65}, "cursor: "),
        ({"token": None}, "token: "),
        ({"cursor": "1.0"}, "token: "),
        ({"token": "{token}", "colour": "x"}, "colour: "),
        ("nonsense", "body: "),
        ("null", "body: "),
    ],
)
def test_a_bad_first_frame_is_told_by_its_field(
    doors: Doors, url: str, opening: dict[str, Any] | str, said: str
) -> None:
    pen = doors.pen()
    if isinstance(opening, dict) and opening.get("token") == "{token}":
        opening = {**opening, "token": pen.token()}
    with web_socket(url, pen, opening) as opened, pytest.raises(ConnectionClosed) as closed:
        opened.recv(WAIT_S)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4422
    assert closed.value.rcvd.reason.startswith(said)


def test_who_leaves_before_the_first_frame_leaves_no_trace(
    doors: Doors, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = url.removeprefix("http://").split(":")
    address = f"ws{url.removeprefix('http')}/v1/conversations/{doors.pen().conversation_id}/ws"
    with connect(address, open_timeout=WAIT_S, proxy=None):
        pass
    with connect(address, open_timeout=WAIT_S, proxy=None) as cut:
        cut.socket.shutdown(socket.SHUT_RDWR)
    with socket.create_connection((host, int(port)), WAIT_S) as raw:
        raw.sendall(
            b"GET /v1/conversations/x/ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
    with web_socket(url, doors.pen()) as last:  # whoever came before has been seen to by now
        assert frame(last)["type"] == "ready"
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_who_leaves_in_the_middle_of_a_body_leaves_no_trace(
    doors: Doors, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = url.removeprefix("http://").split(":")
    pen = doors.pen()
    head = (
        f"POST /v1/conversations/{pen.conversation_id}/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n"
        f"Content-Type: application/json\r\nAuthorization: Bearer {pen.token()}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), WAIT_S) as raw:
        raw.sendall(head.encode() + b'{"client_message_id"')
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(4096):
            pass
    with web_socket(url, pen) as last:
        assert frame(last)["type"] == "ready"
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert doors.received() == []


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
