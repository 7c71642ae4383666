"""Rates at the doors: each says what it is of and how much it allows; above it there is a 429. The arithmetic is in `parley.runtime.limits`."""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parley.runtime.limits import TokenBuckets, retry_after
from services.gateway.auth import Doorman
from services.gateway.metrics import GatewayMetrics
from services.gateway.problems import Problem, too_many

_COUNTED = frozenset(range(400, 500)) - {429}
"""A 429 is said before anything was done, and whoever then waits as it asks must find the door open."""


class Rate:
    """So many a minute `of` each key. Doors check it before they work, and take from it once nothing is wrong with a request:
    what is refused uses nothing up.
    """

    def __init__(self, what: str, per_minute: int, of: str) -> None:
        self._what = what
        self._allowed = f"{per_minute} a minute {of}"
        self._buckets = TokenBuckets(rate=per_minute / 60, burst=per_minute)

    def check(self, key: str) -> None:
        """Raises `Problem` 429 where nothing is left; takes nothing."""
        self._refuse(self._buckets.wait(key))

    def take(self, key: str) -> None:
        """Take one. Raises `Problem` 429 where nothing is left."""
        self._refuse(self._buckets.take(key))

    def count(self, key: str) -> None:
        """Take one if there is one left."""
        self._buckets.take(key)

    def _refuse(self, wait_s: float) -> None:
        if wait_s:
            raise too_many(self._what, self._allowed, retry_after(wait_s))


class RefusalLimit:
    """Pure ASGI, only for `/v1/`: after too many refusals of one address its requests are not looked into for a while.

    Refused requests use up no other rate; this one bounds a flood of them.
    """

    def __init__(self, app: ASGIApp, doorman: Doorman, rate: Rate, metrics: GatewayMetrics) -> None:
        self._app = app
        self._doorman = doorman
        self._rate = rate
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            return await self._app(scope, receive, send)
        address = self._doorman.address(HTTPConnection(scope))
        try:
            self._rate.check(address)
        except Problem as problem:
            self._metrics.refused.labels(str(problem.status)).inc()
            return await problem.response()(scope, receive, send)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _COUNTED:
                self._rate.count(address)
            await send(message)

        await self._app(scope, receive, sending)
