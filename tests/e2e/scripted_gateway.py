"""A gateway that does what a test tells it: it cuts answers, holds them back, refuses, and sends any frames.

It serves the widget's own files and a site of three pages. The site is on `127.0.0.1` and the widget on `localhost`: two
origins, as at a customer's, under the Content-Security-Policy that docs/widget.md asks for.
"""

import json
import queue
import re
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WIDGET = ROOT / "connectors" / "web" / "widget"
TENANT, KEY = "bank", "pk_test"
#: When everything here happens, for the gateway and for the browser: a test must not depend on the day it runs on.
NOW = "2026-11-24T09:00:00.000Z"

SETTINGS = {
    "tenant": TENANT,
    "name": {"en": "Alder Bank", "zh": "安德银行"},
    "assistant": {
        "name": {"en": "Alder Assistant", "zh": "安德小助手"},
        "greeting": {"en": "Hello!", "zh": "您好！"},
        "suggestions": {"en": ["What does it cost?", "I lost my card"], "zh": ["多少钱？"]},
    },
    "languages": ["en", "zh"],
    "default_language": "en",
}
PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/site.css">
<script async src="{widget}/widget.js" data-tenant="bank" data-key="pk_test" {attributes}></script></head>
<body><main><h1>{name}</h1><div>Text</div><a id="next" href="/second">next</a></main></body></html>"""

Answer = Callable[["Handler", dict[str, Any]], None]
Frame = dict[str, Any]


class Gateway:
    """What a test reads is `calls` and `posts`; what it sets is the rest."""

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.gateway = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._lock = threading.Lock()
        self._streams: dict[queue.Queue[Frame | None], str] = {}
        #: Frames with a `seq`, by conversation; `ready` comes by itself.
        self.logs: dict[str, list[Frame]] = {}
        #: "METHOD /path" of every request to the API, and the bodies of what was posted to `…/messages`.
        self.calls: list[str] = []
        self.posts: list[dict[str, Any]] = []
        #: How the next posts are answered; afterwards they are accepted.
        self.answers: list[Answer] = []
        #: Unset, it holds back `GET /v1/widget`, or every `POST /v1/conversations`.
        self.settings_go, self.begin_go = threading.Event(), threading.Event()
        self.settings_go.set()
        self.begin_go.set()
        self.settings: Mapping[str, object] = SETTINGS
        #: With which status event streams are refused; 0: they are not.
        self.away = 0
        self.css = ""
        self.attributes = ""
        self.lang = "en"

    def __enter__(self) -> "Gateway":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.settings_go.set()
        self.begin_go.set()
        self.cut()
        self._server.shutdown()
        self._server.server_close()

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def widget(self) -> str:
        return f"http://localhost:{self._server.server_port}"

    @property
    def policy(self) -> str:
        """The header of docs/widget.md, for this host."""
        found = re.search(r"Content-Security-Policy: (.+)", (ROOT / "docs" / "widget.md").read_text("utf-8"))
        assert found is not None
        asked = found[1].replace("https://HOST", self.widget)
        return f"default-src 'none'; style-src 'self'; base-uri 'none'; {asked}"

    def page(self, name: str) -> str:
        return PAGE.format(lang=self.lang, name=name, widget=self.widget, attributes=self.attributes)

    # --- The conversation ---------------------------------------------------------------------------------------------

    def begin(self) -> str:
        with self._lock:
            conversation = f"c{len(self.logs) + 1}"
            self.logs[conversation] = []
        return conversation

    def say(self, frame: Frame, conversation: str = "c1") -> Frame:
        """Write the frame to the log if it is of a kind that has a `seq`, and send it to whoever listens."""
        with self._lock:
            if frame["type"] in ("message", "reply", "owner", "closed"):
                log = self.logs[conversation]
                frame = {"seq": len(log) + 1, "epoch": 1, **frame}
                log.append(frame)
            for stream in [stream for stream, of in self._streams.items() if of == conversation]:
                stream.put(frame)
        return frame

    def listen(self, conversation: str, after: int) -> queue.Queue[Frame | None]:
        """A stream of what was missed, `ready`, and what happens from now on; None ends it."""
        stream: queue.Queue[Frame | None] = queue.Queue()
        with self._lock:
            log = self.logs.get(conversation, [])
            for frame in log[after:]:
                stream.put(frame)
            stream.put({"type": "ready", "seq": len(log), "epoch": 1 if log else 0})
            self._streams[stream] = conversation
        return stream

    def cut(self) -> None:
        """End every stream."""
        with self._lock:
            streams, self._streams = self._streams, {}
        for stream in streams:
            stream.put(None)


def message_id(body: Mapping[str, Any]) -> str:
    return f"m-{body['client_message_id']}"


def customer(text: str, at: str = NOW, ident: str = "m-old") -> Frame:
    return {"type": "message", "message_id": ident, "from": "customer", "text": text, "at": at}


def reply(
    text: str, answers: tuple[str, ...] = (), at: str = "2026-11-24T09:00:01.000Z", **more: Any
) -> Frame:
    reply_id = f"r-{at}-{text[:20]}"
    return {
        "type": "reply", "reply_id": reply_id, "kind": "answer", "answers": list(answers), "text": text, "citations": [],
        "offer_human": False, "language": "en", "at": at, **more,
    }  # fmt: skip


def delta(index: int, text: str, attempt: str = "a", epoch: int = 1) -> Frame:
    return {
        "type": "delta", "generation_id": "g", "attempt": attempt, "epoch": epoch, "index": index, "text": text,
    }  # fmt: skip


# --- Ways to answer a post --------------------------------------------------------------------------------------------


def accept(handler: "Handler", body: dict[str, Any]) -> None:
    log(handler, body)
    handler.json(202, {"message_id": message_id(body)})


def log(handler: "Handler", body: dict[str, Any]) -> None:
    """The message stands in the log, once, whatever becomes of the answer."""
    gateway, conversation = handler.gateway, handler.conversation
    if all(frame.get("message_id") != message_id(body) for frame in gateway.logs[conversation]):
        gateway.say(customer(body["text"], ident=message_id(body)), conversation)


def cut_off(handler: "Handler", body: dict[str, Any]) -> None:
    """202 and its headers, then nothing: the connection is gone."""
    log(handler, body)
    handler.send_response(202)
    handler.allow()
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "60")
    handler.end_headers()
    handler.wfile.write(b'{"message')
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def refuse(status: int, retry_after: int | None = None) -> Answer:
    def answer(handler: "Handler", body: dict[str, Any]) -> None:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        problem = {
            "type": "urn:parley:problem:test",
            "title": "Refused",
            "status": status,
            "detail": "for a test",
        }
        handler.json(status, problem, headers)

    return answer


def hold(until: threading.Event) -> Answer:
    """Accepted and in the log at once, but answered only then."""

    def answer(handler: "Handler", body: dict[str, Any]) -> None:
        log(handler, body)
        until.wait(30)
        handler.json(202, {"message_id": message_id(body)})

    return answer


# --- HTTP -------------------------------------------------------------------------------------------------------------


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    gateway: Gateway

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Browsers leave whenever they like."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    @property
    def gateway(self) -> Gateway:
        return self.server.gateway

    @property
    def conversation(self) -> str:
        return self.path.split("/")[3]

    def do_OPTIONS(self) -> None:
        self.send_response(204)
        self.allow()
        self.send_header("Access-Control-Allow-Methods", "GET, POST")
        self.send_header(
            "Access-Control-Allow-Headers",
            "Authorization, Content-Type, Last-Event-ID, X-Widget-Key, traceparent",
        )
        self.end_headers()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/v1/"):
            self.gateway.calls.append(f"GET {path}")
        if path == "/v1/widget":
            self.gateway.settings_go.wait(30)
            return self.json(200, self.gateway.settings)
        if path.endswith("/events"):
            return self.events()
        if path == "/widget.js" or path.startswith("/widget/"):
            return self.content(
                "text/javascript; charset=utf-8", (WIDGET / path.rpartition("/")[2]).read_bytes()
            )
        if path == "/site.css":
            return self.content("text/css; charset=utf-8", self.gateway.css.encode())
        name = {"/": "First", "/second": "Second", "/third": "Third"}.get(path)
        if name is None:
            return self.content("text/plain", b"", 404)
        self.content("text/html; charset=utf-8", self.gateway.page(name).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.gateway.calls.append(f"POST {self.path}")
        if self.path == "/v1/conversations":
            self.gateway.begin_go.wait(30)
            conversation = self.gateway.begin()
            return self.json(201, {"conversation_id": conversation, "token": f"t-{conversation}"})
        if self.path.endswith("/feedback"):
            return self.json(202, {"reply_id": body["reply_id"]})
        self.gateway.posts.append({**body, "conversation": self.conversation})
        answer = self.gateway.answers.pop(0) if self.gateway.answers else accept
        answer(self, body)

    def events(self) -> None:
        if self.gateway.away:
            return self.json(self.gateway.away, {"title": "away", "status": self.gateway.away})
        last = self.headers.get("Last-Event-ID") or "0.0"
        stream = self.gateway.listen(self.conversation, int(last.partition(".")[0]))
        self.send_response(200)
        self.allow()
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        while (frame := stream.get()) is not None:
            ident = f"id: {frame['seq']}.{frame['epoch']}\n" if "seq" in frame else ""
            self.wfile.write(f"event: {frame['type']}\n{ident}data: {json.dumps(frame)}\n\n".encode())
            self.wfile.flush()
        self.close_connection = True

    def allow(self) -> None:
        if "Origin" in self.headers:
            self.send_header("Access-Control-Allow-Origin", self.headers["Origin"])
            self.send_header("Access-Control-Expose-Headers", "Retry-After")

    def json(self, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
        self.content("application/json", json.dumps(value).encode(), status, headers)

    def content(
        self, media_type: str, content: bytes, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.allow()
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", self.gateway.policy)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """The tests' own output is enough."""
