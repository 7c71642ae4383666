"""A conversation's messages: writing one, reading them all, and saying what a reply was worth."""

import time
from functools import partial
from typing import Annotated
from uuid import uuid4

import orjson
from fastapi import APIRouter, Path, Query
from pydantic import BeforeValidator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.web.frames import Fields, history_entry
from parley.domain.masking import Masked
from parley.errors import KeyErased
from parley.ids import named_id
from parley.runtime.digests import text_digest
from parley.runtime.history import history
from parley.runtime.limits import retry_after
from schemas.base import MAX_MESSAGE_CHARS, ConversationId, EventId, ReplyId
from schemas.other_events import FeedbackGiven
from schemas.outbound import ReplyReady
from services.gateway.auth import bearer
from services.gateway.bodies import MAX_COMMENT_CHARS, GiveFeedback, SendMessage, read
from services.gateway.core import Gateway
from services.gateway.documents import TOKEN_SECURITY, body_of
from services.gateway.intake import Submission, TextDiffers
from services.gateway.outputs import FeedbackAccepted, History, MessageAccepted
from services.gateway.problems import FieldError, Problem, documented, erased, invalid, too_many
from services.gateway.tokens import Grant
from services.gateway.tracing import traceparent_of

MAX_PAGE = 200
MAX_SEQ = 10**15


def _digits(value: object) -> object:
    """pydantic takes `1_0`, `+1` and `1.0` for numbers too."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("is not a whole number")
    return value


WHOLE = BeforeValidator(_digits)

ConversationPath = Annotated[
    str, Path(description="The conversation's id", json_schema_extra={"format": "uuid"})
]


def routes(gateway: Gateway) -> APIRouter:
    router = APIRouter(prefix="/v1/conversations/{conversation_id}")

    @router.post(
        "/messages",
        status_code=202,
        summary="Write a message",
        description="Acknowledged by the log when this returns. The same `client_message_id` with the same text is the same message.",
        response_model=MessageAccepted,
        responses=documented(400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 503),
        openapi_extra={"security": TOKEN_SECURITY, **body_of(SendMessage)},
    )
    async def write(request: Request, conversation_id: ConversationPath) -> Response:
        return await _write(gateway, request, conversation_id)

    @router.get(
        "/messages",
        summary="Read the history",
        response_model=History,
        responses=documented(401, 403, 404, 410, 422, 429, 503),
        openapi_extra={"security": TOKEN_SECURITY},
    )
    async def read_history(
        request: Request,
        conversation_id: ConversationPath,
        after: Annotated[
            int, Query(ge=0, le=MAX_SEQ, description=f"the last `seq` seen, 0 to {MAX_SEQ}"), WHOLE
        ] = 0,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description=f"1 to {MAX_PAGE}"), WHOLE] = 100,
    ) -> Response:
        grant, _ = await gateway.doorman.admit(request, bearer(request), conversation_id)
        gateway.read_rate.take(grant.conversation_id)
        await gateway.check_key(grant)
        entries, more = await gateway.threads.run(
            partial(_page, gateway, grant.conversation_id, after, limit)
        )
        messages = await gateway.masking.page(grant, entries)
        return _json({"messages": messages, "next": messages[-1]["seq"] if more else None}, 200)

    @router.post(
        "/feedback",
        status_code=202,
        summary="Say what a reply was worth",
        response_model=FeedbackAccepted,
        responses=documented(400, 401, 403, 404, 410, 413, 415, 422, 429, 503),
        openapi_extra={"security": TOKEN_SECURITY, **body_of(GiveFeedback)},
    )
    async def feedback(request: Request, conversation_id: ConversationPath) -> Response:
        return await _feedback(gateway, request, conversation_id)

    return router


def lean_route(gateway: Gateway) -> Route:
    """The same door as `write` above, to be put before it: nine of ten requests come here, and what FastAPI does for a
    route (dependencies, parameters, its own stack of contexts) costs more than all that this one has to do.
    """

    async def write(request: Request) -> Response:
        return await _write(gateway, request, request.path_params["conversation_id"])

    return Route("/v1/conversations/{conversation_id}/messages", write, methods=["POST"])


async def _write(gateway: Gateway, request: Request, conversation_id: str) -> Response:
    began = time.perf_counter()
    grant, view = await gateway.doorman.admit(request, bearer(request), conversation_id)
    gateway.message_rate.check(grant.conversation_id)
    body = await read(request, SendMessage)
    findings = gateway.masking.find(view, body.text)
    _fits(findings.masked(), "text", MAX_MESSAGE_CHARS)
    gateway.message_rate.check(grant.conversation_id)  # others may have come while this one was read
    wait = gateway.quota.take(grant.tenant, view.config.limits)
    if wait:
        raise too_many("messages", "the tenant's limits (messages_per_second, unsettled)", retry_after(wait))
    gateway.message_rate.take(grant.conversation_id)
    try:
        masked = await gateway.masking.write(
            grant, view, findings, named_id(grant.conversation_id, body.client_message_id)
        )
    except KeyErased as error:
        raise erased() from error
    # A number of the conversation's may be longer than one of this text.
    _fits(masked, "text", MAX_MESSAGE_CHARS)
    submission = Submission(
        grant=grant,
        tenant_version=view.version,
        client_message_id=body.client_message_id,
        text=masked.text,
        masked=masked.kinds,
        text_digest=text_digest(gateway.digest_key, grant.conversation_id, masked.text),
        received_at=gateway.deps.clock.now(),
        traceparent=traceparent_of(request),
    )
    try:
        message_id = await gateway.intake.submit(submission)
    except TextDiffers as error:
        raise Problem(
            409,
            "client_message_id: was used before with another text",
            FieldError(
                field="client_message_id", message="was used before", allowed="a new id for a new text"
            ),
        ) from error
    except KeyErased as error:
        raise erased() from error
    gateway.quota.accepted(grant.tenant)
    gateway.metrics.count_accepted(grant.tenant)
    gateway.metrics.seconds.observe(time.perf_counter() - began)
    return _json({"message_id": message_id}, 202)


async def _feedback(gateway: Gateway, request: Request, conversation_id: str) -> Response:
    grant, view = await gateway.doorman.admit(request, bearer(request), conversation_id)
    gateway.message_rate.check(grant.conversation_id)
    body = await read(request, GiveFeedback)
    findings = gateway.masking.find(view, body.comment or "")
    _fits(findings.masked(), "comment", MAX_COMMENT_CHARS)
    event_id = EventId(str(uuid4()))
    try:
        if not await gateway.threads.run(partial(_was_said, gateway, grant, ReplyId(body.reply_id))):
            raise Problem(
                404,
                "reply_id: this conversation has no such reply",
                FieldError(
                    field="reply_id",
                    message="is unknown",
                    allowed=GiveFeedback.model_fields["reply_id"].description,
                ),
            )
        gateway.message_rate.take(grant.conversation_id)
        masked = await gateway.masking.write(grant, view, findings, event_id)
        _fits(masked, "comment", MAX_COMMENT_CHARS)
        given = FeedbackGiven(
            reply_id=ReplyId(body.reply_id), score=body.score, comment=masked.text if body.comment else None
        )
        await gateway.write(view.version, grant, given, traceparent_of(request), event_id)
    except KeyErased as error:
        raise erased() from error
    return _json({"reply_id": body.reply_id}, 202)


def _was_said(gateway: Gateway, grant: Grant, reply_id: ReplyId) -> bool:
    """In a thread: whether the history has the reply; it was there before the customer got it. Raises `KeyErased`."""
    gateway.deps.keys.get(grant.tenant, grant.customer_id)  # without it nothing of the history can be read
    events = history(gateway.deps.store, gateway.deps.codec, grant.conversation_id)
    bodies = (event.body for _, _, event in events if event is not None)
    return any(isinstance(body, ReplyReady) and body.reply_id == reply_id for body in bodies)


def _fits(masked: Masked, field: str, max_chars: int) -> None:
    """Placeholders may be longer than what they stand for."""
    if len(masked.text) > max_chars:
        raise invalid(
            field, "is too long once personal data is masked", f"at most {max_chars} characters then"
        )


def _page(
    gateway: Gateway, conversation_id: ConversationId, after: int, limit: int
) -> tuple[list[Fields], bool]:
    """In a thread: a page, and whether there is more. Events that are no messages are passed over, so that a page is never empty
    before the end.
    """
    messages: list[Fields] = []
    for _, _, event in history(gateway.deps.store, gateway.deps.codec, conversation_id, after):
        entry = history_entry(event) if event is not None else None
        if entry is None:
            continue
        if len(messages) == limit:
            return messages, True
        messages.append(entry)
    return messages, False


def _json(value: object, status: int) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
