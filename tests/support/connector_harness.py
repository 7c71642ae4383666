"""A channel as its customers and its servers are, for the suite that every connector has to pass (tests/contract/test_connectors.py)."""

import json
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Protocol

import httpx
from prometheus_client import CollectorRegistry

import connectors
from connectors.examples.webhook import connector as webhook
from connectors.examples.webhook.connector import SIGNATURE
from connectors.kit import discovery
from connectors.kit.http import signature
from connectors.telegram.webhook import SECRET_HEADER, secret_of
from infra.dev.ground import free_ports
from schemas import parts
from services.gateway import GatewayServer, create_gateway
from tests.support.effectors import WITHIN_S, until
from tests.support.inference import running
from tests.support.small_tenant import TENANT
from tests.support.telegram import TOKEN, TelegramApi
from workers.wiring import Platform, build_worker

Fault = Literal["not_sent", "unsure", "refused", "gone"]


class Harness(Protocol):
    """`name` is the connector's folder, `channel` what its conversations are of."""

    name: str
    channel: parts.Channel
    #: Whether the customer sees a text while it is written.
    shows_making: bool

    def environment(self) -> Mapping[str, str]:
        """What the deployment's environment has for this connector."""

    def serving(self, on: Platform) -> Any:
        """A context in which the way in is open, if that is another process than the worker."""

    def write(self, chat: str, text: str, number: int, *, times: int = 1) -> None:
        """A customer writes, and the channel delivers it so often under one id. Returns once it was told that it was taken, each time."""

    def shown(self, chat: str) -> list[str]:
        """The texts that the customer has been sent, oldest first."""

    def making(self, chat: str) -> list[str]:
        """Every text in the making as it was shown, oldest first; empty for one that was taken back."""

    def breaks(self, chat: str, fault: Fault) -> None:
        """The next send into this chat meets it."""

    def nonsense(self) -> Iterator[Callable[[], int]]:
        """Deliveries that are none; each returns the status that it was refused with, or 0 where the channel has no such thing."""

    def close(self) -> None: ...


class TelegramHarness:
    """By long polling."""

    name = "telegram"
    channel: parts.Channel = "telegram"
    shows_making = True

    def __init__(self) -> None:
        self._api = TelegramApi.start()
        self._api.add_bot()
        self._known: set[int] = set()

    def environment(self) -> Mapping[str, str]:
        return {"PARLEY_TELEGRAM_TOKEN": TOKEN, "PARLEY_TELEGRAM_API_URL": self._api.base_url}

    @contextmanager
    def serving(self, on: Platform) -> Iterator[None]:
        yield  # the worker asks for updates

    def write(self, chat: str, text: str, number: int, *, times: int = 1) -> None:
        if int(chat) not in self._known:
            self._known.add(self._api.add_private_chat(int(chat), language_code="en"))
        if times > 1:
            self._api.deliver_twice(1)
        self._api.say(int(chat), text)
        until(lambda: self._api.pending() == [])

    def shown(self, chat: str) -> list[str]:
        return [each.text for each in self._api.messages(int(chat)) if each.by_bot]

    def making(self, chat: str) -> list[str]:
        return [each.text for each in self._api.drafts(int(chat))]

    def breaks(self, chat: str, fault: Fault) -> None:
        if fault == "gone":
            self._api.block(int(chat))
            return
        rules: dict[str, dict[str, Any]] = {
            "not_sent": {"do": "429", "retry_after": 1},
            "unsure": {"do": "cut_after"},
            "refused": {"do": "error", "error_code": 400, "description": "Bad Request: whatever"},
        }
        self._api.set_faults({"method": "sendMessage", "chat_id": int(chat), "times": 1, **rules[fault]})

    def nonsense(self) -> Iterator[Callable[[], int]]:
        def inject(update: dict[str, Any]) -> Callable[[], int]:
            def deliver() -> int:
                self._api.inject(update)
                until(lambda: self._api.pending() == [])
                return 0

            return deliver

        yield inject({"poll": {"id": "1"}})
        yield inject({"message": {"message_id": 1, "date": 1, "chat": {"id": 9, "type": "private"}}})

    def close(self) -> None:
        self._api.stop()


class TelegramWebhookHarness(TelegramHarness):
    """By the webhook at the gateway."""

    def __init__(self) -> None:
        super().__init__()
        self._api.set_backoff(0.05, 0.2)
        self._port = free_ports(1)[0]
        self._secret = ""

    def environment(self) -> Mapping[str, str]:
        url = f"http://127.0.0.1:{self._port}"
        return {**super().environment(), "PARLEY_TELEGRAM_WEBHOOK": "true", "PARLEY_PUBLIC_URL": url}

    @contextmanager
    def serving(self, on: Platform) -> Iterator[None]:
        self._secret = secret_of(on.settings.signing_secret(), TENANT)
        with gateway(on, self._port):
            yield

    def nonsense(self) -> Iterator[Callable[[], int]]:
        ours = {SECRET_HEADER: self._secret}
        url = f"http://127.0.0.1:{self._port}/telegram/"
        good = json.dumps({"update_id": 1, "poll": {"id": "1"}}).encode()

        def posted(content: bytes, headers: dict[str, str] = ours, tenant: str = TENANT) -> Callable[[], int]:
            return lambda: httpx.post(url + tenant, content=content, headers=headers).status_code

        yield posted(good, {})
        yield posted(good, {SECRET_HEADER: self._secret[:-1]})
        yield posted(good, tenant="nobody")
        for body in (b"", b"[]", b"{}", b'{"update_id": "x"}', b"\xff", b"{" * 5_000):
            yield posted(body)
        yield posted(b"x" * (2 << 20))
        yield lambda: httpx.get(url + TENANT, headers=ours).status_code


class WebhookHarness:
    name = "webhook"
    channel: parts.Channel = "api"
    shows_making = False
    SECRET = "w" * 40
    PATH = "/hooks/bank"

    def __init__(self) -> None:
        harness = self
        self._faults: dict[str, deque[Fault]] = {}
        self._shown: dict[str, list[str]] = {}
        self._url = ""

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                at = int(self.headers[SIGNATURE].partition(",")[0].removeprefix("t="))
                assert self.headers[SIGNATURE] == signature(harness.SECRET, body, at)
                harness._receive(self, json.loads(body))

            def log_message(self, *_: object) -> None:
                """The tests' own output is enough."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def _receive(self, handler: BaseHTTPRequestHandler, said: dict[str, Any]) -> None:
        faults = self._faults.get(said["chat"])
        fault = faults.popleft() if faults else None
        statuses: dict[Fault | None, int] = {"not_sent": 429, "refused": 400, "gone": 410}
        if fault == "unsure" or fault is None:
            self._shown.setdefault(said["chat"], []).append(said["text"])
        if fault == "unsure":
            handler.connection.close()
            return
        handler.send_response(statuses.get(fault, 200))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def environment(self) -> Mapping[str, str]:
        url = f"http://127.0.0.1:{self._server.server_port}/"
        return {"PARLEY_WEBHOOK_URL": url, "PARLEY_WEBHOOK_SECRET": self.SECRET}

    @contextmanager
    def serving(self, on: Platform) -> Iterator[None]:
        with gateway(on) as url:
            self._url = f"{url}{self.PATH}"
            yield

    def write(self, chat: str, text: str, number: int, *, times: int = 1) -> None:
        body = json.dumps({"chat": chat, "id": f"{chat}-{number}", "text": text, "language": "en"}).encode()
        for _ in range(times):
            assert self._post(body) == 202

    def _post(self, body: bytes, secret: str = SECRET, age_s: int = 0) -> int:
        headers = {SIGNATURE: signature(secret, body, int(time.time()) - age_s)}
        return httpx.post(self._url, content=body, headers=headers).status_code

    def shown(self, chat: str) -> list[str]:
        return self._shown.get(chat, [])

    def making(self, chat: str) -> list[str]:
        return []

    def breaks(self, chat: str, fault: Fault) -> None:
        self._faults.setdefault(chat, deque()).append(fault)

    def nonsense(self) -> Iterator[Callable[[], int]]:
        good = json.dumps({"chat": "9", "id": "1", "text": "hello"}).encode()
        yield lambda: self._post(good, "x" * 40)
        yield lambda: self._post(good, age_s=3_600)
        yield lambda: httpx.post(self._url, content=good).status_code
        for body in (b"", b"[]", b"{}", b'{"chat": "9", "id": "1", "text": ""}', b"\xff", b"{" * 5_000):
            yield lambda body=body: self._post(body)  # type: ignore[misc]  # a default is how a lambda keeps it
        for spoilt in ({"chat": "a\x00b"}, {"id": ""}, {"text": " \n"}, {"text": "x" * 5_000}, {"more": 1}):
            said = json.dumps({"chat": "9", "id": "1", "text": "hello"} | spoilt).encode()
            yield lambda body=said: self._post(body)  # type: ignore[misc]  # likewise
        yield lambda: self._post(b"x" * 100_000)
        yield lambda: httpx.post(self._url.replace("bank", "nobody"), content=good).status_code

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class CopiedHarness(WebhookHarness):
    """The example as somebody copies it for a channel of their own: another folder, another channel, address and settings. It is nowhere in
    the repository, and nothing but its folder tells the platform of it.
    """

    name = "pigeon"
    channel: parts.Channel = "pigeon-post"
    PATH = "/pigeons/bank"

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        original = Path(webhook.__file__)
        copy = Path(self._folder.name) / self.name
        copy.mkdir()
        (copy / "__init__.py").touch()
        text = original.read_text(encoding="utf-8")
        for line, other in (
            ('CHANNEL: parts.Channel = "api"', f'CHANNEL: parts.Channel = "{self.channel}"'),
            ('PATH = "/hooks/{tenant}"', 'PATH = "/pigeons/{tenant}"'),
            ('SETTINGS = "PARLEY_WEBHOOK_"', 'SETTINGS = "PARLEY_PIGEON_"'),
        ):
            assert line in text
            text = text.replace(line, other)
        (copy / original.name).write_text(text, encoding="utf-8")
        connectors.__path__.append(self._folder.name)
        discovery.found.cache_clear()

    def environment(self) -> Mapping[str, str]:
        return {name.replace("WEBHOOK", "PIGEON"): value for name, value in super().environment().items()}

    def close(self) -> None:
        super().close()
        connectors.__path__.remove(self._folder.name)
        for module in [each for each in sys.modules if each.startswith(f"connectors.{self.name}")]:
            del sys.modules[module]
        discovery.found.cache_clear()
        self._folder.cleanup()


@contextmanager
def gateway(on: Platform, port: int = 0) -> Iterator[str]:
    """Its address."""
    own = replace(on, registry=CollectorRegistry())  # a gateway's metrics are registered once
    server = GatewayServer(create_gateway(own), "127.0.0.1", port)
    server.start()
    server.wait_ready()
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def working(on: Platform, harness: Harness) -> Iterator[None]:
    """The connector's worker runs. Stopped at the end; what ended it is raised."""
    with harness.serving(on), running(build_worker(harness.name, on), 3 * WITHIN_S):
        yield
