"""Calls over HTTP: finished ones as files, running ones on a WebSocket, and the stream of what is said and found for whoever helps."""

import asyncio
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any, get_args

import orjson
from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from connectors.calls.book import Taken
from connectors.calls.formats import FORMS
from connectors.calls.frames import FrameType
from connectors.calls.speakers import LABELLED, labelled
from connectors.calls.taking import Refused
from connectors.calls.transcript import MOST_BYTES, Speaker
from connectors.kit.http import body_of
from parley.errors import TransientError
from parley.ports.store import AccessKey
from schemas.base import ConversationId
from services.gateway.auth import bearer
from services.gateway.bodies import LANGUAGE_TAG
from services.gateway.call_door import CallDoor
from services.gateway.core import Gateway
from services.gateway.documents import Security
from services.gateway.live_calls import LiveSocket
from services.gateway.outputs import CallsTaken
from services.gateway.problems import FieldError, Problem, documented, invalid, too_many, unavailable
from services.gateway.rooms import StreamEnded, TooManyConnections
from services.gateway.routes_events import EventStream, close_socket, stream_of
from services.gateway.routes_messages import ConversationPath
from services.gateway.tokens import Grant, TokenRefused

API_KEY: Security = [{"apiKey": []}]
CALL_TOKEN: Security = [{"callToken": []}, {"apiKey": []}]
BODY_WITHIN_S = 120.0
"""Seconds for a file, which has a slot of its tenant as it comes."""


def routes(gateway: Gateway, door: CallDoor) -> APIRouter:
    router = APIRouter()

    @router.post(
        "/v1/calls",
        status_code=202,
        summary="Import a finished call, or a file of several",
        response_model=CallsTaken,
        responses=documented(400, 401, 403, 408, 409, 410, 413, 422, 429, 503),
        openapi_extra={"security": API_KEY, **_FILE},
    )
    async def take(
        request: Request,
        form: Annotated[
            str | None,
            Query(max_length=32, description=f"one of {', '.join(FORMS)}; else told by the content"),
        ] = None,
        language: Annotated[
            str | None, Query(pattern=LANGUAGE_TAG, description="where the file does not say it, such as en")
        ] = None,
        speaker: Annotated[
            list[str] | None, Query(max_length=20, description=f"{LABELLED}; repeated")
        ] = None,
    ) -> Response:
        key = await _caller(gateway, request)
        speakers = _speakers(speaker or ())
        async with door.slot(key.tenant):
            data = await _file(request)
            taken = await door.take(key.tenant, data, form=form, language=language, speakers=speakers)
        body = orjson.dumps({"calls": [_told(each) for each in taken]})
        return Response(body, 202, media_type="application/json")

    @router.get(
        "/v1/calls/{conversation_id}/events",
        summary="What is said in a call, and what helps the agent, as server-sent events",
        response_class=Response,
        responses={
            200: stream_of(get_args(FrameType), r"^\d+$"),
            **documented(401, 403, 404, 410, 422, 429, 503),
        },
        openapi_extra={"security": CALL_TOKEN},
    )
    async def events(
        request: Request,
        conversation_id: ConversationPath,
        last_event_id: Annotated[str, Header(description="the last frame's id", pattern=r"^\d{0,15}$")] = "",
    ) -> Response:
        grant = await _watcher(gateway, door, request, ConversationId(conversation_id))
        await gateway.check_key(grant)
        view = await gateway.doorman.tenant(grant.tenant)
        gateway.read_rate.take(grant.conversation_id)
        if gateway.tail.trouble() is not None:
            raise unavailable("events cannot be read just now")
        try:
            connection = gateway.streams.join(grant.conversation_id)
        except TooManyConnections as error:
            raise too_many("streams", "a few for one call; close one", 5) from error
        except StreamEnded as error:
            raise unavailable("this server is about to stop") from error
        frames = door.streams.frames(
            grant.conversation_id, view.config, connection, int(last_event_id or 0), gateway.ping_s
        )
        return EventStream(gateway, grant, connection, frames)

    @router.websocket("/v1/calls/live")
    async def live(websocket: WebSocket) -> None:
        try:
            await websocket.accept()
            await LiveSocket(gateway, door, websocket).run()
        except WebSocketDisconnect:
            return  # hung up without a word: the call may go on with another connection
        except (Problem, StreamEnded, TransientError) as error:
            await close_socket(websocket, error)

    return router


async def _file(request: Request) -> bytes:
    """Raises `Problem` 408, 413."""
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            data = await body_of(request, MOST_BYTES)
    except TimeoutError as error:
        allowed = f"all of it within {BODY_WITHIN_S:.0f} s"
        raise Problem(408, f"body: came too slowly; allowed: {allowed}") from error
    if data is None:
        raise Problem(413, f"body: is too large; allowed: at most {MOST_BYTES:,} bytes")
    return data


def _told(each: Taken | Refused) -> dict[str, Any]:
    """As `CallTaken`."""
    if isinstance(each, Taken):
        return asdict(each)
    return {"call_id": each.call_id, "state": "refused", "reason": each.reason}


async def _caller(gateway: Gateway, request: Request) -> AccessKey:
    """The API key: a widget's is in every visitor's page."""
    key = await gateway.directory.api_key(bearer(request))
    if key is None:
        raise Problem(
            401,
            "Authorization: is missing or not a valid API key",
            FieldError(
                field="Authorization", message="is not valid", allowed="Bearer <API key of the tenant>"
            ),
            headers={"WWW-Authenticate": 'Bearer realm="parley"'},
        )
    return key


async def _watcher(
    gateway: Gateway, door: CallDoor, request: Request, conversation_id: ConversationId
) -> Grant:
    """Who has the call's token, or an API key of its tenant."""
    try:
        grant = door.signer.verify(bearer(request) or "", gateway.deps.clock.now())
    except TokenRefused:
        key = await _caller(gateway, request)
        row = await gateway.threads.run(lambda: gateway.deps.store.conversation(conversation_id))
        if row is None or row.tenant != key.tenant or row.channel != "call":
            raise Problem(404, "there is no such call") from None
        return Grant(
            conversation_id, key.tenant, row.customer_id, "api", key.key_id, gateway.deps.clock.now()
        )
    if grant.conversation_id != conversation_id:
        raise Problem(403, "the token belongs to another call")
    return grant


def _speakers(told: Iterable[str]) -> dict[str, Speaker]:
    """Raises `Problem` 422."""
    try:
        return labelled(told)
    except ValueError as error:
        raise invalid("speaker", "names no side", LABELLED) from error


_FILE = {
    "requestBody": {
        "required": True,
        "description": "A vCon, or any other form that docs/calls.md lists; at most 50 MB",
        "content": {
            "application/json": {"schema": {}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
