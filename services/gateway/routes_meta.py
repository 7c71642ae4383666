"""What operators and machines ask: alive, ready, metrics."""

import asyncio
import time
from collections.abc import Callable

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from parley.errors import ParleyError, UnknownTopic
from parley.ports.bus import Admin, Bus
from parley.ports.store import Store
from schemas.topics import CHAT_DELTAS, CHAT_OUTBOUND, CONVERSATION_EVENTS, FEEDBACK_EVENTS
from services.gateway.core import Gateway
from services.gateway.outputs import Health
from services.gateway.problems import FieldError, Problem, documented
from services.gateway.tail import Tail
from services.gateway.threads import Threads

CHECK_WITHIN_S = 3.0
FRESH_S = 1.0
NEEDED = (CONVERSATION_EVENTS.name, FEEDBACK_EVENTS.name, CHAT_OUTBOUND.name, CHAT_DELTAS.name)


class Readiness:
    """Whether messages can be taken and events be read. Answers are kept for a second: probes must not become load."""

    def __init__(self, bus: Bus, store: Store, tail: Tail) -> None:
        self._bus = bus
        self._store = store
        self._tail = tail
        self._threads = Threads(2, "gateway-ready")
        self._admin: Admin | None = None
        self._checked_at = float("-inf")
        self._troubles: list[FieldError] = []
        self._lock = asyncio.Lock()

    async def troubles(self) -> list[FieldError]:
        async with self._lock:
            if time.monotonic() - self._checked_at > FRESH_S:
                bus, store = await asyncio.gather(
                    self._within(self._check_bus), self._within(self._store.ping)
                )
                self._troubles = [
                    FieldError(field=name, message=trouble)
                    for name, trouble in (("bus", bus), ("store", store), ("tail", self._tail.trouble()))
                    if trouble is not None
                ]
                self._checked_at = time.monotonic()
            return self._troubles

    def close(self) -> None:
        self._threads.close()
        if self._admin is not None:
            self._admin.close()

    async def _within(self, check: Callable[[], None]) -> str | None:
        try:
            async with asyncio.timeout(CHECK_WITHIN_S):
                await self._threads.run(check)
        except TimeoutError:
            return f"no answer within {CHECK_WITHIN_S:.0f} s"
        except ParleyError as error:
            return str(error)
        return None

    def _check_bus(self) -> None:
        if self._admin is None:
            self._admin = self._bus.admin()
        missing = sorted(set(NEEDED) - set(self._admin.topics()))
        if missing:
            raise UnknownTopic(f"topics are missing ({', '.join(missing)}): run `parley topics apply`")


def routes(gateway: Gateway, readiness: Readiness) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz", summary="The process is alive", response_model=Health, responses=documented())
    async def healthz() -> Response:
        return Response(b'{"status":"ok"}', media_type="application/json")

    @router.get(
        "/readyz",
        summary="Messages can be taken and events be read",
        response_model=Health,
        responses=documented(503),
    )
    async def readyz() -> Response:
        troubles = await readiness.troubles()
        if troubles:
            raise Problem(
                503, "; ".join(f"{t.field}: {t.message}" for t in troubles), *troubles, retry_after_s=2
            )
        return Response(b'{"status":"ok"}', media_type="application/json")

    @router.get(
        "/metrics",
        summary="Prometheus metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **documented()},
    )
    async def metrics() -> Response:
        return Response(generate_latest(gateway.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
