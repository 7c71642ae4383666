"""The real gateway with its demo pages, whose calls are played by a script: which frames come, and when, a test says."""

import asyncio
import json
import queue
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from services.gateway import GatewayServer
from tests.support.doors import open_doors, running

Frame = dict[str, Any]
#: Kinds of frames that are kept and have a `seq`; a segment is of the moment.
KEPT = ("message", "read", "suggestion", "state", "owner", "closed", "analysis")


class ScriptedCalls:
    """`POST /demo/{tenant}/calls` and `GET /v1/calls/{id}/events`, answered as told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: dict[queue.Queue[Frame | None], str] = {}
        self.url = ""
        #: Bodies of what was asked for; frames with a `seq` by conversation; where each stream went on.
        self.asked: list[dict[str, Any]] = []
        self.logs: dict[str, list[Frame]] = {}
        self.resumed: list[str] = []
        #: How the next call is refused, and event streams are; None: they are not.
        self.refusal: tuple[int, Frame] | None = None
        self.away: int | None = None

    def routes(self) -> list[Route]:
        return [
            Route("/demo/{tenant}/calls", self._begin, methods=["POST"]),
            Route("/v1/calls/{conversation_id}/events", self._events),
        ]

    def say(self, frame: Frame) -> None:
        """To the latest call: kept under the next `seq` if it is of a kind that has one."""
        with self._lock:
            call = f"c{len(self.logs)}"
            if frame["type"] in KEPT:
                frame = {**frame, "seq": len(self.logs[call]) + 1}
                self.logs[call].append(frame)
            for stream in [stream for stream, of in self._streams.items() if of == call]:
                stream.put(frame)

    def cut(self) -> None:
        """End every stream."""
        with self._lock:
            streams, self._streams = self._streams, {}
        for stream in streams:
            stream.put(None)

    async def _begin(self, request: Request) -> Response:
        self.asked.append({"tenant": request.path_params["tenant"], **await request.json()})
        if self.refusal is not None:
            status, problem = self.refusal
            return JSONResponse(problem, status, media_type="application/problem+json")
        with self._lock:
            call = f"c{len(self.logs) + 1}"
            self.logs[call] = []
        return JSONResponse({"conversation_id": call, "token": f"t-{call}"}, 201)

    async def _events(self, request: Request) -> Response:
        call = request.path_params["conversation_id"]
        if request.headers.get("authorization") != f"Bearer t-{call}":
            return Response(status_code=401)
        if self.away is not None:
            return Response(status_code=self.away)
        self.resumed.append(request.headers.get("last-event-id", ""))
        stream = self._listen(call, int(self.resumed[-1] or 0))
        return StreamingResponse(_sse(stream), media_type="text/event-stream")

    def _listen(self, call: str, after: int) -> queue.Queue[Frame | None]:
        """What was missed, `ready`, and what happens from now on; None ends it."""
        stream: queue.Queue[Frame | None] = queue.Queue()
        with self._lock:
            for frame in self.logs[call][after:]:
                stream.put(frame)
            stream.put({"type": "ready", "seq": len(self.logs[call])})
            self._streams[stream] = call
        return stream


async def _sse(stream: queue.Queue[Frame | None]) -> AsyncIterator[str]:
    while (frame := await asyncio.to_thread(stream.get)) is not None:
        ident = f"id: {frame['seq']}\n" if "seq" in frame else ""
        yield f"{ident}data: {json.dumps(frame, ensure_ascii=False)}\n\n"


@contextmanager
def scripted_calls(home: Path) -> Iterator[ScriptedCalls]:
    calls = ScriptedCalls()
    with open_doors(home) as doors:
        doors.app.router.routes[:0] = calls.routes()
        with running(GatewayServer(doors.app, "127.0.0.1", 0)) as server:
            calls.url = server.url
            try:
                yield calls
            finally:
                calls.cut()


# --- Frames -----------------------------------------------------------------------------------------------------------


def segment(message_id: str, text: str, start_ms: int = 1_000, *, final: bool = False, **more: Any) -> Frame:
    return {
        "type": "segment", "segment_id": f"s-{message_id}", "message_id": message_id, "speaker": "customer", "text": text,
        "final": final, "start_ms": start_ms, "end_ms": start_ms + 1_500, **more,
    }  # fmt: skip


def message(message_id: str, text: str, start_ms: int = 1_000, **more: Any) -> Frame:
    return {
        "type": "message", "message_id": message_id, "from": "customer", "text": text, "start_ms": start_ms,
        "end_ms": start_ms + 2_000, **more,
    }  # fmt: skip


def agent(message_id: str, text: str, start_ms: int, name: str = "Aoife Nolan") -> Frame:
    return message(message_id, text, start_ms, **{"from": "human_agent", "name": name})


def reading(
    message_id: str,
    intent: str = "card_lost",
    probability: float = 0.98,
    title: str = "Lost card",
    **more: Any,
) -> Frame:
    intents = [{"intent": intent, "title": title, "probability": probability}]
    return {
        "type": "read", "message_id": message_id, "language": "en", "intents": intents, "risks": [], "entities": [], **more,
    }  # fmt: skip


def suggestion(answers: str, text: str, *sources: str, next_articles: tuple[str, ...] = ()) -> Frame:
    return {
        "type": "suggestion", "answers": answers, "text": text, "citations": [_article(each) for each in sources],
        "next_articles": [_article(each) for each in next_articles],
    }  # fmt: skip


def analysis(**more: Any) -> Frame:
    found = {
        "language": "en", "summary": "A stolen card was blocked.",
        "topics": [{"label": "Lost card", "intent": "card_lost", "share": 0.5, "seqs": [1]}],
        "promises": [{"by": "human_agent", "text": "I'll order the new card", "seq": 2, "due": "2026-11-27"}],
        "sentiment": {
            "turns": [{"seq": 1, "score": -0.6}, {"seq": 3, "score": 0.7}],
            "customer": 0.1, "customer_began": -0.6, "customer_ended": 0.7,
        },
        "checks": [
            {"id": "greeting", "passed": True, "seq": 2}, {"id": "disclosure", "passed": False, "seq": None},
        ],
        "vendor": "parley", "product": "rules", "product_version": "1", **more,
    }  # fmt: skip
    return {"type": "analysis", "analysis": found}


def _article(name: str) -> Frame:
    return {"id": name, "title": name.replace("-", " ").capitalize(), "url": f"/demo/bank/help/{name}"}
