"""Which pages may call the doors from a browser (the Fetch standard's CORS protocol). Pure ASGI, only for `/v1/`.

Starlette's own middleware knows one fixed list of origins; ours are the tenants', and change while we run. Before a token
or key was read, nobody knows the tenant: a preflight passes when any tenant allows the origin, and the route then
checks the tenant's own list.
"""

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parley.errors import TransientError
from services.gateway.auth import Doorman, foreign_origin
from services.gateway.directory import Directory
from services.gateway.problems import unavailable

PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID, X-Widget-Key, traceparent",
    "Access-Control-Max-Age": "600",
}


class TenantCors:
    def __init__(self, app: ASGIApp, directory: Directory, doorman: Doorman) -> None:
        self._app = app
        self._directory = directory
        self._doorman = doorman

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            return await self._app(scope, receive, send)
        connection = HTTPConnection(scope)
        origin = connection.headers.get("origin")
        if origin is None:
            return await self._app(scope, receive, send)
        try:
            allowed = self._doorman.own_origin(connection, origin) or await self._directory.known_origin(
                origin
            )
        except TransientError:
            return await unavailable("the database is not available just now").response()(
                scope, receive, send
            )
        if not allowed:
            return await foreign_origin().response()(scope, receive, send)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in connection.headers:
            headers = {**PREFLIGHT_HEADERS, **_mirror(origin)}
            return await Response(status_code=204, headers=headers)(scope, receive, send)
        await self._app(scope, receive, _with_origin(send, origin))


def _mirror(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _with_origin(send: Send, origin: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = "Retry-After"
            headers.add_vary_header("Origin")
        await send(message)

    return sending
