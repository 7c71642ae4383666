"""A client of the gateway's event stream, as a browser's `fetch` sees it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

WAIT_S = 15.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of the stream; `comment` is set for comments instead."""

    name: str
    id: str | None
    data: dict[str, Any]
    comment: str | None = None


class EventReader:
    """Iterates over an open stream; ends when the server ends it."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()

    def __iter__(self) -> Iterator[Seen]:
        name, ident, data = "", None, ""
        for line in self._lines:
            field, _, value = line.partition(": ")
            if line.startswith(":"):
                yield Seen("", None, {}, comment=line[1:].strip())
            elif field == "event":
                name = value
            elif field == "id":
                ident = value
            elif field == "data":
                data += value
            elif not line and data:
                yield Seen(name, ident, json.loads(data))
                name, ident, data = "", None, ""

    def take(self, count: int) -> list[Seen]:
        """The next `count` events, comments not counted."""
        found: list[Seen] = []
        for seen in self:
            if seen.comment is None:
                found.append(seen)
            if len(found) == count:
                return found
        raise AssertionError(f"the stream ended after {len(found)} of {count} events")

    def until(self, name: str) -> list[Seen]:
        """Everything up to and with the first event of this name."""
        found: list[Seen] = []
        for seen in self:
            if seen.comment is None:
                found.append(seen)
            if seen.name == name:
                return found
        raise AssertionError(f"the stream ended without {name}: {[seen.name for seen in found]}")


@contextmanager
def event_stream(
    url: str, conversation_id: str, token: str, cursor: str | None = None
) -> Iterator[EventReader]:
    headers = {"Authorization": f"Bearer {token}"}
    if cursor is not None:
        headers["Last-Event-ID"] = cursor
    path = f"{url}/v1/conversations/{conversation_id}/events"
    with httpx.Client(timeout=WAIT_S) as client, client.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield EventReader(response)
