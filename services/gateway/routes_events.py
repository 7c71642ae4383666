"""The two ways a stream of frames travels: server-sent events and a WebSocket. What is in it is `streams`' affair."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import suppress
from typing import Annotated, Any, Protocol, get_args

from fastapi import APIRouter, Header
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from connectors.web.frames import Cursor, FrameType
from parley.errors import TransientError
from services.gateway.auth import bearer
from services.gateway.bodies import RequestBody, refusal
from services.gateway.core import Gateway
from services.gateway.documents import TOKEN_SECURITY
from services.gateway.problems import Problem, documented, invalid, too_many, unavailable
from services.gateway.rooms import Connection, StreamEnded, TooManyConnections
from services.gateway.routes_messages import ConversationPath
from services.gateway.tokens import Grant

SEND_WITHIN_S = 20.0
"""A client that takes nothing for so long is gone, or as good as gone."""
LAST_WORDS_S = 1.0
"""How long a stream that must end may take to say so."""
FIRST_FRAME_WITHIN_S = 10.0

_FIRST_FRAME = '{"token": …, "cursor"?: …} as the first frame'

#: WebSocket close codes (RFC 6455 section 7.4): 4000–4999 are an application's own, here 4000 + the HTTP status.
SERVICE_RESTART, TRY_AGAIN_LATER = 1012, 1013


class Opening(RequestBody):
    """The first frame that a client sends on the WebSocket."""

    token: Annotated[str, Field(max_length=512, description="the conversation's token")]
    cursor: Annotated[
        str | None, Field(max_length=64, description="<seq>.<epoch> of the last frame, or null")
    ] = None


def routes(gateway: Gateway) -> APIRouter:
    router = APIRouter(prefix="/v1/conversations/{conversation_id}")

    @router.get(
        "/events",
        summary="The stream of frames, as server-sent events",
        response_class=Response,
        responses={
            200: stream_of(get_args(FrameType), r"^\d+\.\d+$"),
            **documented(401, 403, 404, 410, 422, 429, 503),
        },
        openapi_extra={"security": TOKEN_SECURITY},
    )
    async def events(
        request: Request,
        conversation_id: ConversationPath,
        last_event_id: str = Header(
            default="",
            description="the last frame's id, `<seq>.<epoch>`",
            json_schema_extra={"pattern": r"^(\d{1,15}\.\d{1,15})?$"},
        ),
    ) -> Response:
        grant, _ = await gateway.doorman.admit(request, bearer(request), conversation_id)
        await gateway.check_key(grant)
        cursor = _cursor("Last-Event-ID", last_event_id)
        connection = _join(gateway, grant)
        return EventStream(gateway, grant, connection, gateway.frames(grant, connection, cursor))

    @router.websocket("/ws")
    async def socket(websocket: WebSocket, conversation_id: str) -> None:
        try:
            await websocket.accept()
            await _serve_socket(gateway, websocket, conversation_id)
        except WebSocketDisconnect:
            return  # it left before it was let in
        except (Problem, StreamEnded, TransientError) as error:
            await close_socket(websocket, error)

    return router


def _join(gateway: Gateway, grant: Grant) -> Connection:
    """Raises `Problem` 429 or 503."""
    gateway.read_rate.take(grant.conversation_id)
    trouble = gateway.tail.trouble()
    if trouble is not None:
        raise unavailable("events cannot be read just now")
    try:
        return gateway.streams.join(grant.conversation_id)
    except TooManyConnections as error:
        raise too_many("streams", "a few for one conversation; close one", 5) from error
    except StreamEnded as error:
        raise unavailable("this server is about to stop") from error


def _cursor(field: str, text: str) -> Cursor:
    if not text:
        return Cursor()
    try:
        return Cursor.parse(text)
    except ValueError as error:
        raise invalid(field, str(error), "<seq>.<epoch>") from error


class SentFrame(Protocol):
    def sse(self) -> bytes: ...


class EventStream(Response):
    """A response that ends when the client goes, does not read, or the gateway drains. `frames` has None where there is nothing to say."""

    media_type = "text/event-stream"

    def __init__(
        self,
        gateway: Gateway,
        grant: Grant,
        connection: Connection,
        frames: AsyncIterator[SentFrame | None],
    ) -> None:
        # No proxy may keep frames back or store them (nginx reads X-Accel-Buffering).
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._gateway = gateway
        self._grant = grant
        self._connection = connection
        self._frames = frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _run_stream(
            self._gateway,
            "sse",
            self._grant,
            self._connection,
            self._send(send),
            _disconnected(receive),
        )

    async def _send(self, send: Send) -> None:
        frames = self._frames
        # The first frame is made before the status is sent, so that a database that is down is still a 503.
        first = await anext(frames, None)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with suppress(StreamEnded, TransientError):
            await _send_chunk(send, b": ping\n\n" if first is None else first.sse())
            async for frame in frames:
                await _send_chunk(send, b": ping\n\n" if frame is None else frame.sse())
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _run_stream(
    gateway: Gateway,
    kind: str,
    grant: Grant,
    connection: Connection,
    send: Coroutine[None, None, None],
    leave: Coroutine[None, None, None],
) -> None:
    """Send until there is no more to send, the client leaves, or the stream is told to end and its client does not read.

    Raises what the sending raised; a client that left is no error.
    """
    gauge = gateway.metrics.connections.labels(kind)
    gauge.inc()
    sending, leaving = asyncio.create_task(send), asyncio.create_task(leave)
    ending = asyncio.create_task(connection.over())
    try:
        await asyncio.wait((sending, leaving, ending), return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            await asyncio.wait((sending, leaving), timeout=LAST_WORDS_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gauge.dec()
        gateway.streams.leave(grant.conversation_id, connection)
        if connection.end_reason == "slow":
            gateway.metrics.overflows.inc()
        for task in (sending, leaving, ending):
            task.cancel()
        outcome, *_ = await asyncio.gather(sending, leaving, ending, return_exceptions=True)
    if isinstance(outcome, Exception) and not isinstance(
        outcome, OSError | TimeoutError | WebSocketDisconnect
    ):
        raise outcome


async def _send_chunk(send: Send, chunk: bytes) -> None:
    async with asyncio.timeout(SEND_WITHIN_S):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _serve_socket(gateway: Gateway, websocket: WebSocket, conversation_id: str) -> None:
    opening = await _opening(websocket)
    grant, _ = await gateway.doorman.admit(websocket, opening.token, conversation_id)
    await gateway.check_key(grant)
    cursor = _cursor("cursor", opening.cursor or "")
    connection = _join(gateway, grant)
    await _run_stream(
        gateway,
        "ws",
        grant,
        connection,
        _send_frames(gateway, websocket, grant, connection, cursor),
        _until_closed(websocket),
    )


async def _opening(websocket: WebSocket) -> Opening:
    try:
        async with asyncio.timeout(FIRST_FRAME_WITHIN_S):
            return Opening.model_validate_json(await websocket.receive_text())
    except TimeoutError as error:
        raise invalid("token", "did not come in time", _FIRST_FRAME) from error
    except KeyError as error:
        raise invalid("body", "the first frame is binary", _FIRST_FRAME) from error
    except ValidationError as error:
        raise refusal(error, Opening) from error


async def _send_frames(
    gateway: Gateway, websocket: WebSocket, grant: Grant, connection: Connection, cursor: Cursor
) -> None:
    async for frame in gateway.frames(grant, connection, cursor):
        if frame is not None:  # the protocol has pings of its own
            async with asyncio.timeout(SEND_WITHIN_S):
                await websocket.send_text(frame.json().decode())


async def _until_closed(websocket: WebSocket) -> None:
    """What a client says after its first frame is of no interest, except that it leaves."""
    with suppress(WebSocketDisconnect):
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass


async def close_socket(websocket: WebSocket, error: Exception) -> None:
    """Say why, where anybody is still there to be told."""
    if isinstance(error, Problem):
        code, reason = 4000 + error.status, error.detail
    elif isinstance(error, StreamEnded):
        code = SERVICE_RESTART if error.reason == "draining" else TRY_AGAIN_LATER
        reason = str(error.reason)
    else:
        code, reason = TRY_AGAIN_LATER, "not available just now"
    if (
        websocket.application_state == WebSocketState.CONNECTED
        and websocket.client_state == WebSocketState.CONNECTED
    ):
        with suppress(
            WebSocketDisconnect, RuntimeError, TimeoutError
        ):  # the client was faster, or does not read
            async with asyncio.timeout(SEND_WITHIN_S):
                await websocket.close(code, reason[:100])


def stream_of(types: Sequence[str], ident: str) -> dict[str, Any]:
    """How a stream of frames of these types is documented; `ident` is the pattern of their ids."""
    frame = {
        "type": "object",
        "description": "One event; its data is the frame as JSON",
        "properties": {
            "event": {"enum": list(types)},
            "id": {"type": "string", "pattern": ident},
            "data": {"type": "string", "contentMediaType": "application/json"},
        },
        "required": ["event", "data"],
    }
    told = f"Frames until the client leaves: {', '.join(types)}"
    return {"description": told, "content": {"text/event-stream": {"schema": frame}}}
