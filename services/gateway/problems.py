"""Every refusal in one shape: `application/problem+json` (RFC 9457), and how it is documented. No rule of when to refuse."""

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

TITLES: Mapping[int, tuple[str, str]] = {
    400: ("malformed", "The request cannot be read"),
    401: ("unauthorized", "The credentials are missing or not valid"),
    403: ("forbidden", "This is not allowed"),
    404: ("not-found", "There is no such thing"),
    405: ("method-not-allowed", "This address has no such method"),
    408: ("timeout", "The request took too long"),
    409: ("conflict", "This id was used for something else"),
    410: ("gone", "This conversation was erased"),
    413: ("too-large", "The body is too large"),
    415: ("unsupported-media-type", "The body must be JSON"),
    422: ("invalid", "The request is not valid"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal", "Something went wrong here"),
    503: ("unavailable", "Not available just now"),
}


class FieldError(BaseModel):
    """One thing that is wrong: where, what, and what is allowed instead."""

    model_config = ConfigDict(frozen=True)

    field: str
    message: str
    allowed: str | None = None


class ProblemBody(BaseModel):
    """RFC 9457 with `errors`."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="urn:parley:problem:…, stable for programs")
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


class Problem(Exception):
    """Raised anywhere below a route; the application turns it into the response."""

    def __init__(
        self,
        status: int,
        detail: str,
        *errors: FieldError,
        headers: Mapping[str, str] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(retry_after_s)

    def response(self) -> Response:
        slug, title = TITLES[self.status]
        body = {
            "type": f"urn:parley:problem:{slug}",
            "title": title,
            "status": self.status,
            "detail": self.detail,
            "errors": [error.model_dump(exclude_none=True) for error in self.errors],
        }
        return Response(orjson.dumps(body), self.status, self.headers, MEDIA_TYPE)


def invalid(field: str, message: str, allowed: str | None = None) -> Problem:
    return Problem(422, f"{field}: {message}", FieldError(field=field, message=message, allowed=allowed))


def unavailable(detail: str, retry_after_s: int = 2) -> Problem:
    return Problem(503, detail, retry_after_s=retry_after_s)


def erased() -> Problem:
    return Problem(410, "this customer's data was erased; begin a new conversation")


def too_many(what: str, allowed: str, retry_after_s: int) -> Problem:
    return Problem(
        429,
        f"too many {what}",
        FieldError(field=what, message="too many", allowed=allowed),
        retry_after_s=retry_after_s,
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route for OpenAPI."""
    return {
        status: {
            "description": TITLES[status][1],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            **({"headers": {"Retry-After": _RETRY_AFTER}} if status in (429, 503) else {}),
        }
        for status in sorted({405, *statuses})
    }


_RETRY_AFTER = {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds to wait"}
