"""Beginning a conversation, and what the widget needs to know before it does."""

from datetime import timedelta
from functools import partial
from typing import Annotated
from uuid import uuid4

import orjson
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from parley.ports.store import AccessKey
from schemas.base import ConversationId, CustomerId
from schemas.conversation_events import ConversationStarted
from schemas.tenant import TenantConfig
from services.gateway.bodies import StartConversation, read
from services.gateway.core import Gateway
from services.gateway.directory import TenantView
from services.gateway.documents import KEY_SECURITY, body_of
from services.gateway.outputs import ConversationCreated, WidgetConfig
from services.gateway.problems import documented
from services.gateway.tokens import Grant
from services.gateway.tracing import traceparent_of


def routes(gateway: Gateway) -> APIRouter:
    router = APIRouter()

    @router.get(
        "/v1/widget",
        summary="What the widget shows before the first message",
        response_model=WidgetConfig,
        responses=documented(401, 403, 404, 422, 429, 503),
        openapi_extra={"security": KEY_SECURITY},
    )
    async def widget(
        request: Request,
        tenant: Annotated[str, Query(max_length=64, description="a tenant's id, such as bank")],
    ) -> Response:
        key = await gateway.doorman.caller(request)
        view = await gateway.doorman.tenant_of(key, tenant)
        # Not required: browsers send no origin where a page of our own reads, and nothing in the answer is secret.
        gateway.doorman.check_origin(request, _origins(key, view))
        return Response(orjson.dumps(_widget_config(view.config)), media_type="application/json")

    @router.post(
        "/v1/conversations",
        status_code=201,
        summary="Begin a conversation",
        response_model=ConversationCreated,
        responses=documented(400, 401, 403, 404, 413, 415, 422, 429, 503),
        openapi_extra={"security": KEY_SECURITY, **body_of(StartConversation)},
    )
    async def start(request: Request) -> Response:
        key, address = await gateway.doorman.caller(request), gateway.doorman.address(request)
        _check_rates(gateway, key, address)
        body = await read(request, StartConversation)
        view = await gateway.doorman.tenant_of(key, body.tenant)
        gateway.doorman.check_origin(request, _origins(key, view), required=key.kind == "widget")
        _check_rates(gateway, key, address)
        gateway.address_rate.take(address)
        gateway.key_rate.take(key.key_id)
        grant = await _begin(gateway, key, view, body.language, traceparent_of(request))
        created = {"conversation_id": grant.conversation_id, "token": gateway.signer.sign(grant)}
        return Response(orjson.dumps(created), 201, media_type="application/json")

    return router


def _origins(key: AccessKey, view: TenantView) -> tuple[str, ...]:
    return key.origins or view.origins(key.key_id)


def _check_rates(gateway: Gateway, key: AccessKey, address: str) -> None:
    """Both before anything is taken from either: what one refuses costs nothing of the other."""
    gateway.address_rate.check(address)
    gateway.key_rate.check(key.key_id)


async def _begin(
    gateway: Gateway, key: AccessKey, view: TenantView, language: str | None, trace: str | None
) -> Grant:
    """New ids, the customer's key, and the first event; what is returned is acknowledged."""
    deps = gateway.deps
    grant = Grant(
        conversation_id=ConversationId(str(uuid4())),
        tenant=key.tenant,
        customer_id=CustomerId(str(uuid4())),
        channel="web" if key.kind == "widget" else "api",
        key_id=key.key_id,
        expires_at=deps.clock.now() + timedelta(hours=deps.settings.token_ttl_hours),
    )
    await gateway.threads.run(partial(deps.keys.create, grant.tenant, grant.customer_id))
    started = ConversationStarted(channel=grant.channel, language=view.config.spoken(language))
    await gateway.write(view.version, grant, started, trace)
    return grant


def _widget_config(config: TenantConfig) -> dict[str, object]:
    assistant = config.assistant
    return {
        "tenant": config.id,
        "name": config.name,
        "assistant": {
            "name": assistant.name,
            "greeting": assistant.greeting,
            "suggestions": assistant.suggestions,
        },
        "languages": config.languages,
        "default_language": config.default_language,
    }
