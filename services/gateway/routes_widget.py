"""The widget's files over HTTP: the loader that sites name in their one script line, and the modules beside it."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import connectors.web
from services.gateway import static
from services.gateway.problems import Problem

FOLDER = Path(connectors.web.__file__).parent / "widget"
LOADER = "widget.js"


def routes() -> list[BaseRoute]:
    files = static.load(FOLDER.iterdir())

    async def loader(request: Request) -> Response:
        return static.respond(request, files[LOADER])

    async def module(request: Request) -> Response:
        found = files.get(request.path_params["name"])
        if found is None:
            raise Problem(404, "the widget has no such file")
        return static.respond(request, found)

    return [Route("/widget.js", loader), Route("/widget/{name}", module)]
