"""A synchronous client of an ASGI application in this process: no socket, and the application's own event loop runs on."""

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from fastapi import FastAPI

T = TypeVar("T")
WAIT_S = 30.0


class InProcess:
    """Starts the application when entered, stops it when left. May be used from several threads."""

    def __init__(self, app: FastAPI) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._lifespan = app.router.lifespan_context(app)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.7", 40000))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://gateway.test")

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._lifespan.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._run(self._client.aclose())
        self._run(self._lifespan.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()

    def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        return self._run(self._client.request(method, path, **request))

    def get(self, path: str, **request: Any) -> httpx.Response:
        return self.request("GET", path, **request)

    def post(self, path: str, **request: Any) -> httpx.Response:
        return self.request("POST", path, **request)

    def options(self, path: str, **request: Any) -> httpx.Response:
        return self.request("OPTIONS", path, **request)

    def _run(self, work: "Coroutine[Any, Any, T]") -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_S)
