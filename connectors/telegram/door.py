"""What is done about an update: into the log, or answered at once. When `take` returns, Telegram may forget the update."""

import asyncio
import logging
import re
from collections.abc import Callable
from functools import partial
from typing import Literal

from aiogram import Bot
from cachetools import LRUCache, TTLCache

from connectors.kit.channel import Gone, Message, Moved, NotSent, Refused, Unsure
from connectors.kit.inbox import FilesNotKept, IdReused, Inbox, Incoming, KeptFile, MessageTooLong, TooMany
from connectors.telegram.calls import called
from connectors.telegram.media import Fetching, Reason, Unfit
from connectors.telegram.pacing import Pace
from connectors.telegram.parting import MAX_PARTS, parts_of
from connectors.telegram.saying import Saying, insist
from connectors.telegram.settings import MB
from connectors.telegram.texts import LANGUAGES, Text, language_of, say
from connectors.telegram.translate import (
    Arrival,
    Blocked,
    Commanded,
    Pressed,
    Said,
    Unreadable,
    external_id,
    feedback_of,
)
from parley.errors import KeyErased
from parley.ports.channels import Chat
from schemas.base import EventId, ReplyId
from schemas.conversation_events import CloseRequested, ConversationStarted
from schemas.other_events import FeedbackGiven

log = logging.getLogger(__name__)

Buttons = tuple[tuple[str, str], ...]
TOLD_AGAIN_S = 60.0
"""How often somebody who writes too fast is told so."""
BLOCKED = "bot was blocked by the user"

KEPT_S = 60.0
"""A file's name is a text: it is not remembered for longer, and is fetched again where the log is away for so long."""

LANGUAGE, DELETE = "language", "delete"
"""Actions of our own buttons."""
YES, NO = "yes", "no"
"""What is pressed of those that ask about erasing, `YES` before a colon and the conversation that was asked about."""
SOURCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a link to the bot may bring along (Bot features, "Deep linking")."""


class Door:
    """One bot's. `erase` erases a chat's customer, and returns when nothing can stop it any more. It raises `StoreUnavailable`."""

    def __init__(
        self,
        bot: Bot,
        inbox: Inbox,
        saying: Saying,
        pace: Pace,
        erase: Callable[[Chat], None],
        fetching: Fetching,
    ) -> None:
        self._bot = bot
        self._inbox = inbox
        self._saying = saying
        self._pace = pace
        self._erase = erase
        self._fetching = fetching
        #: By update, the file that is stored and not yet in the log, or why there is none.
        self._files: TTLCache[int, KeptFile | Reason] = TTLCache(10_000, KEPT_S)
        #: Updates with a file that are done with: nothing of them is fetched again.
        self._done: LRUCache[int, None] = LRUCache(10_000)
        #: Parts of texts that are in the log, by their ids: a text whose next part has to wait counts once.
        self._logged: LRUCache[str, None] = LRUCache(10_000)
        self._told_to_wait: TTLCache[int, None] = TTLCache(10_000, TOLD_AGAIN_S)

    async def take(self, arrival: Arrival) -> None:
        """Raises `BusUnavailable`, `StoreUnavailable`, `TooMany`: it is not in the log, and is to be delivered again."""
        chat = await self._chat(arrival)
        language = chat.language if chat is not None and chat.language else arrival.language
        meaning = arrival.meaning
        if isinstance(meaning, Blocked):
            return await self._membership(arrival, chat, meaning)
        if not isinstance(meaning, Said) and await self._saying.said(self._answer_to(arrival)):
            return await self._again(arrival)
        if not arrival.private:
            return await self._in_a_group(arrival, language)
        match meaning:
            case Said(text=text, file=None):
                await self._text(arrival, text, language)
            case Said():
                await self._file(arrival, meaning, language)
            case Unreadable():
                await self._admit(arrival, language)
                await self._say(arrival, "text_only", language)
            case Commanded():
                await self._command(arrival, meaning, chat, language)
            case Pressed():
                await self._pressed(arrival, meaning, chat, language)

    # -- messages -----------------------------------------------------------------------------------------------------

    async def _file(self, arrival: Arrival, said: Said, language: str | None) -> None:
        """Into the log with its caption; where the file cannot be taken, the caption alone, and the customer is told why."""
        if arrival.update_id in self._done:
            return
        if len(parts_of(said.text)) > MAX_PARTS:  # nothing is fetched for it
            return await self._say(arrival, "too_long", language)
        kept = await self._kept(arrival, said)
        if isinstance(kept, KeptFile):
            try:
                await self._text(arrival, said.text, language, (kept,))
            except FilesNotKept:
                kept = "file_not_fetched"
        if not isinstance(kept, KeptFile) and said.text:
            await self._text(arrival, said.text, language)
        if not isinstance(kept, KeptFile):
            await self._say_unfit(arrival, said, kept, language)
        self._files.pop(arrival.update_id, None)
        self._done[arrival.update_id] = None

    async def _kept(self, arrival: Arrival, said: Said) -> KeptFile | Reason:
        """Fetched once, however often the log is away."""
        found: KeptFile | Reason | None = self._files.get(arrival.update_id)
        if found is None:
            # The log is asked first: where it is away, nothing is fetched in vain.
            chat = await asyncio.to_thread(self._inbox.opened_chat, str(arrival.chat), arrival.language)
            found = self._files[arrival.update_id] = await self._keep(arrival, chat, said)
        return found

    async def _keep(self, arrival: Arrival, chat: Chat, said: Said) -> KeptFile | Reason:
        assert said.file is not None  # the caller has seen it
        try:
            file = await self._fetching.fetch(arrival.chat, said.file)
            return await asyncio.to_thread(self._inbox.keep, chat, file)
        except Unfit as error:
            return error.reason
        except FilesNotKept as error:
            log.warning("telegram: a file is not kept: %s", error)
            return "file_not_fetched"

    async def _say_unfit(self, arrival: Arrival, said: Said, reason: Reason, language: str | None) -> None:
        """Once for an album."""
        assert said.file is not None  # the caller has seen it
        name = self._answer_to(arrival)
        if said.group is not None:
            name = self._saying.name(arrival.chat, said.group, reason)
        limit = self._fetching.limit(said.file.kind) // MB
        await self._send(arrival, say(reason, language).format(limit=limit), name=name)

    async def _text(
        self, arrival: Arrival, text: str, language: str | None, files: tuple[KeptFile, ...] = ()
    ) -> None:
        """A text that is longer than a message of ours becomes several, the files with the first."""
        parts = parts_of(text)
        if len(parts) > MAX_PARTS:
            return await self._say(arrival, "too_long", language)
        for number, part in enumerate(parts):
            name = self._id(arrival) if number == 0 else f"{self._id(arrival)}:{number + 1}"
            if len(parts) == 1 or name not in self._logged:
                await self._take(arrival, name, part, language, () if number else files)
                self._logged[name] = None

    async def _take(
        self, arrival: Arrival, name: str, text: str, language: str | None, files: tuple[KeptFile, ...]
    ) -> None:
        incoming = Incoming(
            str(arrival.chat), name, text, arrival.language, files, arrival.masked, arrival.album
        )
        try:
            await asyncio.to_thread(self._inbox.take, incoming)
        except IdReused as error:
            log.warning("telegram: an update is not taken: %s", error)
        except MessageTooLong:
            await self._say(arrival, "too_long", language)
        except TooMany as error:
            await self._tell_to_wait(arrival, error, language)
            raise

    async def _admit(self, arrival: Arrival, language: str | None) -> None:
        """What has the bot speak counts among the chat's messages. Raises `TooMany`."""
        try:
            self._inbox.admit(str(arrival.chat))
        except TooMany as error:
            await self._tell_to_wait(arrival, error, language)
            raise

    async def _tell_to_wait(self, arrival: Arrival, error: TooMany, language: str | None) -> None:
        if error.of == "chat" and arrival.chat not in self._told_to_wait:
            self._told_to_wait[arrival.chat] = None
            name, told = self._saying.name(arrival.update_id, "too_many"), say("too_many", language)
            self._saying.begin(arrival.chat, name, Message(told, plain=True, thread=arrival.thread))

    async def _in_a_group(self, arrival: Arrival, language: str | None) -> None:
        """Others read there what is meant for one."""
        if isinstance(arrival.meaning, Pressed):
            await self._answer(arrival.meaning, "")
        elif isinstance(arrival.meaning, Commanded) and await self._is_meant(arrival.meaning):
            await self._admit(arrival, language)
            await self._say(arrival, "private_only", language)

    async def _is_meant(self, command: Commanded) -> bool:
        """Not where the command names another bot. Where Telegram does not say who this one is, nothing is said."""
        if command.to is None:
            return True
        try:
            me = await called(self._bot.me())
        except (NotSent, Unsure, Refused, Gone, Moved) as error:
            log.warning("telegram: a command in a group is passed over: %s", error)
            return False
        return (me.username or "").lower() == command.to

    async def _membership(self, arrival: Arrival, chat: Chat | None, meaning: Blocked) -> None:
        if chat is None:
            return
        if not meaning.blocked:
            await asyncio.to_thread(self._inbox.opened_chat, chat.address)
        else:  # the log first: what is repeated has the same id there
            await self._write(chat, CloseRequested(by="system"), arrival)
            await asyncio.to_thread(self._inbox.close_chat, chat, BLOCKED)

    # -- commands -----------------------------------------------------------------------------------------------------

    async def _command(
        self, arrival: Arrival, meaning: Commanded, chat: Chat | None, language: str | None
    ) -> None:
        if meaning.command == "human":  # the one that goes into the log as words, and is counted there
            words = f"{say('want_human', language)}\n\n{meaning.argument}".strip()
            return await self._text(arrival, words, language)
        await self._admit(arrival, language)
        match meaning.command:
            case "start":
                await self._start(arrival, meaning.argument)
            case "help":
                await self._say(arrival, "help", language)
            case "language":
                await self._language(arrival, meaning.argument, language)
            case "delete" if chat is None:
                await self._say(arrival, "nothing_to_delete", language)
            case "delete":
                yes, no = say("delete_yes", language), say("delete_no", language)
                buttons = (yes, f"{DELETE}:{YES}:{chat.conversation_id}"), (no, f"{DELETE}:{NO}")
                await self._say(arrival, "delete_ask", language, buttons)

    async def _start(self, arrival: Arrival, source: str) -> None:
        """The conversation begins, with the tenant's greeting; where its customer comes from is logged where a link says so."""
        opened = await asyncio.to_thread(self._inbox.opened_chat, str(arrival.chat), arrival.language)
        if SOURCE.fullmatch(source):
            await asyncio.to_thread(self._inbox.came_from, opened, source, self._id(arrival))
        config = await asyncio.to_thread(self._inbox.config)
        chosen = opened.language or config.default_language
        greeting = config.assistant.greeting
        text = greeting.get(chosen) or greeting.get(config.default_language) or next(iter(greeting.values()))
        await self._send(arrival, f"{text}\n\n{say('help', chosen)}")

    async def _language(self, arrival: Arrival, asked: str, language: str | None) -> None:
        """Among those that the tenant speaks and the bot has words in."""
        spoken = (await asyncio.to_thread(self._inbox.config)).languages
        offered = {
            code: name for code, name in LANGUAGES.items() if any(each.startswith(code) for each in spoken)
        }
        code = language_of(asked)
        if code in offered:
            await self._choose(arrival, code)
            return await self._say(arrival, "language_chosen", code)
        buttons = tuple((name, f"{LANGUAGE}:{code}") for code, name in offered.items())
        await self._say(arrival, "choose_language", language, buttons)

    async def _choose(self, arrival: Arrival, code: str) -> bool:
        """The log has it as the conversation's language from here on. False where the tenant does not speak it."""
        spoken = (await asyncio.to_thread(self._inbox.config)).spoken(code)
        if spoken is None:
            return False
        chat = await asyncio.to_thread(self._inbox.opened_chat, str(arrival.chat), spoken)
        await asyncio.to_thread(self._inbox.set_language, chat, spoken)
        await self._write(chat, ConversationStarted(channel="telegram", language=spoken), arrival)
        return True

    # -- buttons ------------------------------------------------------------------------------------------------------

    async def _pressed(
        self, arrival: Arrival, pressed: Pressed, chat: Chat | None, language: str | None
    ) -> None:
        """The button is answered in any case, before anything that may have to wait: else it shows that it waits."""
        given = feedback_of(pressed)
        if given is not None and chat is not None:
            await self._rated(arrival, pressed, chat, language, *given)
        elif pressed.action == LANGUAGE and pressed.value in LANGUAGES:
            spoken = await self._choose(arrival, pressed.value)
            await self._answer(pressed, "")
            if spoken:
                await self._say(arrival, "language_chosen", pressed.value)
            else:
                await self._language(arrival, "", pressed.value)
        elif pressed.action == DELETE:
            await self._delete(arrival, pressed, chat, language)
        else:
            await self._answer(pressed, "")

    async def _rated(
        self,
        arrival: Arrival,
        pressed: Pressed,
        chat: Chat,
        language: str | None,
        reply_id: ReplyId,
        score: Literal[-1, 1],
    ) -> None:
        """A button sends back whatever its sender likes: what was never said in this chat cannot be rated here."""
        if not await asyncio.to_thread(self._inbox.was_said, chat, reply_id):
            await self._answer(pressed, say("button_void", language))
            return
        await self._write(chat, FeedbackGiven(reply_id=reply_id, score=score), arrival)
        await self._answer(pressed, say("thanks", language))

    async def _delete(
        self, arrival: Arrival, pressed: Pressed, chat: Chat | None, language: str | None
    ) -> None:
        """Of the conversation that was asked about, and no later one. Where there is none, that one is erased: who died before it was
        said says it now.
        """
        answer, _, about = pressed.value.partition(":")
        text: Text = "deleted"
        if answer != YES:
            text = "kept"
        elif chat is not None and chat.conversation_id == about:
            await asyncio.to_thread(self._erase, chat)
        elif chat is not None:
            text = "delete_anew"
        await self._answer(pressed, "")
        await self._say(arrival, text, language)
        await self._take_off_buttons(arrival.chat, pressed)

    async def _again(self, arrival: Arrival) -> None:
        """A repeat of what is done with. Of a button, what shows that it is may be missing."""
        if isinstance(arrival.meaning, Pressed):
            await self._answer(arrival.meaning, "")
            if arrival.meaning.action == DELETE:
                await self._take_off_buttons(arrival.chat, arrival.meaning)

    # -- Telegram and the log -----------------------------------------------------------------------------------------

    async def _chat(self, arrival: Arrival) -> Chat | None:
        return await asyncio.to_thread(self._inbox.chat, str(arrival.chat))

    async def _write(
        self, chat: Chat, body: CloseRequested | ConversationStarted | FeedbackGiven, arrival: Arrival
    ) -> None:
        try:
            await asyncio.to_thread(partial(self._inbox.write, chat, body, self._id(arrival)))
        except KeyErased:
            log.info("telegram: an erased customer's update is passed over")

    async def _say(self, arrival: Arrival, text: Text, language: str | None, buttons: Buttons = ()) -> None:
        await self._send(arrival, say(text, language), buttons)

    async def _send(
        self, arrival: Arrival, text: str, buttons: Buttons = (), *, name: EventId | None = None
    ) -> None:
        """Once for its name: that of the update's answer, unless another is given."""
        await self._saying.say(
            arrival.chat,
            name or self._answer_to(arrival),
            Message(text, buttons, plain=True, thread=arrival.thread),
        )

    async def _answer(self, pressed: Pressed, text: str) -> None:
        await insist(lambda: self._bot.answer_callback_query(pressed.query_id, text=text or None))

    async def _take_off_buttons(self, chat: int, pressed: Pressed) -> None:
        if pressed.message_id is None:
            return
        await self._pace.wait()
        await insist(lambda: self._bot.edit_message_reply_markup(chat_id=chat, message_id=pressed.message_id))

    def _answer_to(self, arrival: Arrival) -> EventId:
        return self._saying.name(arrival.update_id)

    def _id(self, arrival: Arrival) -> str:
        return external_id(self._bot.id, arrival)
