"""Requests that are answered before they were read to their end: their connection is closed, so that nobody reads what nobody wants.

Pure ASGI, around all of the application, whatever door refuses: a stranger's body, or one that is too large, costs what has come of it by then.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class CloseUnread:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            return await self._app(scope, receive, send)
        ended = False

        async def receiving() -> Message:
            nonlocal ended
            message = await receive()
            ended = not message.get("more_body", False)
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and not ended:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receiving, sending)


def _has_body(scope: Scope) -> bool:
    """Whether its headers (RFC 9112, section 6) announce one."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0"))
        for name, value in scope["headers"]
    )
