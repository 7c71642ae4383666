"""The application: routes, error handlers and start-up put together. No rule lives here."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Protocol

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from connectors.kit import discovery
from parley import __version__
from parley.codec import Codec
from parley.errors import TransientError
from parley.ports.bus import Bus
from parley.ports.clock import Clock
from parley.ports.keys import CustomerKeys
from parley.ports.media import MediaStore
from parley.ports.store import Store
from parley.runtime.vault import Vault
from parley.settings import Settings
from services.gateway import (
    routes_calls,
    routes_conversations,
    routes_demo,
    routes_events,
    routes_messages,
    routes_meta,
    routes_widget,
)
from services.gateway.bodies import plain
from services.gateway.call_door import CallDoor
from services.gateway.core import PING_S, Gateway
from services.gateway.cors import TenantCors
from services.gateway.demo_playing import Plays
from services.gateway.deps import Deps
from services.gateway.documents import openapi_of
from services.gateway.problems import TITLES, FieldError, Problem, unavailable
from services.gateway.rates import RefusalLimit
from services.gateway.routes_meta import Readiness

METHODS = ("GET", "HEAD", "POST")
"""All that any address here takes."""


class Opened(Protocol):
    """What a process has open already; `workers.wiring.Platform` is one."""

    @property
    def bus(self) -> Bus: ...
    @property
    def store(self) -> Store: ...
    @property
    def codec(self) -> Codec: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def keys(self) -> CustomerKeys: ...
    @property
    def media(self) -> MediaStore: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def registry(self) -> CollectorRegistry: ...


def create_gateway(opened: Opened, on_stop: Callable[[], None] | None = None) -> FastAPI:
    """The application on a process's open platform, which stays the caller's to close (`on_stop` is a place to)."""
    return create_app(
        Deps(
            bus=opened.bus,
            store=opened.store,
            codec=opened.codec,
            vault=opened.vault,
            keys=opened.keys,
            media=opened.media,
            settings=opened.settings,
            clock=opened.clock,
            registry=opened.registry,
        ),
        on_stop,
    )


def create_app(deps: Deps, on_stop: Callable[[], None] | None = None, *, ping_s: float = PING_S) -> FastAPI:
    """The application; `on_stop` is called once everything of the gateway's has stopped.

    `ping_s` is the silence after which an event stream says that it is alive.
    """
    gateway = Gateway(deps, ping_s)
    readiness = Readiness(deps.bus, deps.store, gateway.tail)
    calls = CallDoor(gateway)
    plays = Plays(gateway, calls)
    demo = routes_demo.Demo(gateway) if deps.settings.demo else None
    offered = [connector.door(deps) for connector in discovery.found().values()]
    doors = [door for door in offered if door is not None]

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await gateway.start()
        if demo is not None:
            await demo.start()
        try:
            for door in doors:
                await door.open()
            yield
        finally:
            for door in doors:
                await door.close()
            await plays.close()
            calls.close()
            await gateway.stop()
            readiness.close()
            if on_stop is not None:
                on_stop()

    app = FastAPI(
        title="Parley gateway",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # one address a thing; a client that is redirected may lose its body or its token
    )
    app.state.gateway = gateway
    app.add_middleware(
        RefusalLimit, doorman=gateway.doorman, rate=gateway.refusal_rate, metrics=gateway.metrics
    )
    # The one added last is the outermost: pages may read every refusal but that of their own origin.
    app.add_middleware(TenantCors, directory=gateway.directory, doorman=gateway.doorman)
    _handle_errors(app, gateway)
    app.router.routes.insert(0, routes_messages.lean_route(gateway))
    app.include_router(routes_conversations.routes(gateway))
    app.include_router(routes_messages.routes(gateway))
    app.include_router(routes_events.routes(gateway))
    app.include_router(routes_calls.routes(gateway, calls))
    app.include_router(routes_meta.routes(gateway, readiness))
    app.router.routes.extend(routes_widget.routes())
    for door in doors:
        app.router.routes.extend(door.routes)
    if demo is not None:
        app.router.routes.extend(plays.routes())
        app.router.routes.extend(routes_demo.routes(demo))
    app.openapi = openapi_of(app, {path: what for door in doors for path, what in door.paths.items()})  # type: ignore[method-assign]  # FastAPI documents this way of extending it
    return app


def _handle_errors(app: FastAPI, gateway: Gateway) -> None:
    def answer(problem: Problem) -> Response:
        gateway.metrics.refused.labels(str(problem.status)).inc()
        return problem.response()

    async def on_problem(_: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)  # registered for this class
        return answer(error)

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # registered for this class
        status = error.status_code if error.status_code in TITLES else HTTPStatus.BAD_REQUEST
        allow = {"Allow": _methods(request)} if status == HTTPStatus.METHOD_NOT_ALLOWED else {}
        return answer(Problem(status, TITLES[status][1], headers={**(error.headers or {}), **allow}))

    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # registered for this class
        allowed = _parameters(request)
        fields = [
            FieldError(field=name, message=plain(problem["msg"]), allowed=allowed.get(name))
            for problem in error.errors()[:20]
            for name in (str(problem["loc"][-1]),)
        ]
        return answer(Problem(422, "; ".join(f"{f.field}: {f.message}" for f in fields), *fields))

    async def on_transient(_: Request, error: Exception) -> Response:
        return answer(unavailable("messages cannot be taken or read just now; try again", retry_after_s=2))

    async def on_left(_: Request, error: Exception) -> Response:
        return answer(Problem(400, "the body ended before it was complete"))  # nobody is there to read it

    async def on_bug(_: Request, error: Exception) -> Response:
        return answer(Problem(500, "this is our fault, and it was logged"))

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(TransientError, on_transient)
    app.add_exception_handler(ClientDisconnect, on_left)
    app.add_exception_handler(Exception, on_bug)


def _parameters(request: Request) -> dict[str, str | None]:
    """What the parameters of the request's route may be: their descriptions say so, as those of bodies' fields do."""
    needs = request.scope["route"].dependant
    return {each.alias: each.field_info.description for each in (*needs.query_params, *needs.header_params)}


def _methods(request: Request) -> str:
    """What the address takes: each of its methods is a route of its own, and the router names those of the first one only."""
    routes: list[BaseRoute] = request.app.routes

    def takes(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in routes)

    return ", ".join(method for method in METHODS if takes(method))
