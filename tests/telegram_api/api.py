"""The bots' HTTP side: /bot{token}/{method} and /file/bot{token}/{path}, with what goes wrong on purpose."""

import asyncio
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.telegram_api.errors import BAD_GATEWAY, NOT_FOUND, UNAUTHORIZED, ApiError, Json
from tests.telegram_api.faults import Faults, Rule
from tests.telegram_api.methods import NAMES, Result, perform
from tests.telegram_api.params import Params, read_params
from tests.telegram_api.state import Bot, Call, World
from tests.telegram_api.waiting import Changes

Cut = Callable[[tuple[str, int]], None]
PROXY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
#: Performed, whatever comes back.
PERFORMED = ("timeout_after", "cut_after", "delay")


class BotApi:
    """`cut` is set by whoever listens."""

    def __init__(self, world: World, faults: Faults, changes: Changes) -> None:
        self._world = world
        self._faults = faults
        self._changes = changes
        self.cut: Cut = lambda client: None
        self.app = Starlette(
            routes=[
                Route("/bot{token}/{method}", self._method, methods=["GET", "POST"]),
                Route("/file/bot{token}/{path:path}", self._download),
            ],
            exception_handlers={404: _not_found},
        )

    async def _method(self, request: Request) -> Response:
        named = request.path_params["method"]
        method = NAMES.get(named.lower(), named)
        body = await request.body()
        try:
            asked = read_params(request.url.query, request.headers.get("content-type", ""), body)
        except ApiError as error:
            call = self._note(request.path_params["token"], method, Params({}))
            return self._told(call, error)
        call = self._note(request.path_params["token"], method, asked)
        try:
            bot = self._bot(call, method)
        except ApiError as error:
            return self._told(call, error)
        rule, refusal = self._goes_wrong(call, asked)
        if refusal is not None:
            return self._told(call, refusal)
        return await self._act(request, bot, call, asked, rule)

    async def answered_by_webhook(self, bot: Bot, wanted: Json) -> None:
        """A method that came in a webhook's answer; nobody hears its result."""
        named = str(wanted["method"])
        asked = Params({name: value for name, value in wanted.items() if name != "method"})
        call = self._note(bot.token, NAMES.get(named.lower(), named), asked)
        await self._perform(bot, call, asked)

    def _note(self, token: str, method: str, asked: Params) -> Call:
        call = Call(len(self._world.calls) + 1, token, method, asked.given, self._world.clock())
        self._world.calls.append(call)
        self._changes.tell()
        return call

    def _bot(self, call: Call, method: str) -> Bot:
        if self._faults.outage == "502":
            call.fault = "outage"
            raise BAD_GATEWAY
        bot = self._world.bots.get(call.bot)
        if bot is None:
            raise UNAUTHORIZED
        if method.lower() not in NAMES:
            raise NOT_FOUND
        return bot

    def _goes_wrong(self, call: Call, asked: Params) -> tuple[Rule | None, ApiError | None]:
        chat_id = _chat_id(asked)
        rule = self._faults.choose(call.bot, call.method, chat_id)
        if rule is not None:
            call.fault = rule.do
            return rule, rule.error()
        refusal = self._faults.flood.refusal(call.bot, call.method, chat_id, self._world.clock())
        if refusal is not None:
            call.fault = "flood"
        return None, refusal

    async def _act(
        self, request: Request, bot: Bot, call: Call, asked: Params, rule: Rule | None
    ) -> Response:
        if rule is not None and rule.do == "502_html":
            return HTMLResponse(PROXY_PAGE, 502)
        if rule is not None and rule.do == "delay":
            await asyncio.sleep(rule.delay_s)
        if rule is not None and rule.do not in PERFORMED:
            return await self._without_answer(request, rule)
        performing = asyncio.create_task(self._perform(bot, call, asked))
        if call.method == "getUpdates":
            leaving = asyncio.create_task(_gone(request))
            await asyncio.wait({performing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            leaving.cancel()
            if not performing.done():  # nobody waits for these updates any more
                performing.cancel()
                call.fault = call.fault or "client gone"
                return Response()
        response = await performing
        if rule is not None and rule.do != "delay":
            call.answer = None
            return await self._without_answer(request, rule)
        return response

    async def _perform(self, bot: Bot, call: Call, asked: Params) -> Response:
        try:
            result: Result | ApiError = await perform(self._world, self._changes, bot, call.method, asked)
            call.performed = True
        except ApiError as error:
            result = error
        return self._told(call, result)

    async def _without_answer(self, request: Request, rule: Rule) -> Response:
        """Holds the connection until the client gives up, or cuts it; the response then reaches nobody."""
        if rule.do.startswith("cut") and request.client is not None:
            self.cut((request.client.host, request.client.port))
        await _gone(request)
        return Response()

    def _told(self, call: Call, result: Result | ApiError) -> Response:
        call.answer = result.answer()
        self._changes.tell()
        return _response(result)

    async def _download(self, request: Request) -> Response:
        call = self._note(request.path_params["token"], "download", Params(request.path_params))
        bot = self._world.bots.get(call.bot)
        if self._faults.outage == "502" or bot is None:
            return self._told(call, BAD_GATEWAY if self._faults.outage == "502" else UNAUTHORIZED)
        rule, refusal = self._goes_wrong(call, Params({}))
        if refusal is not None:
            return self._told(call, refusal)
        if rule is not None and rule.do == "502_html":
            return HTMLResponse(PROXY_PAGE, 502)
        if rule is not None and rule.do == "delay":
            await asyncio.sleep(rule.delay_s)
        elif rule is not None:
            return await self._without_answer(request, rule)
        found = [each for each in bot.files.values() if each.path == request.path_params["path"]]
        if not found:
            return self._told(call, NOT_FOUND)
        call.performed = True
        self._changes.tell()
        return Response(found[0].content, media_type="application/octet-stream")


def _chat_id(asked: Params) -> int | None:
    try:
        return asked.chat_id()
    except ApiError:
        return None


def _response(result: Result | ApiError) -> JSONResponse:
    if isinstance(result, Result):
        return JSONResponse(result.answer())
    wait = (result.parameters or {}).get("retry_after")
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return JSONResponse(result.answer(), result.code, headers)


async def _not_found(request: Request, error: Exception) -> Response:
    return _response(NOT_FOUND)


async def _gone(request: Request) -> None:
    """Until the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
