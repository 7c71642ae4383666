"""What is refused is not read: the connection of a body that nobody wants is closed. Over real sockets, and their options."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from connectors.examples.webhook.connector import SIGNATURE
from connectors.kit.http import signature
from connectors.telegram.webhook import SECRET_HEADER, secret_of
from services.gateway import GatewayServer
from services.gateway.server import bind
from tests.support.doors import SECRET, WIDGET, open_doors, running
from tests.support.small_tenant import TENANT
from tests.support.telegram import TOKEN

HOOK_SECRET = "w" * 40
PIECE = b"x" * (64 << 10)
FLOOD_BYTES = 64 << 20
MOST_BYTES = 16 << 20
"""Of a flood, what the system's own buffers on both sides and the gateway's may have taken before the connection ends."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayServer]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PARLEY_TELEGRAM_TOKEN", TOKEN)
        patched.setenv("PARLEY_TELEGRAM_WEBHOOK", "true")
        patched.setenv("PARLEY_WEBHOOK_URL", "http://127.0.0.1:9/")
        patched.setenv("PARLEY_WEBHOOK_SECRET", HOOK_SECRET)
        with (
            open_doors(tmp_path_factory.mktemp("home")) as doors,
            running(GatewayServer(doors.app, "127.0.0.1", 0)) as made,
        ):
            yield made


@dataclass
class Answer:
    status: int
    #: In small letters.
    head: str
    #: Of the body, how much was sent before the connection ended, or all of it.
    sent: int
    #: Nothing more can be sent.
    closed: bool


def head(path: str, headers: dict[str, str], method: str = "POST") -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: gateway",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def flood(server: GatewayServer, path: str, headers: dict[str, str], *, chunked: bool = False) -> Answer:
    """Sends up to `FLOOD_BYTES` of a body that has no end."""
    piece = b"%x\r\n%b\r\n" % (len(PIECE), PIECE) if chunked else PIECE
    length = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(1 << 40)}
    with socket.create_connection(("127.0.0.1", server.port), timeout=10.0) as peer:
        peer.sendall(head(path, {"Content-Type": "application/json", **headers, **length}))
        sent, closed = 0, False
        try:
            while sent < FLOOD_BYTES:
                peer.sendall(piece)
                sent += len(piece)
        except (ConnectionError, TimeoutError) as error:
            closed = isinstance(error, ConnectionError)
        answered = answer_of(peer)
    return Answer(int(answered.split()[1]), answered.lower(), sent, closed)


def answer_of(peer: socket.socket) -> str:
    found = b""
    try:
        while b"\r\n\r\n" not in found and (part := peer.recv(65_536)):
            found += part
    except ConnectionError:
        pass  # what came before it is read
    return found.decode("latin-1")


def ours() -> dict[str, str]:
    return {SECRET_HEADER: secret_of(SECRET.encode(), TENANT)}


def stamped() -> dict[str, str]:
    return {SIGNATURE: signature(HOOK_SECRET, b"", int(time.time()))}


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (f"/telegram/{TENANT}", {}, 401),
        (f"/telegram/{TENANT}", ours(), 413),
        ("/hooks/bank", {}, 401),
        ("/hooks/bank", stamped(), 413),
        ("/v1/conversations/00000000-0000-4000-8000-000000000000/messages", {}, 401),
        ("/v1/conversations", WIDGET, 413),
        ("/v1/calls", {}, 401),
        ("/v1/nothing", {}, 404),
        ("/healthz", {}, 405),
    ],
)
def test_of_what_is_refused_no_more_is_read(
    server: GatewayServer, path: str, headers: dict[str, str], status: int, chunked: bool
) -> None:
    found = flood(server, path, headers, chunked=chunked)
    assert found.status == status
    assert "\r\nconnection: close\r\n" in found.head
    assert found.closed and found.sent < MOST_BYTES


def on_one_connection(server: GatewayServer, first: bytes) -> tuple[str, str]:
    """The heads of the answers to this and, behind it, to another request."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10.0) as peer:
        peer.sendall(first)
        answered = answer_of(peer).lower()
        try:
            peer.sendall(head("/healthz", {}, "GET"))
            return answered, answer_of(peer).lower()
        except ConnectionError:
            return answered, ""


def test_a_body_that_was_read_keeps_its_connection(server: GatewayServer) -> None:
    """Refused or not; and so does a request that has none."""
    body = json.dumps({"chat": "5", "id": "1", "text": "hello"}).encode()
    length = {"Content-Length": str(len(body))}
    for signed, status in ((HOOK_SECRET, 202), ("x" * 40, 401)):
        headers = {SIGNATURE: signature(signed, body, int(time.time())), **length}
        first, second = on_one_connection(server, head("/hooks/bank", headers) + body)
        assert f" {status} " in first and "connection: close" not in first
        assert second.startswith("http/1.1 200")
    for length in ({}, {"Content-Length": "0"}):
        first, second = on_one_connection(server, head("/hooks/bank", length))
        assert " 401 " in first and "connection: close" not in first and second.startswith("http/1.1 200")


def test_a_small_body_that_nobody_read_ends_its_connection(server: GatewayServer) -> None:
    first, second = on_one_connection(server, head("/hooks/bank", {"Content-Length": "5"}) + b"hello")
    assert " 401 " in first and "\r\nconnection: close\r\n" in first
    assert second == ""


def test_pieces_of_an_answer_do_not_wait_for_each_other(server: GatewayServer) -> None:
    """Nagle's algorithm is off on a connection that is served."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10.0) as peer:
        peer.sendall(head("/healthz", {}, "GET"))
        answer_of(peer)
        assert server._server is not None
        [served] = [
            each.transport.get_extra_info("socket")
            for each in server._server.server_state.connections
            if each.transport.get_extra_info("peername") == peer.getsockname()
        ]
        assert served.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_whichever_event_loop_serves_the_port() -> None:
    """uvloop sets the option by itself; asyncio where the listening socket names its protocol."""

    async def option() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            served = writer.get_extra_info("socket")
            found.set_result(served.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = bind("127.0.0.1", 0)
        async with await asyncio.start_server(accepted, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            value = await found
            writer.close()
        return value

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        assert runner.run(option()) == 1
