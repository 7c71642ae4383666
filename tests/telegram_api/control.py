"""The tests' HTTP side: /control/{door} as in doors.py, faults, and everything that there is to read.

Refusals: 400 `{"error": …}`. What is read can be waited for: `at_least` so many, `within_s` seconds.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.telegram_api.doors import DOORS
from tests.telegram_api.errors import ApiError, Json, bad_request
from tests.telegram_api.faults import Faults, Flood, Outage, Rule
from tests.telegram_api.messages import visible
from tests.telegram_api.people import chat_of
from tests.telegram_api.state import Bot, Kept, World
from tests.telegram_api.waiting import Changes
from tests.telegram_api.webhooks import Backoff

SetOutage = Callable[[Outage], Awaitable[None]]
RULES = TypeAdapter(list[Rule])


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")
    bot: str | None = None
    chat_id: int | None = None
    method: str | None = None
    at_least: int = 0
    within_s: float = Field(0.0, le=60.0)


class OutageBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    outage: Literal["off", "refused", "502"]


class FloodBody(BaseModel):
    """Sends a second."""

    model_config = ConfigDict(extra="forbid")
    per_chat: int | None = Field(None, ge=1)
    overall: int | None = Field(None, ge=1)


class Control:
    def __init__(
        self, world: World, faults: Faults, changes: Changes, backoff: Backoff, set_outage: SetOutage
    ) -> None:
        self._world = world
        self._faults = faults
        self._changes = changes
        self._backoff = backoff
        self._set_outage = set_outage
        self.app = Starlette(
            routes=[
                Route("/control/faults", self._set_faults, methods=["POST"]),
                Route("/control/outage", self._outage, methods=["POST"]),
                Route("/control/flood", self._flood, methods=["POST"]),
                Route("/control/backoff", self._set_backoff, methods=["POST"]),
                Route("/control/calls", self._calls),
                Route("/control/messages", self._messages),
                Route("/control/drafts", self._drafts),
                Route("/control/deliveries", self._deliveries),
                Route("/control/pending", self._pending),
                Route("/control/{door}", self._door, methods=["POST"]),
            ],
            exception_handlers={ApiError: _refused, ValidationError: _invalid},
        )

    async def _door(self, request: Request) -> Response:
        name = request.path_params["door"]
        if name not in DOORS:
            raise bad_request(f"no door {name!r}; there are {sorted(DOORS)}")
        told = DOORS[name].model_validate_json(await request.body()).act(self._world)
        self._changes.tell()
        return JSONResponse(told)

    async def _set_faults(self, request: Request) -> Response:
        """Instead of all rules before."""
        self._faults.rules = RULES.validate_json(await request.body())
        return JSONResponse({})

    async def _outage(self, request: Request) -> Response:
        outage = OutageBody.model_validate_json(await request.body()).outage
        self._faults.outage = outage
        await self._set_outage(outage)
        return JSONResponse({})

    async def _flood(self, request: Request) -> Response:
        body = FloodBody.model_validate_json(await request.body())
        self._faults.flood = Flood(body.per_chat, body.overall)
        return JSONResponse({})

    async def _set_backoff(self, request: Request) -> Response:
        given = TypeAdapter(Backoff).validate_json(await request.body())
        self._backoff.first_s, self._backoff.most_s = given.first_s, given.most_s
        self._backoff.timeout_s = given.timeout_s
        return JSONResponse({})

    async def _calls(self, request: Request) -> Response:
        asked = Asked.model_validate(dict(request.query_params))
        return await self._list(
            asked, lambda: [asdict(each) for each in self._world.calls if _fits(each, asked)]
        )

    async def _messages(self, request: Request) -> Response:
        """Those that are seen, as they look now."""
        asked = Asked.model_validate(dict(request.query_params))
        bot = self._bot(asked)
        chat = chat_of(bot, asked.chat_id or 0)
        return await self._list(asked, lambda: [_told(each) for each in visible(bot, chat)])

    async def _drafts(self, request: Request) -> Response:
        """All in their order; `shown` is true for the one that the user sees at this moment."""
        asked = Asked.model_validate(dict(request.query_params))
        chat = chat_of(self._bot(asked), asked.chat_id or 0)

        def listed() -> list[Json]:
            seen = chat.draft(self._world.clock())
            return [{**asdict(each), "shown": each is seen} for each in chat.drafts]

        return await self._list(asked, listed)

    async def _deliveries(self, request: Request) -> Response:
        asked = Asked.model_validate(dict(request.query_params))
        return await self._list(
            asked, lambda: [each for each in self._world.deliveries if asked.bot in (None, each["bot"])]
        )

    async def _pending(self, request: Request) -> Response:
        """The ids of updates that are not confirmed; waits until there are none."""
        asked = Asked.model_validate(dict(request.query_params))
        bot = self._bot(asked)
        await self._changes.until(lambda: not bot.updates.pending, asked.within_s)
        return JSONResponse([each.update_id for each in bot.updates.pending])

    async def _list(self, asked: Asked, listed: Callable[[], list[Json]]) -> Response:
        await self._changes.until(lambda: len(listed()) >= asked.at_least, asked.within_s)
        return JSONResponse(listed())

    def _bot(self, asked: Asked) -> Bot:
        if asked.bot not in self._world.bots:
            raise bad_request(f"bot {asked.bot} was not added; there are {sorted(self._world.bots)}")
        return self._world.bots[asked.bot]


def _fits(call: Any, asked: Asked) -> bool:
    return (
        asked.bot in (None, call.bot)
        and asked.method in (None, call.method)
        and asked.chat_id in (None, _number(call.params.get("chat_id")))
    )


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _told(kept: Kept) -> Json:
    return {
        "message_id": kept.message_id,
        "by_bot": kept.by_bot,
        "text": str(kept.message.get("text", "")),
        "html": kept.html,
        "before": kept.before,
        "message": kept.message,
    }


async def _refused(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    told = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    return JSONResponse({"error": "; ".join(told)}, 400)
