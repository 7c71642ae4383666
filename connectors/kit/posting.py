"""The way out of a channel that is reached by HTTP: one POST a message, and what its answer says became of it."""

from collections.abc import Mapping

import httpx

from connectors.kit.channel import Gone, NotSent, Refused, Unsure

WITHIN_S, CONNECT_WITHIN_S = 10.0, 3.0
"""Both together stay below `connectors.kit.channel.SEND_WITHIN_S`."""


def client() -> httpx.AsyncClient:
    """With as many connections as there are chats; its user closes it."""
    return httpx.AsyncClient(timeout=httpx.Timeout(WITHIN_S, connect=CONNECT_WITHIN_S), limits=httpx.Limits())


async def post(by: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
    """The answer of a receiver that took it (2xx). Raises `NotSent`, `Unsure`, `Refused` and, for 410, `Gone`."""
    try:
        answer = await by.post(url, content=body, headers=dict(headers))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise NotSent("the receiver is not reached") from error
    except httpx.HTTPError as error:
        raise Unsure("the receiver gave no answer") from error
    status = answer.status_code
    if status in (429, 503):
        raise NotSent(f"HTTP {status}", _seconds(answer.headers.get("Retry-After", "")))
    if status >= 500:
        raise Unsure(f"HTTP {status}")
    if not answer.is_success:
        raise (Gone if status == 410 else Refused)(f"HTTP {status}")
    return answer


def _seconds(wait: str) -> float | None:
    """None for a date, and for what is none of the two."""
    return float(wait) if wait.isascii() and wait.isdigit() else None
