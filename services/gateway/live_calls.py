"""A running call on a WebSocket: segments and what happens come in, acknowledgements and help for the agent go out.

Frames are JSON objects with a `type`. One that is wrong is answered with `error`, and the call goes on; what is right is acknowledged
once the log has it.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from starlette import status
from starlette.websockets import WebSocket, WebSocketDisconnect

from connectors.calls.book import (
    MOST_SEGMENT_CHARS,
    LiveCall,
    Opening,
    Segment,
    SegmentReused,
)
from connectors.calls.transcript import MOST_ID_CHARS, MOST_MS
from parley.errors import KeyErased, TransientError
from parley.ports.store import AccessKey
from parley.runtime.limits import TokenBuckets
from schemas.call_events import CallProgressed
from services.gateway.auth import bearer
from services.gateway.bodies import LANGUAGE_TAG, RequestBody, refusal, writable
from services.gateway.call_door import CallDoor
from services.gateway.core import Gateway
from services.gateway.problems import Problem, invalid, unavailable
from services.gateway.rooms import Connection, StreamEnded, TooManyConnections

FIRST_FRAME_WITHIN_S = 10.0
SEND_WITHIN_S = 20.0
MOST_FRAME_BYTES = 65_536
MOST_WRONG = 100
"""Wrong frames, after which a client is taken for broken."""
FRAMES_PER_S, FRAMES_AT_ONCE = 50.0, 200.0
"""Of one connection. What comes faster is not read for a while, and waits where it is sent."""
KEY_CHECK_EVERY_S = 60.0
"""So long at most a connection outlives its key."""
CLOCKS_DIFFER = timedelta(days=1)
FIRST = '{"type": "start", "call_id": …, "agent": {"id": …, "name": …}, "key"?: …} as the first frame'

Id = Annotated[
    str,
    Field(min_length=1, max_length=MOST_ID_CHARS, description="1 to 128 characters, no NUL"),
    AfterValidator(writable),
]
Ms = Annotated[
    int, Field(ge=0, le=MOST_MS, description=f"milliseconds from the call's beginning, 0 to {MOST_MS}")
]
Language = Annotated[
    str,
    Field(pattern=LANGUAGE_TAG, description="a language tag such as en or zh-Hans"),
]


class Agent(RequestBody):
    id: Id
    name: Annotated[
        str,
        Field(min_length=1, max_length=80, description="1 to 80 characters, no NUL"),
        AfterValidator(writable),
    ]


class Start(RequestBody):
    """The first frame. Without `started_at` the call begins now."""

    type: Literal["start"]
    key: Annotated[
        str | None, Field(max_length=512, description="an API key, unless the header Authorization has it")
    ] = None
    call_id: Id
    agent: Annotated[Agent, Field(description='{"id": …, "name": …}')]
    language: Language | None = None
    started_at: Annotated[AwareDatetime | None, Field(strict=False, description="RFC 3339, or null")] = None
    source: Annotated[
        str,
        Field(min_length=1, max_length=64, description="1 to 64 characters, no NUL"),
        AfterValidator(writable),
    ] = "live"

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Raises `Problem` 422 that names the field."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            if any(each["loc"] == ("type",) for each in error.errors(include_url=False)):
                raise invalid("type", "the first frame is no start", FIRST) from error
            raise refusal(error, cls) from error


class Said(RequestBody):
    """What is being said, or was said (`final`)."""

    type: Literal["segment"]
    segment_id: Id
    speaker: Annotated[Literal["customer", "human_agent"], Field(description="customer or human_agent")]
    text: Annotated[
        str,
        Field(max_length=MOST_SEGMENT_CHARS, description=f"at most {MOST_SEGMENT_CHARS} characters, no NUL"),
        AfterValidator(writable),
    ]
    final: Annotated[bool, Field(description="true or false")]
    start_ms: Ms
    end_ms: Annotated[Ms, Field(description=f"start_ms to {MOST_MS}")]
    confidence: Annotated[float | None, Field(ge=0, le=1, description="0 to 1, or null")] = None

    @field_validator("end_ms")
    @classmethod
    def _in_order(cls, end_ms: int, others: ValidationInfo) -> int:
        if end_ms < others.data.get("start_ms", end_ms):
            raise ValueError("is before start_ms")
        return end_ms


class Happened(RequestBody):
    """What happens besides talk. A transfer names the agent who goes on."""

    type: Literal["hold", "resumed", "muted", "unmuted", "joined", "transfer", "hang_up"]
    at_ms: Ms
    by: Annotated[
        Literal["customer", "human_agent"] | None, Field(description="customer, human_agent or null")
    ] = None
    agent: Annotated[
        Agent | None,
        Field(validate_default=True, description='{"id": …, "name": …} with transfer, else nothing'),
    ] = None

    @field_validator("agent")
    @classmethod
    def _names_the_next(cls, agent: Agent | None, others: ValidationInfo) -> Agent | None:
        if "type" in others.data and (others.data["type"] == "transfer") != (agent is not None):
            raise ValueError("goes with transfer, and only with it")
        return agent


_FRAME: TypeAdapter[Said | Happened] = TypeAdapter(Annotated[Said | Happened, Field(discriminator="type")])
_ALLOWED = "segment, hold, resumed, muted, unmuted, joined, transfer, hang_up"


class LiveSocket:
    """One connection, from its first frame to its end."""

    def __init__(self, gateway: Gateway, door: CallDoor, websocket: WebSocket) -> None:
        self._gateway = gateway
        self._door = door
        self._websocket = websocket
        self._sending = asyncio.Lock()
        self._rate = TokenBuckets(rate=FRAMES_PER_S, burst=FRAMES_AT_ONCE)
        self._wrong = 0

    async def run(self) -> None:
        """Raises `Problem` before the call is open and where its key is revoked; `StreamEnded`, `WebSocketDisconnect` after it."""
        start = await self._first()
        presented = bearer(self._websocket) or start.key
        key = await self._key(presented)
        view = await self._gateway.doorman.tenant(key.tenant)
        call = await self._door.begin(key.tenant, self._opening(start))
        chat = call.chat
        connection = self._join(call)
        try:
            await self._send(
                {
                    "type": "started",
                    "call_id": start.call_id,
                    "conversation_id": chat.conversation_id,
                    "token": self._door.token(key.tenant, key.key_id, chat.conversation_id, chat.customer_id),
                }
            )
            frames = self._door.streams.frames(
                chat.conversation_id, view.config, connection, 0, self._gateway.ping_s
            )
            await _first_of(self._help(frames), self._listen(call), self._until_revoked(presented))
        finally:
            self._gateway.streams.leave(chat.conversation_id, connection)

    async def _first(self) -> Start:
        try:
            async with asyncio.timeout(FIRST_FRAME_WITHIN_S):
                return Start.parsed(await self._websocket.receive_text())
        except TimeoutError as error:
            raise invalid("type", "the first frame did not come in time", FIRST) from error
        except KeyError as error:
            raise invalid("body", "the first frame is binary", FIRST) from error

    async def _key(self, presented: str | None) -> AccessKey:
        key = await self._gateway.directory.api_key(presented)
        if key is None:
            raise Problem(401, "key: is missing or not a valid API key")
        return key

    async def _until_revoked(self, presented: str | None) -> None:
        """Raises `Problem` 401."""
        while True:
            await asyncio.sleep(KEY_CHECK_EVERY_S)
            with suppress(TransientError):
                await self._key(presented)

    def _opening(self, start: Start) -> Opening:
        now = self._gateway.deps.clock.now()
        started_at: datetime = start.started_at or now
        if abs(now - started_at) > CLOCKS_DIFFER:
            raise invalid("started_at", "is more than a day from now", "when the running call began")
        return Opening(
            call_id=start.call_id,
            source=start.source,
            started_at=started_at,
            human_agent_id=start.agent.id,
            human_agent_name=start.agent.name,
            language=start.language,
        )

    def _join(self, call: LiveCall) -> Connection:
        try:
            return self._gateway.streams.join(call.chat.conversation_id)
        except TooManyConnections as error:
            raise Problem(429, "too many connections for one call; close one") from error
        except StreamEnded as error:
            raise unavailable("this server is about to stop") from error

    async def _help(self, frames: Any) -> None:
        async for frame in frames:
            if frame is not None:  # the protocol has pings of its own
                await self._send_text(frame.json().decode())

    async def _listen(self, call: LiveCall) -> None:
        while True:
            while wait_s := self._rate.take("frames"):
                await asyncio.sleep(wait_s)
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                await self._take(call, message.get("text"))
            except Problem as problem:
                await self._refuse(problem, segment_id(message.get("text")))
            if self._wrong > MOST_WRONG:
                raise Problem(422, "too many frames are wrong")

    async def _take(self, call: LiveCall, text: str | None) -> None:
        if text is None or len(text) > MOST_FRAME_BYTES:
            raise invalid("body", "is no text frame of at most 65,536 bytes", "one JSON object")
        frame = parsed(text)
        name = frame.segment_id if isinstance(frame, Said) else None
        try:
            await self._gateway.threads.run(partial(write, call, frame))
        except KeyErased as error:
            raise Problem(410, "the customer of this call was erased") from error
        except (
            SegmentReused
        ) as error:  # not counted as wrong: who counts anew on each connection comes to new ids at last
            await self._send({"type": "error", "detail": str(error), "segment_id": name})
            return
        except TransientError:
            await self._send({"type": "error", "detail": "was not taken; send it again", "segment_id": name})
            return
        if isinstance(frame, Happened):
            await self._send({"type": "ack", "kind": frame.type, "at_ms": frame.at_ms})
        elif frame.final:
            await self._send({"type": "ack", "kind": "segment", "segment_id": name})

    async def _refuse(self, problem: Problem, segment: str | None) -> None:
        if problem.status == 410:
            raise problem
        self._wrong += 1
        errors = [error.model_dump(exclude_none=True) for error in problem.errors]
        named = {} if segment is None else {"segment_id": segment}
        await self._send({"type": "error", "detail": problem.detail, "errors": errors, **named})

    async def _send(self, frame: Mapping[str, Any]) -> None:
        await self._send_text(orjson.dumps(frame).decode())

    async def _send_text(self, text: str) -> None:
        """Who does not read is gone. Raises `WebSocketDisconnect`."""
        try:
            async with self._sending, asyncio.timeout(SEND_WITHIN_S):
                await self._websocket.send_text(text)
        except TimeoutError as error:
            raise WebSocketDisconnect(status.WS_1006_ABNORMAL_CLOSURE, "does not read") from error


def segment_id(text: str | None) -> str | None:
    """Of a frame that was refused, where it has one that could be a segment's: whoever sent several can tell which it was."""
    try:
        named = orjson.loads(text or "")["segment_id"]
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        return None
    return named if isinstance(named, str) and 0 < len(named) <= MOST_ID_CHARS else None


def parsed(text: str) -> Said | Happened:
    """A frame of a running call. Raises `Problem` 422 that names the field."""
    try:
        return _FRAME.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
            raise invalid("type", "is missing or unknown", _ALLOWED) from error
        if first["type"] == "json_invalid":
            raise invalid("body", "is not JSON", "one JSON object") from error
        kind = Said if first["loc"] and first["loc"][0] == "segment" else Happened
        raise refusal(_below(error), kind) from error


def _below(error: ValidationError) -> ValidationError:
    """The same without the union's tag before each field."""
    lines: Any = [
        {"type": each["type"], "loc": each["loc"][1:], "input": None, "ctx": each.get("ctx", {})}
        for each in error.errors(include_url=False)
    ]
    return ValidationError.from_exception_data("frame", lines)


def write(call: LiveCall, frame: Said | Happened) -> None:
    """Into the log. Raises what `LiveCall` does."""
    if isinstance(frame, Said):
        call.hear(
            Segment(
                frame.segment_id,
                frame.speaker,
                frame.text,
                frame.final,
                frame.start_ms,
                frame.end_ms,
                frame.confidence,
            )
        )
        return
    agent = frame.agent
    call.progress(
        CallProgressed(
            kind=frame.type,
            at_ms=frame.at_ms,
            by=frame.by,
            human_agent_id=None if agent is None else agent.id,
            human_agent_name=None if agent is None else agent.name,
        )
    )


async def _first_of(*work: Coroutine[Any, Any, None]) -> None:
    """Until one of them ends, which ends the others. Raises what it raised."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
