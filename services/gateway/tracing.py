"""The W3C trace context that a client may send along (https://www.w3.org/TR/trace-context/)."""

import re

from starlette.requests import HTTPConnection

from schemas.base import TRACEPARENT_PATTERN

_VALID = re.compile(TRACEPARENT_PATTERN)


def traceparent_of(request: HTTPConnection) -> str | None:
    """The client's trace context; a malformed one is ignored, as the standard asks (section 2.2)."""
    sent = request.headers.get("traceparent")
    return sent if sent is not None and _VALID.fullmatch(sent) else None
