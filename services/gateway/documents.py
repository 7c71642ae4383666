"""What the OpenAPI document says beyond what FastAPI finds by itself: bodies that routes read themselves, keys, problems."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from parley import __version__
from services.gateway.bodies import (
    VISIBLE_TEXT_PATTERN,
    GiveFeedback,
    RequestBody,
    SendMessage,
    StartConversation,
)
from services.gateway.problems import FieldError, ProblemBody

Security = list[dict[str, list[str]]]

TOKEN_SECURITY: Security = [{"conversationToken": []}]
KEY_SECURITY: Security = [{"widgetKey": []}, {"apiKey": []}]

_DESCRIPTION = """How customers talk to Parley. Every error is `application/problem+json` with the fields that are wrong and what is
allowed. `GET /v1/conversations/{id}/events` is an event stream; the same frames come on the WebSocket
`/v1/conversations/{id}/ws`. docs/http-api.md describes the frames and how to resume."""


def body_of(kind: type[RequestBody]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def openapi_of(app: FastAPI, doors: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """FastAPI's `app.openapi`, with our components and the paths of channels' doors; made once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title="Parley gateway", version=__version__, description=_DESCRIPTION, routes=app.routes
            )
            document.setdefault("paths", {}).update(doors)
            _add_components(document.setdefault("components", {}))
            app.openapi_schema = document
        return app.openapi_schema

    return openapi


def _add_components(components: dict[str, Any]) -> None:
    schemas = components.setdefault("schemas", {})
    models: tuple[tuple[str, type[BaseModel]], ...] = (
        ("Problem", ProblemBody),
        ("FieldError", FieldError),
        ("StartConversation", StartConversation),
        ("SendMessage", SendMessage),
        ("GiveFeedback", GiveFeedback),
    )
    for name, model in models:
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        schemas[name] = schema
    schemas["SendMessage"]["properties"]["text"]["pattern"] = VISIBLE_TEXT_PATTERN
    schemas["GiveFeedback"]["properties"]["comment"]["pattern"] = r"^[^\u0000]*$"
    components["securitySchemes"] = {
        "conversationToken": {"type": "http", "scheme": "bearer", "description": "The conversation's token"},
        "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key of the tenant"},
        "callToken": {"type": "http", "scheme": "bearer", "description": "A running call's token"},
        "widgetKey": {"type": "apiKey", "in": "header", "name": "X-Widget-Key"},
    }
