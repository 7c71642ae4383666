"""A small real HTTP server that answers as it was told to: statuses, streams that break off, silence."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Answer:
    """`silent`: what was written is all that comes; the connection stays open until the other side closes it."""

    status: int = 200
    body: bytes = b""
    silent: bool = False


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class ScriptedServer:
    """Answers each path with its answers in turn, the last one again and again."""

    answers: dict[str, list[Answer]]
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    #: Connections that the other side left.
    left: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await _asked(reader)
            self.asked.append(asked)
            script = self.answers[asked.path]
            answer = script.pop(0) if len(script) > 1 else script[0]
            # Without a length and without chunks the body ends with the connection.
            writer.write(f"HTTP/1.1 {answer.status} X\r\nConnection: close\r\n\r\n".encode() + answer.body)
            await writer.drain()
            if answer.silent:
                await reader.read()
                self.left.put_nowait(asked.path)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _asked(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:]) if name}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, path, headers, json.loads(body) if body else {})


@asynccontextmanager
async def scripted(answers: dict[str, list[Answer]]) -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer(answers)
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


def said(*objects: object) -> bytes:
    """Server-sent events, without the last one."""
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in objects)


def told(status: int, body: object) -> Answer:
    return Answer(status, json.dumps(body).encode())


def words(
    *texts: str, finish: str | None = "stop", usage: tuple[int, int] | None = (11, 5)
) -> Iterable[object]:
    """The events of a completion of these words."""
    yield {"choices": [{"delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}
    for text in texts:
        yield {"choices": [{"delta": {"content": text}, "finish_reason": None}]}
    if finish is not None:
        yield {"choices": [{"delta": {}, "finish_reason": finish}]}
    if usage is not None:
        yield {"choices": [], "usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1]}}
