"""A channel that does what a test says, and keeps count of what it was asked for."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event as Flag
from typing import Any

from connectors.kit.channel import Channel, Message, Previewing
from connectors.kit.outbox import Outbox
from parley.ports.channels import Chat
from schemas import parts
from schemas.base import AnyEvent
from schemas.conversation_events import DeliveryReported
from schemas.outbound import AgentMessage, AgentMessageEdited, ReplyReady
from schemas.tenant import TenantConfig
from tests.support.effectors import WITHIN_S
from tests.support.inference import running
from tests.support.platform import events_on
from workers.wiring import Platform


class ScriptedChannel:
    """Implements `connectors.kit.channel.Channel`. Texts are sent in pieces split at `|`."""

    name: parts.Channel = "telegram"

    def __init__(self) -> None:
        #: By address, what is raised at the next calls, in order; None: it is sent.
        self.script: dict[str, deque[Exception | None]] = defaultdict(deque)
        #: While it is clear, calls wait after they have been counted.
        self.go_on = Flag()
        self.go_on.set()
        #: While it is clear, nobody's turn comes.
        self.turns = Flag()
        self.turns.set()
        #: Texts that no message can be made of.
        self.breaks_on: dict[str, Exception] = {}
        #: What was asked for, what arrived, and what was deleted again: (address, text).
        self.asked: list[tuple[str, str]] = []
        self.sent: list[tuple[str, str]] = []
        self.withdrawn: list[tuple[str, str]] = []
        self.noticed: list[str] = []
        self.refuses_to_withdraw: Exception | None = None
        #: What is raised at the next edits, in order; None: it is done.
        self.edit_script: deque[Exception | None] = deque()

    def attach(self, previews: Previewing) -> None:
        self.previews = previews

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing is open."""

    async def turn(self, chat: Chat) -> None:
        while not self.turns.is_set():
            await asyncio.sleep(0.005)

    def messages(self, event: AnyEvent, chat: Chat, config: TenantConfig) -> Sequence[Message]:
        if isinstance(event.body, AgentMessageEdited):
            return [Message(text, instead=f"corrected: {text}") for text in event.body.text.split("|")]
        if isinstance(event.body, ReplyReady | AgentMessage):
            if event.body.text in self.breaks_on:
                raise self.breaks_on[event.body.text]
            return [Message(text) for text in event.body.text.split("|")]
        return []

    async def send(self, chat: Chat, message: Message) -> str:
        self.asked.append((chat.address, message.text))
        while not self.go_on.is_set():
            await asyncio.sleep(0.005)
        script = self.script[chat.address]
        error = script.popleft() if script else None
        if error is not None:
            raise error
        self.sent.append((chat.address, message.text))
        return str(len(self.sent))

    async def edit(self, chat: Chat, external_id: str, message: Message) -> None:
        self.asked.append((chat.address, f"edit {external_id}: {message.text}"))
        while not self.go_on.is_set():
            await asyncio.sleep(0.005)
        if self.edit_script and (error := self.edit_script.popleft()) is not None:
            raise error
        self.sent[int(external_id) - 1] = (chat.address, message.text)

    async def withdraw(self, chat: Chat, external_id: str) -> None:
        if self.refuses_to_withdraw is not None:
            raise self.refuses_to_withdraw
        self.withdrawn.append(self.sent[int(external_id) - 1])

    async def notice(self, event: AnyEvent, chat: Chat) -> None:
        self.noticed.append(event.envelope.type)


@contextmanager
def delivering(on: Platform, channel: Channel) -> Iterator[Outbox]:
    """Stopped at the end. Raises what ended it."""
    with running(Outbox(on, channel), 3 * WITHIN_S) as outbox:
        yield outbox


def reports(on: Platform) -> dict[str, tuple[str, Any]]:
    """By the outbound event's id, how it was reported to have ended."""
    return {b.outbound_id: (b.state, b.reason) for b in all_reports(on) if b.state != "accepted"}


def all_reports(on: Platform) -> list[DeliveryReported]:
    bodies = [each.body for each in events_on(on, "conversation.events")]
    return [body for body in bodies if isinstance(body, DeliveryReported)]
