"""What doors over HTTP share: a body that is not read without end, a refusal in the gateway's own shape, and signed webhooks."""

import hashlib
import hmac
import json
from collections.abc import Mapping

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

FRESH_S = 300
"""A signature is good for so long, so that what somebody has recorded cannot be played again later."""


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
    body = {"type": "about:blank", "status": status, "detail": detail}
    return Response(json.dumps(body), status, headers, "application/problem+json")


def first_fault(error: ValidationError) -> str:
    """The first field that is wrong, and why; nothing of its value."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}"


def signature(secret: str, body: bytes, at: int) -> str:
    """`t=SECONDS,v1=HEX`: HMAC-SHA256 (RFC 2104) of `SECONDS.body`, as Stripe signs its webhooks. `at`: Unix time."""
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


def is_signed(secret: str, body: bytes, presented: str, now: float) -> bool:
    """Whether this is the body's signature, made within `FRESH_S` of now. Compared in constant time."""
    at = presented.partition(",")[0].removeprefix("t=")
    if not (at.isascii() and at.isdigit() and len(at) < 12 and abs(now - int(at)) <= FRESH_S):
        return False
    return hmac.compare_digest(signature(secret, body, int(at)).encode(), presented.encode())
