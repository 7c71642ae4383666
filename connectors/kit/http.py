"""What doors over HTTP share: a body that is not read without end, a refusal in the gateway's own shape and what is refused everywhere, their
part of the OpenAPI document, and signed webhooks. A body that is left unread closes its connection; the gateway sees to that.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from connectors.kit.inbox import IdReused, MessageTooLong, TooMany
from parley.errors import TransientError, UnknownTenant
from parley.runtime.limits import retry_after

Endpoint = Callable[[Request], Awaitable[Response]]
M = TypeVar("M", bound=BaseModel)

PROBLEM = "application/problem+json"
AGAIN_S = 5

FRESH_S = 300
"""A signature is good for so long, so that what somebody has recorded cannot be played again later."""


class Denied(Exception):
    """A request that is answered with this status, and why."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def refusing(handler: Endpoint) -> Endpoint:
    """The handler, with what it raises said as an answer: `Denied`, 422 for a text that is too long, 409 for an id that stands for another one, 429
    and 503 for what is to be delivered again.
    """

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except Denied as error:
            return problem(error.status, str(error))
        except MessageTooLong as error:
            return problem(422, str(error))
        except IdReused as error:
            return problem(409, str(error))
        except (TransientError, UnknownTenant, TooMany) as error:
            return again(error)

    return answered


async def body_of(request: Request, most_bytes: int) -> bytes | None:
    """None for one that is larger, which is not read any further. Raises `ClientDisconnect`."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most_bytes:
            return None
        parts.append(part)
    return b"".join(parts)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """RFC 9457."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [],
    }
    return Response(json.dumps(body), status, headers, PROBLEM)


def again(error: TransientError | UnknownTenant | TooMany) -> Response:
    """What could not be taken just now, and is to be delivered again."""
    if isinstance(error, TooMany):
        return problem(429, str(error), {"Retry-After": str(retry_after(error.retry_after_s))})
    return problem(503, "this cannot be taken just now; send it again", {"Retry-After": str(AGAIN_S)})


def operation(
    summary: str,
    *,
    header: str,
    body: Mapping[str, Any],
    taken: Mapping[int, str],
    refused: Mapping[int, str],
) -> dict[str, Any]:
    """A door's path in OpenAPI 3.1: a POST of JSON by whoever has the secret that the header proves. `taken` and `refused` say why each
    status is answered; 401, 405, 413, 429 and 503 are every door's.
    """
    everywhere = {
        401: f"{header} is missing or wrong",
        405: "Another method than POST",
        413: "The body is too large",
        429: "The chat or the tenant writes too much: again after `Retry-After`",
        503: "It cannot be taken just now: again after `Retry-After`",
    }
    answers: dict[str, Any] = {str(status): {"description": why} for status, why in taken.items()}
    schema = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, why in sorted((everywhere | dict(refused)).items()):
        answers[str(status)] = {"description": why, "content": schema}
    tenant = {"name": "tenant", "in": "path", "required": True, "schema": {"type": "string"}}
    proof = {"name": header, "in": "header", "required": True, "schema": {"type": "string"}}
    content = {"application/json": {"schema": body}}
    return {
        "post": {
            "summary": summary,
            "tags": ["channels"],
            "parameters": [tenant, proof],
            "requestBody": {"required": True, "content": content},
            "responses": answers,
        }
    }


def first_fault(error: ValidationError) -> str:
    """The first field that is wrong, and why; nothing of its value."""
    first = error.errors(include_url=False, include_input=False)[0]
    why = "is not allowed" if first["type"] == "string_pattern_mismatch" else first["msg"]
    return f"{'.'.join(map(str, first['loc'])) or 'body'}: {why}"


def parsed(kind: type[M], raw: bytes) -> M:
    """The body as `kind`. Raises `Denied` 422 with the field, and what its description says is allowed."""
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        place = error.errors(include_url=False, include_input=False)[0]["loc"]
        field = kind.model_fields.get(str(place[0])) if place else None
        allowed = field.description if field is not None else f"JSON with {', '.join(kind.model_fields)}"
        raise Denied(422, f"{first_fault(error)}; allowed: {allowed}") from error


def signature(secret: str, body: bytes, at: int) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA256 (RFC 2104) of `SECONDS.body`, as Stripe signs its webhooks. `at`: Unix time."""
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


async def signed_body(request: Request, header: str, secret: str | None, most_bytes: int) -> bytes:
    """The body, which this header's signature is of; `secret` None: nobody here could have signed it. Without the one or the other nothing is
    read. Raises `Denied` 401 and 413, and `ClientDisconnect`.
    """
    presented = request.headers.get(header)
    body = await body_of(request, most_bytes) if secret and presented else b""
    if body is None:
        raise Denied(413, f"body: more than {most_bytes} bytes")
    if not (secret and presented and is_signed(secret, body, presented, time.time())):
        raise Denied(401, f"{header}: is missing, too old, or not of this body")
    return body


def is_signed(secret: str, body: bytes, presented: str, now: float) -> bool:
    """Whether this is the body's signature, made within `FRESH_S` of now. Compared in constant time."""
    at = presented.partition(",")[0].removeprefix("t=")
    if not (at.isascii() and at.isdigit() and len(at) < 12 and abs(now - int(at)) <= FRESH_S):
        return False
    return hmac.compare_digest(signature(secret, body, int(at)).encode(), presented.encode())
