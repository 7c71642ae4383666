"""What a channel brings: how it is called, what an event looks like in it, and how one message is sent. The rest is the kit's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from prometheus_client import CollectorRegistry

from parley.codec import Codec
from parley.metrics import WorkerMetrics
from parley.ports.bus import Bus
from parley.ports.channels import Chat
from parley.ports.clock import Clock
from parley.ports.keys import CustomerKeys
from parley.ports.media import MediaStore
from parley.ports.store import Store
from parley.runtime.tenants import TenantConfigs
from parley.runtime.vault import Vault
from parley.settings import Settings
from schemas import parts
from schemas.base import AnyEvent, GenerationId
from schemas.tenant import TenantConfig


class Doorway(Protocol):
    """What a door needs of the process that it is in; the gateway's `Deps` is one."""

    @property
    def settings(self) -> Settings: ...
    @property
    def bus(self) -> Bus: ...
    @property
    def store(self) -> Store: ...
    @property
    def keys(self) -> CustomerKeys: ...
    @property
    def codec(self) -> Codec: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def media(self) -> MediaStore: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def registry(self) -> CollectorRegistry: ...


class Opened(Doorway, Protocol):
    """What a worker's process has open already; `workers.wiring.Platform` is one."""

    @property
    def metrics(self) -> WorkerMetrics: ...
    @property
    def configs(self) -> TenantConfigs: ...


SEND_WITHIN_S = 30.0
"""Time-outs of one `send` together: after that, another process takes a sender that has not told for gone."""
EDIT_WITHIN_S = 10.0
"""And of one `edit`, which a `send` may follow."""


class NotSent(Exception):
    """It certainly did not arrive, and may be sent again: after `retry_after_s` where the channel says so."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Unsure(Exception):
    """Nobody can say whether it arrived: it is recorded as unknown, and never sent again."""


class Refused(Exception):
    """The channel said no, and will say no again."""


class Gone(Refused):
    """Nothing at all can be sent into this chat any more: the customer has blocked the bot, or the chat was deleted."""


class Moved(Exception):
    """The chat has another address now; nothing was sent."""

    def __init__(self, address: str) -> None:
        super().__init__("the chat has moved")
        self.address = address


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the channel takes it. `text` is in its own markup; `buttons` are labels with what they send back.

    `instead` is for a part of an edited message, where it has to be sent as a new one: the text, marked as a correction. `replaces` is
    the kit's: the channel's name for the message that this one takes the place of. `plain`: the text is in no markup. `thread` is the
    part of the chat where it belongs, for channels that have such.
    """

    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    instead: str | None = None
    replaces: str | None = None
    plain: bool = False
    thread: int | None = None

    @property
    def anew(self) -> "Message":
        """As it is sent where there is nothing that it could replace."""
        return replace(self, text=self.text if self.instead is None else self.instead, replaces=None)


CORRECTION = {"en": "Correction", "zh": "更正"}


def correction_word(language: str | None) -> str:
    """What an edited text is marked with where it is sent as a new one: in this language, or else in English."""
    return CORRECTION.get((language or "en").partition("-")[0], CORRECTION["en"])


class Previewing(Protocol):
    """How a channel may show a text in the making as a message. `connectors.kit.previews.Previews` is one."""

    async def begin(self, chat: Chat, generation: GenerationId, message: Message) -> str | None:
        """Send it, recorded; the channel's name for the message, which the channel may edit until its reply takes the place. None where it
        was not sent, or is not to be now.
        """

    async def go_on(self, chat: Chat, generation: GenerationId, place: str, message: Message) -> None:
        """Have that message read so, by `Channel.edit`, whose exceptions it raises; or nothing, while another message is on its way."""


class Channel(Protocol):
    """One messaging channel. Its methods are called in one event loop, for one chat one after the other."""

    @property
    def name(self) -> parts.Channel: ...

    def attach(self, previews: Previewing) -> None:
        """Before anything else: for a channel that shows texts in the making as messages."""

    async def open(self) -> None:
        """Before the first message. Raises `ConfigurationError`."""

    async def close(self) -> None: ...

    def messages(self, event: AnyEvent, chat: Chat, config: TenantConfig) -> Sequence[Message]:
        """What the customer is sent of an outbound event, in order; nothing for most kinds. Pure, and the same at each call. For an
        `AgentMessageEdited`: all of the message as it reads now, each part with its `instead`. Raises `Refused` where this process
        cannot send for the chat's tenant.
        """

    async def turn(self, chat: Chat) -> None:
        """Returns when the channel may be called: whoever sends too fast waits here, before anything is recorded."""

    async def send(self, chat: Chat, message: Message) -> str:
        """The channel's own name for the message, within `SEND_WITHIN_S`. Raises `NotSent`, `Unsure`, `Refused`, `Gone`, `Moved`."""

    async def edit(self, chat: Chat, external_id: str, message: Message) -> None:
        """Have a message that was sent read as this one, within `EDIT_WITHIN_S`; doing it again does no harm. Raises `Refused` where that
        cannot be done (any more): a correction is sent then. And what `send` raises.
        """

    async def withdraw(self, chat: Chat, external_id: str) -> None:
        """Delete a message that was sent. Raises `Refused` where that cannot be done, and what `send` raises."""

    async def notice(self, event: AnyEvent, chat: Chat) -> None:
        """An outbound event or delta of a chat, as it happens: for typing and texts in the making. Nothing depends on it, and it
        raises nothing.
        """


class PlainChannel:
    """What a channel may inherit that has nothing to open, changes and takes back nothing, and shows nothing before it is sent."""

    def attach(self, previews: Previewing) -> None:
        """Nothing."""

    async def open(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""

    async def turn(self, chat: Chat) -> None:
        """At once."""

    async def edit(self, chat: Chat, external_id: str, message: Message) -> None:
        raise Refused("this channel changes nothing")

    async def withdraw(self, chat: Chat, external_id: str) -> None:
        raise Refused("this channel takes nothing back")

    async def notice(self, event: AnyEvent, chat: Chat) -> None:
        """Nothing."""
