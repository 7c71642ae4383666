"""A port that can be shut, so that connections are refused, and opened again; and connections that can be cut."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The process has two servers and handles its signals itself."""
        yield


class Listener:
    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app = app
        self._address = (host, port)
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        return self._address[1]

    async def open(self) -> None:
        if self._server is not None:
            return
        # With its protocol named, asyncio turns Nagle's algorithm off: an answer does not wait for an ACK.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(self._address)
        self._address = listening.getsockname()[:2]
        # h11: its connections can be cut by `cut`
        config = uvicorn.Config(
            self._app, http="h11", ws="none", lifespan="off", log_level="warning", access_log=False
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))
        await self._server.up.wait()

    async def shut(self) -> None:
        """Every connection is cut, new ones are refused."""
        if self._server is None or self._task is None:
            return
        server, self._server = self._server, None
        for each in server.servers:
            each.close()
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        server.should_exit = server.force_exit = True
        await self._task

    def cut(self, client: tuple[str, int]) -> None:
        """Ends the connection from that address at once."""
        if self._server is None:
            return
        for connection in list(self._server.server_state.connections):
            if isinstance(connection, H11Protocol) and connection.client == client:
                connection.transport.abort()
