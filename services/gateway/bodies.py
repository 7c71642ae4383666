"""Request bodies: what they may hold, how they are read within their limit, and what is said when they are wrong."""

import json
import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.requests import Request

from schemas.base import MAX_MESSAGE_CHARS, TENANT_PATTERN
from services.gateway.problems import FieldError, Problem

MAX_BODY_BYTES = 65_536
MAX_COMMENT_CHARS = 2_000
LANGUAGE_TAG = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"
"""What a client may ask for as a language (after BCP 47)."""

# White space, controls and characters that show nothing by themselves (joiners, marks of direction, soft hyphen); the
# inside of a character class, in the spelling that Python's and JavaScript's regular expressions share.
_INVISIBLE = (
    r"\s\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
_NOTHING_VISIBLE = re.compile(rf"[{_INVISIBLE}]*")
VISIBLE_TEXT_PATTERN = rf"^[^\u0000]*[^{_INVISIBLE}][^\u0000]*$"
"""What `SendMessage.text` must match, for the OpenAPI document; the code says more clearly what is wrong."""


def writable(text: str) -> str:
    """PostgreSQL takes no NUL. Raises `ValueError`."""
    if "\x00" in text:
        raise ValueError("contains NUL (U+0000)")
    return text


def _visible(text: str) -> str:
    if _NOTHING_VISIBLE.fullmatch(text):
        raise ValueError("is empty or only white space")
    return text


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):  # in Python True equals 1, in JSON it does not
        raise ValueError("is a boolean")  # noqa: TRY004 (pydantic collects ValueError only)
    return value


class RequestBody(BaseModel):
    """Strict: no unknown field, no conversion of types. Each field's description says what is allowed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class StartConversation(RequestBody):
    tenant: Annotated[str, Field(pattern=TENANT_PATTERN, description="a tenant's id, such as bank")]
    language: Annotated[
        str | None,
        Field(
            pattern=LANGUAGE_TAG,
            description="a language tag such as en or zh-Hans, or null",
        ),
    ] = None


class SendMessage(RequestBody):
    client_message_id: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9._:-]{1,64}$",
            description="1 to 64 letters, digits and . _ : -; the same id again is the same message",
        ),
    ]
    text: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_MESSAGE_CHARS,
            description=f"1 to {MAX_MESSAGE_CHARS} characters, not only white space, no NUL",
        ),
        AfterValidator(writable),
        AfterValidator(_visible),
    ]


class GiveFeedback(RequestBody):
    reply_id: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$", description="the id of a reply of this conversation")
    ]
    score: Annotated[Literal[-1, 1], BeforeValidator(_no_boolean), Field(description="-1 or 1")]
    comment: Annotated[
        Annotated[str, Field(max_length=MAX_COMMENT_CHARS), AfterValidator(writable)] | None,
        Field(description=f"at most {MAX_COMMENT_CHARS} characters, no NUL, or null"),
    ] = None


B = TypeVar("B", bound=RequestBody)


async def read(request: Request, kind: type[B]) -> B:
    """The request's body as `kind`. Raises `Problem` 400, 413, 415 or 422."""
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Problem(
            415,
            "Content-Type: must be application/json",
            FieldError(field="Content-Type", message="is not JSON", allowed="application/json"),
        )
    return parse(await _limited(request), kind)


async def _limited(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MAX_BODY_BYTES:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise _too_large()
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large() -> Problem:
    allowed = f"at most {MAX_BODY_BYTES} bytes"
    return Problem(
        413,
        f"the body is too large; allowed: {allowed}",
        FieldError(field="body", message="is too large", allowed=allowed),
    )


def parse(raw: bytes, kind: type[B]) -> B:
    """Raises `Problem` 400 for what is no JSON, 422 for what is JSON but not `kind`."""
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        if error.errors(include_url=False, include_input=False)[0]["type"] != "json_invalid":
            raise refusal(error, kind) from error
    # The strict parser names no field for a lone surrogate; the standard library's reads it, so that the field can.
    try:
        return kind.model_validate(_lenient(raw))
    except ValidationError as error:
        raise refusal(error, kind) from error


def _lenient(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        where = (
            f"line {error.lineno} column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else "the body"
        )
        raise Problem(
            400,
            "the body is not JSON in UTF-8",
            FieldError(
                field="body", message=f"cannot be read at {where}", allowed="one JSON object in UTF-8"
            ),
        ) from error


def refusal(error: ValidationError, kind: type[RequestBody]) -> Problem:
    """422 with a line for each field that is wrong; never quotes what was sent."""
    problems = []
    for found in error.errors(include_url=False, include_input=False):
        field = str(found["loc"][0]) if found["loc"] else "body"
        if found["type"] == "extra_forbidden":
            problem = FieldError(
                field=_name(field), message="unknown field", allowed=", ".join(kind.model_fields)
            )
        elif field in kind.model_fields:
            problem = FieldError(
                field=field,
                message=_message(found["type"], found["msg"]),
                allowed=kind.model_fields[field].description,
            )
        else:
            no_object = found["type"] in ("model_type", "dict_type")
            message = "is no JSON object" if no_object else _message(found["type"], found["msg"])
            problem = FieldError(field="body", message=message, allowed="one JSON object")
        problems.append(problem)
    return Problem(422, "; ".join(f"{p.field}: {p.message}" for p in problems[:5]), *problems[:20])


def _message(kind: str, text: str) -> str:
    if kind == "string_unicode":
        return "contains a lone surrogate (half a character)"
    return plain(text)


def plain(message: str) -> str:
    """pydantic's words without its preface to ours."""
    return message.removeprefix("Value error, ")


def _name(field: str) -> str:
    """An unknown field's name as it can be shown: a customer may have written anything there."""
    return field if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", field) else "(unprintable)"
