"""An example call of the demo, played into the platform as a telephone system would tell it: the page watches what comes of it."""

import asyncio
import logging
import re
from datetime import timedelta
from functools import partial
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from connectors.calls import examples
from connectors.calls.book import LiveCall, Opening, Segment
from connectors.calls.formats import read
from connectors.calls.parts import agent_of, id_of, name_of
from connectors.calls.playing import SPEEDS, Step, steps
from connectors.calls.transcript import Transcript
from parley.errors import ParleyError
from parley.runtime.faults import describe
from schemas.call_events import CallProgressed
from services.gateway.auth import foreign_origin
from services.gateway.bodies import RequestBody
from services.gateway.bodies import read as read_body
from services.gateway.call_door import CallDoor
from services.gateway.core import Gateway
from services.gateway.demo_calls import TENANTS
from services.gateway.problems import Problem, too_many

log = logging.getLogger(__name__)

MOST_AT_ONCE = 20
UNWATCHED_S = 20.0
"""So long a call plays on with nobody watching: a page that reconnects comes back sooner."""
NAME = re.compile(r"[a-z0-9-]{1,64}")
NO_KEY = "0" * 12
"""The demo's calls were begun with no access key."""


class PlayCall(RequestBody):
    example: Annotated[str, Field(pattern=rf"^{NAME.pattern}$", description="the name of an example call")]
    speed: Annotated[Literal["1x", "10x", "at-once"], Field(description="1x, 10x or at-once")] = "1x"


class Plays:
    """The example calls that run now. They end with the gateway."""

    def __init__(self, gateway: Gateway, door: CallDoor) -> None:
        self._gateway = gateway
        self._door = door
        self._running: set[asyncio.Task[None]] = set()

    def routes(self) -> list[BaseRoute]:
        """Plain: for the demo's own page, and no part of the API's document."""
        return [Route("/demo/{tenant}/calls", self._begin, methods=["POST"])]

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _begin(self, request: Request) -> Response:
        doorman = self._gateway.doorman
        origin = request.headers.get("origin")
        if origin is not None and not doorman.own_origin(request, origin):
            raise foreign_origin()
        self._gateway.address_rate.take(doorman.address(request))
        body = await read_body(request, PlayCall)
        view = await doorman.tenant(request.path_params["tenant"])
        if len(self._running) >= MOST_AT_ONCE:
            raise too_many("calls", f"{MOST_AT_ONCE} at a time; wait until one has ended", 10)
        tenant = view.config.id
        transcript = await self._gateway.threads.run(partial(_example, tenant, body.example))
        call = await self._door.begin(tenant, self._opening(transcript, body.speed))
        task = asyncio.create_task(self._play(call, transcript, SPEEDS[body.speed]))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        chat = call.chat
        token = self._door.token(tenant, NO_KEY, chat.conversation_id, chat.customer_id)
        return JSONResponse({"conversation_id": chat.conversation_id, "token": token}, 201)

    def _opening(self, transcript: Transcript, speed: str) -> Opening:
        """It began so long ago that it ends when its playing does."""
        told = steps(transcript, partials=False)
        factor = SPEEDS[speed]
        length = timedelta(milliseconds=told[-1].at_ms) * (1 - (1 / factor if factor else 0))
        agent = agent_of(transcript)
        return Opening(
            call_id=f"demo-{uuid4()}",
            source="demo",
            started_at=self._gateway.deps.clock.now() - length,
            human_agent_id=id_of(agent),
            human_agent_name=name_of(agent),
            language=transcript.language,
        )

    async def _play(self, call: LiveCall, transcript: Transcript, factor: float | None) -> None:
        try:
            if factor is None:
                for step in steps(transcript, partials=False):
                    await self._gateway.threads.run(partial(_tell, call, step))
            else:
                await self._play_slowly(call, transcript, factor)
        except ParleyError as error:
            log.warning("an example call ends early: %s", describe(error))

    async def _play_slowly(self, call: LiveCall, transcript: Transcript, factor: float) -> None:
        """As long as somebody watches: whoever leaves or begins anew hangs up, and gives its place to others."""
        now = asyncio.get_running_loop().time
        began = watched = now()
        for step in steps(transcript):
            await asyncio.sleep(max(0.0, began + step.at_ms / 1000 / factor - now()))
            if call.chat.conversation_id in self._gateway.rooms:
                watched = now()
            elif now() - watched > UNWATCHED_S:
                hang_up = Step(step.at_ms, CallProgressed(kind="hang_up", at_ms=step.at_ms))
                return await self._gateway.threads.run(partial(_tell, call, hang_up))
            await self._gateway.threads.run(partial(_tell, call, step))


def _example(tenant: str, name: str) -> Transcript:
    """Raises `Problem` 404."""
    path = examples.path_of(TENANTS / tenant, name)
    if not path.is_file():
        raise Problem(404, "there is no such example call")
    return read(path.read_bytes(), name=path.name)[0]


def _tell(call: LiveCall, step: Step) -> None:
    if isinstance(step.told, Segment):
        call.hear(step.told)
    else:
        call.progress(step.told)
