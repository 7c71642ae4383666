"""Two ways to hold a conversation from a program: within this process, or through a gateway's HTTP doors."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import uuid4

from parley.domain.masking import masker_of
from parley.domain.rights import CustomerRight, Owner
from parley.errors import ConfigurationError, GeneratorUnavailable, RequestRefused, TransientError
from parley.ids import new_traceparent
from parley.ports.bus import Record
from parley.runtime.publishing import publish
from parley.runtime.vault import Writing
from parley.settings import Settings
from schemas.base import Body, ConversationId, CustomerId, Envelope, Event, EventId, MessageId
from schemas.conversation_events import ConversationStarted, MessageReceived
from schemas.outbound import ReplyReady
from schemas.topics import CHAT_OUTBOUND

WAIT_S = 90.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A finished reply as people see it."""

    text: str
    kind: str
    citations: list[dict[str, str]] = field(default_factory=list)
    offer_human: bool = False

    def as_dict(self) -> dict[str, object]:
        return {
            "text": self.text,
            "kind": self.kind,
            "citations": self.citations,
            "offer_human": self.offer_human,
        }


class Talk(Protocol):
    greeting: str

    def ask(self, text: str) -> Reply: ...


class Throwaway:
    """The whole platform in this process: in-memory log, throw-away databases in `home`, one tenant, all workers in threads."""

    def __init__(self, folder: Path, home: Path) -> None:
        from parley.backends.tenant_folder import load
        from parley.cli import admin
        from parley.cli.tenants import import_version
        from workers.embedded import Embedded
        from workers.wiring import open_platform

        self.tenant = load(folder)
        settings = Settings.load(home=home, bus_url="memory:", database_url="", keys_url="")
        admin.upgrade(settings)
        with ExitStack() as opened:  # whatever was begun is stopped, also where it is interrupted half-way
            self.platform = open_platform(settings)
            opened.callback(self.platform.close)
            self.platform.bus.admin().apply(admin.specs(settings))
            import_version(self.platform, self.tenant)
            self.embedded = Embedded(self.platform)
            opened.callback(self.embedded.stop)
            self.embedded.start()
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._opened.close()


class LocalTalk:
    """A customer of a platform of its own."""

    def __init__(self, folder: Path, home: Path) -> None:
        with ExitStack() as opened:
            running = opened.enter_context(Throwaway(folder, home))
            self._platform, self._embedded, found = running.platform, running.embedded, running.tenant
            self._reader = self._platform.bus.reader([CHAT_OUTBOUND.name])
            opened.callback(self._reader.close)
            self._producer = self._platform.bus.producer()
            opened.callback(self._producer.close)
            self._opened = opened.pop_all()
        self._tenant = found.config.id
        self._version = found.version
        self._customer = CustomerId(str(uuid4()))
        self._conversation = ConversationId(str(uuid4()))
        self._owner = Owner(self._tenant, self._customer, self._conversation)
        self._privacy = found.config.privacy
        self._masker = masker_of(self._privacy.patterns)
        self._vault = self._platform.vault
        self.greeting = found.config.assistant.greeting[found.config.default_language]
        self._platform.keys.create(self._tenant, self._customer)
        self._send(ConversationStarted(channel="api"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._opened.close()

    def ask(self, text: str) -> Reply:
        """Raises `RequestRefused` for what no door would take, `GeneratorUnavailable` when no reply came in time."""
        message_id = MessageId(str(uuid4()))
        writing = Writing(self._owner, message_id, self._privacy, self._platform.clock.now())
        masked = self._vault.write(writing, self._masker.find(text))
        writable(masked.text)  # placeholders may be longer than what they stand for
        self._send(
            MessageReceived(message_id=message_id, text=masked.text, channel="api", masked=masked.kinds)
        )
        until = monotonic() + WAIT_S
        while monotonic() < until and self._embedded.failed is None:
            for record in self._reader.poll(0.5):
                reply = self._reply(record, message_id)
                if reply is not None:
                    return reply
        raise self._embedded.failed or GeneratorUnavailable(f"no reply within {WAIT_S:g} s")

    def _reply(self, record: Record, message_id: MessageId) -> Reply | None:
        event = self._platform.codec.decode(record)
        if not isinstance(event, Event) or not isinstance(event.body, ReplyReady):
            return None
        if message_id not in event.body.answers:
            return None
        sources = [citation.model_dump() for citation in event.body.citations]
        now = self._platform.clock.now()
        [text] = self._vault.reveal(CustomerRight(self._owner), self._owner, [event.body.text], now)
        return Reply(text, event.body.kind, sources, event.body.offer_human)

    def _send(self, body: Body) -> None:
        event_id = EventId(str(uuid4()))
        envelope = Envelope(
            event_id=event_id,
            type=body.event_type(),
            tenant=self._tenant,
            tenant_version=self._version,
            customer_id=self._customer,
            conversation_id=self._conversation,
            occurred_at=self._platform.clock.now(),
            traceparent=new_traceparent(event_id),
        )
        publish(self._producer, [self._platform.codec.encode(Event(envelope, body))])


class HttpTalk:
    """A client of a running gateway."""

    greeting = ""

    def __init__(self, url: str, tenant: str, key: str) -> None:
        import httpx

        if not key:
            raise ConfigurationError("--key: an API key is needed with --url (parley keys create --kind api)")
        self._url = url
        with _answering(url):
            self._http = httpx.Client(base_url=url.rstrip("/"), timeout=httpx.Timeout(10.0, read=WAIT_S))
            answer = self._http.post(
                "/v1/conversations", json={"tenant": tenant}, headers={"Authorization": f"Bearer {key}"}
            )
            started = _checked(answer)
            self._conversation = started["conversation_id"]
            self._headers = {"Authorization": f"Bearer {started['token']}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._http.close()

    def ask(self, text: str) -> Reply:
        """Raises `RequestRefused` with the gateway's own words, `TransientError` when it does not answer or the stream ends early."""
        path = f"/v1/conversations/{self._conversation}"
        with (
            _answering(self._url),
            self._http.stream("GET", f"{path}/events", headers=self._headers) as stream,
        ):
            if stream.is_error:
                stream.read()
                _checked(stream)
            sent = self._http.post(
                f"{path}/messages",
                json={"client_message_id": str(uuid4()), "text": text},
                headers=self._headers,
            )
            message_id = _checked(sent)["message_id"]
            for name, data in _frames(stream.iter_lines()):
                if name == "reply" and message_id in data["answers"]:
                    return Reply(data["text"], data["kind"], data["citations"], data["offer_human"])
        raise GeneratorUnavailable("the stream ended before the reply")


def writable(text: str) -> str:
    """The text, if a door would take it. Raises `RequestRefused` with what is allowed."""
    from pydantic import ValidationError

    from services.gateway.bodies import SendMessage, refusal

    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise RequestRefused("text: is not UTF-8") from error
    try:
        SendMessage(client_message_id="asked", text=text)
    except ValidationError as error:
        wrong = refusal(error, SendMessage).errors[0]
        raise RequestRefused(f"{wrong.field}: {wrong.message}; allowed: {wrong.allowed}") from error
    return text


@contextmanager
def _answering(url: str) -> Iterator[None]:
    """Raises `ConfigurationError` for what is no address, `TransientError` where nobody answers, `RequestRefused` where
    somebody does who is no gateway of ours.
    """
    import httpx

    try:
        yield
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise ConfigurationError(
            f"--url: {url!r} is no address; for example http://127.0.0.1:8080"
        ) from error
    except httpx.HTTPError as error:
        raise TransientError(f"{url} does not answer ({type(error).__name__})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RequestRefused(f"{url} answers, but not as a gateway of Parley does") from error


def _checked(response: Any) -> dict[str, Any]:
    """The answer's JSON. Raises `RequestRefused` in the gateway's words."""
    found: dict[str, Any] = response.json()
    if response.is_error:
        raise RequestRefused(f"HTTP {response.status_code}: {found['detail']}")
    return found


def _frames(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Server-sent events: the name and the parsed data of each."""
    name, data = "", ""
    for line in lines:
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data += line[5:].strip()
        elif not line and data:
            yield name, json.loads(data)
            name, data = "", ""
