"""Running the application: in the main thread of its own process, or in a thread of another one."""

import socket
import threading
from contextlib import suppress

import uvicorn
from fastapi import FastAPI

from parley.errors import ConfigurationError, TransientError
from parley.runtime import heap
from parley.runtime.tidying import Tidying
from parley.settings import Settings
from services.gateway.app import create_gateway
from services.gateway.core import Gateway
from services.gateway.unread import CloseUnread

BACKLOG = 2_048
DRAIN_WITHIN_S = 5


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises `ConfigurationError` when the port is taken or the database has no tables."""
    from workers.wiring import forgetting, open_platform  # the one place that picks backends

    listener = bind(settings.host, settings.port)
    platform = open_platform(settings)
    app = create_gateway(platform, on_stop=platform.close)
    heap.settle()
    with suppress(TransientError):  # a database that is away may come back
        platform.store.versions()
    # uvicorn raises the signal again once it has stopped in good order.
    with (
        suppress(KeyboardInterrupt),
        Tidying(platform.store, platform.keys, platform.media, platform.clock),
        forgetting(platform),
    ):
        _Server(app).run(sockets=[listener])


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 lets the system choose. It names its protocol: asyncio sets `TCP_NODELAY` on the connections of such alone, and
    without it small pieces of an answer wait for each other. Raises `ConfigurationError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"PARLEY_PORT: cannot listen on {host}:{port} ({error.strerror}); name a free port, or 0 for any"
        ) from error
    return listener


class _Server(uvicorn.Server):
    """uvicorn, which ends our streams before it waits for the open connections."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                CloseUnread(app),
                loop="uvloop",
                http="httptools",
                ws="websockets-sansio",
                ws_max_size=65_536,
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,  # the gateway reads X-Forwarded-For itself, and only behind known proxies
                server_header=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=DRAIN_WITHIN_S,
            )
        )
        self._gateway: Gateway = app.state.gateway
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._gateway.drain()
        await super().shutdown(sockets)


class GatewayServer:
    """The gateway in a thread of this process (the embedded form, tests). Signals stay with the process."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    @property
    def port(self) -> int:
        """The port that it listens on; known once it was started."""
        return self._port

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    def start(self) -> None:
        """Take the port and begin. Raises `ConfigurationError` when the port is taken."""
        listener = bind(self._host, self._port)
        self._port = int(listener.getsockname()[1])
        self._server = server = _Server(self._app)
        self._thread = threading.Thread(
            target=self._run, args=(server, listener), name="gateway", daemon=True
        )
        self._thread.start()

    def wait_ready(self, timeout_s: float = 30.0) -> None:
        """Return once requests are answered and events are read. Raises `TransientError` if that takes too long."""
        server = self._server
        if server is None or not server.up.wait(timeout_s):
            raise TransientError(f"the gateway did not start within {timeout_s:.0f} s")
        if self._failure is not None:
            raise self._failure
        gateway: Gateway = self._app.state.gateway
        if not gateway.tail.wait_reading(timeout_s):
            raise TransientError(f"the gateway cannot read the bus: {gateway.tail.trouble()}")

    def stop(self, timeout_s: float = 15.0) -> None:
        """End all streams, finish what is being answered, and free the port. Idempotent."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout_s)

    def _run(self, server: _Server, listener: socket.socket) -> None:
        try:
            server.run(sockets=[listener])
        except BaseException as error:  # told to whoever waits for the start
            self._failure = error
        finally:
            server.up.set()
            listener.close()
