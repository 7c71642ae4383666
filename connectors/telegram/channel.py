"""Telegram as a channel of the kit: what an outbound event looks like there, and how it is sent."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urljoin

from aiogram.enums import ParseMode
from aiogram.exceptions import TelegramNotFound, TelegramUnauthorizedError
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions

from connectors.kit.channel import EDIT_WITHIN_S, Message, Previewing, Refused, correction_word
from connectors.telegram.calls import ALREADY_DELETED, CANNOT_PARSE, NOT_MODIFIED, called, make_bot
from connectors.telegram.drafts import Showing, Showings
from connectors.telegram.formatting import corrections_of, messages_of, plain_of
from connectors.telegram.pacing import PER_SECOND, Pace
from connectors.telegram.texts import say
from connectors.telegram.translate import DOWN, UP
from parley.errors import ConfigurationError
from parley.ports.channels import Chat
from parley.runtime.faults import describe
from schemas import parts
from schemas.base import AnyEvent, GenerationId, TenantId
from schemas.outbound import AgentMessage, AgentMessageEdited, ReplyReady
from schemas.tenant import TenantConfig

log = logging.getLogger(__name__)

RATED = ("answer", "nothing_found")
"""Kinds of replies that a customer may find helpful or not."""
MAX_CALLBACK_BYTES = 64


class TelegramChannel:
    """Implements `connectors.kit.channel.Channel`, for every tenant that has a bot."""

    name: parts.Channel = "telegram"

    def __init__(
        self,
        tokens: Mapping[TenantId, str],
        api_url: str,
        site_url: str = "",
        per_second: int = PER_SECOND,
    ) -> None:
        """`site_url`: what sources with a path alone are on; the tenant's own comes first, joined to it where that is a path itself.
        `per_second`: what this process sends at most for each bot. Nothing is called before `open`.
        """
        self._tokens = dict(tokens)
        self._api_url = api_url
        self._site_url = site_url
        self.bots = {tenant: make_bot(token, api_url) for tenant, token in tokens.items()}
        self._paces = {tenant: Pace(per_second) for tenant in tokens}
        self._showings = Showings()
        self._previews: Previewing | None = None
        #: Bots whose server knows no drafts.
        self._draftless: set[TenantId] = set()

    def attach(self, previews: Previewing) -> None:
        self._previews = previews

    @property
    def tenants(self) -> tuple[TenantId, ...]:
        return tuple(self._tokens)

    def pace(self, tenant: TenantId) -> Pace:
        return self._paces[tenant]

    async def open(self) -> None:
        for tenant, bot in self.bots.items():
            try:
                me = await bot.get_me()
            except (TelegramUnauthorizedError, TelegramNotFound) as error:
                raise ConfigurationError(
                    f"telegram: the token of tenant {tenant} is refused; ask @BotFather for the bot's present one"
                ) from error
            except Exception as error:  # Telegram is not well; everything here tries again by itself
                log.warning("telegram: %s does not answer yet: %s", self._api_url, describe(error))
            else:
                log.info("telegram: tenant %s is @%s", tenant, me.username)

    async def close(self) -> None:
        self._showings.close()
        await asyncio.gather(*(bot.session.close() for bot in self.bots.values()))

    def messages(self, event: AnyEvent, chat: Chat, config: TenantConfig) -> Sequence[Message]:
        body = event.body
        if not isinstance(body, ReplyReady | AgentMessage | AgentMessageEdited) or body.audience == "staff":
            return []
        if chat.tenant not in self._tokens:
            raise Refused("this process has no bot for the tenant")
        site = urljoin(self._site_url, config.site_url)
        if isinstance(body, AgentMessageEdited):
            word = correction_word(chat.language)
            parts = corrections_of(body.text, body.human_agent_name, word, site_url=site or None)
            return [Message(text, instead=marked) for text, marked in parts]
        if isinstance(body, AgentMessage):
            texts = messages_of(
                body.text, signed=body.human_agent_name, language=chat.language or "en", site_url=site or None
            )
            return [Message(text) for text in texts]
        texts = messages_of(body.text, body.citations, language=body.language, site_url=site or None)
        buttons = _rating(body) if body.kind in RATED else ()
        last = len(texts) - 1
        return [Message(text, buttons if number == last else ()) for number, text in enumerate(texts)]

    async def turn(self, chat: Chat) -> None:
        if (pace := self._paces.get(chat.tenant)) is not None:
            await pace.wait()

    async def send(self, chat: Chat, message: Message) -> str:
        try:
            return await self._send(chat, message, html=not message.plain)
        except Refused as error:
            if CANNOT_PARSE not in str(error):
                raise
            log.error("telegram: a message's formatting was refused, and is sent without")
            return await self._send(chat, replace(message, text=plain_of(message.text)), html=False)

    async def edit(self, chat: Chat, external_id: str, message: Message) -> None:
        try:
            try:
                await self._edit(
                    chat, int(external_id), message.text, message.buttons, html=not message.plain
                )
            except Refused as error:
                if CANNOT_PARSE not in str(error):
                    raise
                log.error("telegram: a message's formatting was refused, and is sent without")
                plain = plain_of(message.text)
                await self._edit(chat, int(external_id), plain, message.buttons, html=False)
        except Refused as error:
            if NOT_MODIFIED not in str(error):
                raise

    async def withdraw(self, chat: Chat, external_id: str) -> None:
        try:
            await called(self.bots[chat.tenant].delete_message(int(chat.address), int(external_id)))
        except Refused as error:
            if ALREADY_DELETED not in str(error):
                raise

    async def notice(self, event: AnyEvent, chat: Chat) -> None:
        if chat.tenant in self.bots and not chat.address.startswith("-"):  # drafts are for private chats
            self._showings.of(chat.conversation_id, lambda: self._showing(chat)).notice(event)

    async def _send(self, chat: Chat, message: Message, *, html: bool) -> str:
        sent = await called(
            self.bots[chat.tenant].send_message(
                int(chat.address),
                message.text,
                message_thread_id=message.thread,
                parse_mode=ParseMode.HTML if html else None,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=_keyboard(message.buttons),
            )
        )
        return str(sent.message_id)

    async def _edit(
        self, chat: Chat, message_id: int, text: str, buttons: Sequence[tuple[str, str]], *, html: bool
    ) -> None:
        await called(
            self.bots[chat.tenant].edit_message_text(
                text,
                chat_id=int(chat.address),
                message_id=message_id,
                parse_mode=ParseMode.HTML if html else None,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=_keyboard(buttons),
                request_timeout=int(EDIT_WITHIN_S / 2),
            )
        )

    async def _typing(self, chat: Chat) -> None:
        """What is shown shares the limits of messages, and never makes one wait."""
        if self._paces[chat.tenant].free():
            await called(self.bots[chat.tenant].send_chat_action(int(chat.address), "typing"))

    async def _draft(self, chat: Chat, text: str) -> bool:
        """Whether it is shown so: a text that grows waits for no place, and one that is taken back does. Raises `Refused` where this chat, or
        the bot's server, has no drafts.
        """
        if chat.tenant in self._draftless:
            raise Refused("this server has no drafts")
        shown = in_the_making(text)
        pace = self._paces[chat.tenant]
        if text and (shown is None or not pace.free()):
            return False
        if shown is None:
            await pace.wait()
        try:
            await self._put_draft(chat, "" if shown is None else shown.text, html=True)
        except Refused as error:
            if CANNOT_PARSE in str(error) and shown is not None:
                await self._put_draft(chat, plain_of(shown.text), html=False)
                return True
            if isinstance(error.__cause__, TelegramNotFound):
                log.info("telegram: the server of tenant %s's bot has no drafts", chat.tenant)
                self._draftless.add(chat.tenant)
            raise
        return True

    async def _put_draft(self, chat: Chat, text: str, *, html: bool) -> None:
        # Any number but 0: a chat has one draft.
        draft_id = int(chat.conversation_id.replace("-", "")[:7], 16) + 1
        await called(
            self.bots[chat.tenant].send_message_draft(
                int(chat.address), draft_id, text=text, parse_mode=ParseMode.HTML if html and text else None
            )
        )

    async def _begin_message(self, chat: Chat, generation: GenerationId, text: str) -> str | None:
        shown = in_the_making(text)
        assert self._previews is not None  # whoever sends attaches them first
        return await self._previews.begin(chat, generation, shown) if shown is not None else None

    async def _edit_message(self, chat: Chat, generation: GenerationId, place: str, text: str) -> bool:
        """An edit has a place among the bot's messages, too, and waits for none."""
        shown = in_the_making(text)
        if shown is None or not self._paces[chat.tenant].free():
            return False
        assert self._previews is not None  # whoever sends attaches them first
        await self._previews.go_on(chat, generation, place, shown)
        return True

    def _showing(self, chat: Chat) -> Showing:
        return Showing(
            typing=lambda: self._typing(chat),
            draft=lambda text: self._draft(chat, text),
            begin=lambda generation, text: self._begin_message(chat, generation, text),
            go_on=lambda generation, place, text: self._edit_message(chat, generation, place, text),
        )


def in_the_making(text: str) -> Message | None:
    """A text that is not finished, as far as it fits in one message; None where nothing of it is to be seen."""
    pieces = messages_of(text)
    return Message(pieces[0]) if pieces else None


def _keyboard(buttons: Sequence[tuple[str, str]]) -> InlineKeyboardMarkup | None:
    keyboard = [[InlineKeyboardButton(text=label, callback_data=data) for label, data in buttons]]
    return InlineKeyboardMarkup(inline_keyboard=keyboard) if buttons else None


def _rating(body: ReplyReady) -> tuple[tuple[str, str], ...]:
    """None for a reply whose id has no room in a button."""
    data = [
        (say("up", body.language), f"{UP}:{body.reply_id}"),
        (say("down", body.language), f"{DOWN}:{body.reply_id}"),
    ]
    return tuple(data) if all(len(each.encode()) <= MAX_CALLBACK_BYTES for _, each in data) else ()
