"""Any program as a channel: it posts what customers write to `/hooks/{tenant}`, and is posted what they are to get. Both signed."""

import asyncio
import re
import time
from collections.abc import Sequence
from typing import Annotated, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.kit import posting
from connectors.kit.channel import Doorway, Message, Opened, PlainChannel, Refused, correction_word
from connectors.kit.discovery import HttpDoor, Runs
from connectors.kit.http import operation, parsed, refusing, signature, signed_body
from connectors.kit.inbox import Inbox, Incoming
from connectors.kit.outbox import Outbox
from parley.errors import ConfigurationError
from parley.ports.channels import Chat
from schemas import parts
from schemas.base import MAX_MESSAGE_CHARS, AnyEvent, TenantId
from schemas.outbound import AgentMessage, AgentMessageEdited, ReplyReady
from schemas.tenant import TenantConfig

CHANNEL: parts.Channel = "api"
PATH = "/hooks/{tenant}"
SETTINGS = "PARLEY_WEBHOOK_"
"""These three and the folder's name are all that a copy has to change."""
SIGNATURE = "X-Parley-Signature"
MAX_BODY_BYTES = 64 << 10
Name = Annotated[
    str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,100}$", description="1 to 100 characters, no controls")
]
TEXT = f"1 to {MAX_MESSAGE_CHARS} characters, not only white space"


class WebhookSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=SETTINGS, frozen=True)
    #: Where replies are posted to; without it there is no such channel.
    url: str = ""
    tenant: str = "bank"
    secret: Annotated[str, Field(repr=False)] = ""

    @classmethod
    def checked(cls) -> Self:
        """Raises `ConfigurationError`."""
        found = cls()
        if re.fullmatch(r"https?://[^/\s]+(/\S*)?", found.url) is None:
            raise ConfigurationError(f"{SETTINGS}URL: must be an address, such as https://app.example/parley")
        if len(found.secret) < 32:
            raise ConfigurationError(f"{SETTINGS}SECRET: must have at least 32 characters")
        return found


class Written(BaseModel):
    """What a customer wrote; `id` is the sender's own name for it, the same at each repeat."""

    model_config = ConfigDict(extra="forbid")
    chat: Name
    id: Name
    text: Annotated[str, Field(max_length=MAX_MESSAGE_CHARS, pattern=r"[^\s\x00]", description=TEXT)]
    language: Annotated[str | None, Field(max_length=16, description="such as en or zh-Hans")] = None


class WebhookChannel(PlainChannel):
    """Implements `connectors.kit.channel.Channel`."""

    name = CHANNEL

    def __init__(self, settings: WebhookSettings) -> None:
        self._settings = settings
        self._client = posting.client()

    async def close(self) -> None:
        await self._client.aclose()

    def messages(self, event: AnyEvent, chat: Chat, config: TenantConfig) -> Sequence[Message]:
        body = event.body
        if not isinstance(body, ReplyReady | AgentMessage | AgentMessageEdited):
            return []
        if chat.tenant != self._settings.tenant:
            raise Refused("this webhook is another tenant's")
        who = "bot" if isinstance(body, ReplyReady) else body.human_agent_name
        sources = [each.model_dump() for each in body.citations] if isinstance(body, ReplyReady) else []
        edited = isinstance(body, AgentMessageEdited)
        text = f"{correction_word(chat.language)}: {body.text}" if edited else body.text
        said = {"chat": chat.address, "id": event.envelope.event_id, "from": who, "text": text}
        return [Message(orjson.dumps(said | {"citations": sources}).decode())]

    async def send(self, chat: Chat, message: Message) -> str:
        body = message.text.encode()
        proof = signature(self._settings.secret, body, int(time.time()))
        headers = {"Content-Type": "application/json", SIGNATURE: proof}
        await posting.post(self._client, self._settings.url, body, headers)
        return str(orjson.loads(body)["id"])


class WebhookDoor:
    """Implements `connectors.kit.discovery.HttpDoor`."""

    def __init__(self, opened: Doorway, settings: WebhookSettings) -> None:
        self._settings = settings
        self._opened = opened
        self._inbox: Inbox | None = None
        self.routes = [Route(PATH, refusing(self._take), methods=["POST"])]
        refused = {409: "The id stands for another text already", 422: "A field is wrong"}
        said = operation(
            "A customer wrote", header=SIGNATURE, body=Written.model_json_schema(), refused=refused,
            taken={202: "The log has it"},
        )  # fmt: skip
        self.paths = {PATH: said}

    async def open(self) -> None:
        self._inbox = Inbox(self._opened, CHANNEL, TenantId(self._settings.tenant))

    async def close(self) -> None:
        if self._inbox is not None:
            await asyncio.to_thread(self._inbox.close)

    async def _take(self, request: Request) -> Response:
        assert self._inbox is not None  # the gateway opens it before it listens
        known = request.path_params["tenant"] == self._settings.tenant
        secret = self._settings.secret if known else None
        said = parsed(Written, await signed_body(request, SIGNATURE, secret, MAX_BODY_BYTES))
        incoming = Incoming(said.chat, said.id, said.text, said.language)
        message_id = await asyncio.to_thread(self._inbox.take, incoming)
        return Response(orjson.dumps({"message_id": message_id}), 202, media_type="application/json")


def configured() -> bool:
    return bool(WebhookSettings().url)


def build(opened: Opened) -> Runs:
    return Outbox(opened, WebhookChannel(WebhookSettings.checked()))


def door(opened: Doorway) -> HttpDoor | None:
    return WebhookDoor(opened, WebhookSettings.checked()) if configured() else None
