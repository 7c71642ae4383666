"""From Telegram's updates to what the customer meant. Pure: nothing is asked of Telegram or the store here."""

import re
from dataclasses import dataclass
from typing import Literal

from aiogram.enums import ChatMemberStatus, ChatType, ContentType
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message, Update

from connectors.telegram.sharing import Shared, file_of, words_of
from schemas.base import MAX_MESSAGE_CHARS, ReplyId

MAX_QUOTE_CHARS = 300
Command = Literal["start", "help", "human", "language", "delete"]
COMMAND = re.compile(r"/(start|help|human|language|delete)(?:@\w+)?(?:\s+(.*))?", re.DOTALL)

UP, DOWN = "up", "down"
"""What the buttons below an answer send back, before a colon and the reply's id: at most 64 bytes (Bot API, InlineKeyboardButton)."""


@dataclass(frozen=True, slots=True)
class Said:
    """A text, with what it quotes as its context; or a file, with its caption if it has one. `group` names the album that it is one of."""

    text: str
    file: Shared | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Commanded:
    command: Command
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A kind of message that has neither a text nor a file."""

    kind: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button below a message: `action` and its `value`."""

    query_id: str
    action: str
    value: str
    message_id: int | None


@dataclass(frozen=True, slots=True)
class Blocked:
    """The customer stopped the bot, or started it again."""

    blocked: bool


Meaning = Said | Commanded | Unreadable | Pressed | Blocked


@dataclass(frozen=True, slots=True)
class Arrival:
    """`chat` is Telegram's id of the chat; `language` what the customer's Telegram is set to. `private`: with one person alone."""

    update_id: int
    chat: int
    private: bool
    language: str | None
    meaning: Meaning


def arrival_of(update: Update) -> Arrival | None:
    """None for updates that mean nothing to us."""
    message = update.message or update.edited_message
    if message is not None:
        return _of_message(update.update_id, message)
    if update.callback_query is not None:
        return _of_button(update.update_id, update.callback_query)
    if update.my_chat_member is not None:
        return _of_membership(update.update_id, update.my_chat_member)
    return None


def feedback_of(pressed: Pressed) -> tuple[ReplyId, Literal[-1, 1]] | None:
    """The reply and the score that a button stands for; None for another button."""
    if pressed.action not in (UP, DOWN) or not pressed.value:
        return None
    return ReplyId(pressed.value), 1 if pressed.action == UP else -1


def _of_message(update_id: int, message: Message) -> Arrival | None:
    if message.from_user is None or message.from_user.is_bot:
        return None  # a channel's post, or another bot
    meaning = _meaning(message)
    if meaning is None:
        return None
    return Arrival(
        update_id,
        message.chat.id,
        message.chat.type == ChatType.PRIVATE,
        message.from_user.language_code,
        meaning,
    )


def _meaning(message: Message) -> Meaning | None:
    text = message.text or message.caption
    if (
        message.edit_date is not None
    ):  # what was edited is a text: a file came before, and a place that moves would never end
        return Said(_with_quote(message, text)) if text is not None else None
    file = file_of(message)
    if text is None:
        text = words_of(message)
    if text is None and file is None:
        return Unreadable(ContentType(message.content_type).value) if _is_content(message) else None
    if text is None:
        return Said("", file, message.media_group_id)
    command = COMMAND.fullmatch(text.strip()) if message.text is not None else None
    if command is not None:
        return Commanded(command[1], (command[2] or "").strip())  # type: ignore[arg-type]  # the pattern has these alone
    return Said(_with_quote(message, text), file, message.media_group_id)


def _with_quote(message: Message, text: str) -> str:
    quoted = _quoted(message)
    return quoted + text if len(quoted) + len(text) <= MAX_MESSAGE_CHARS else text


def _quoted(message: Message) -> str:
    """What a reply refers to, as Markdown's quotation before it: a text that says "and this one?" means nothing alone."""
    earlier = message.reply_to_message
    quoted = (message.quote.text if message.quote is not None else None) or (
        (earlier.text or earlier.caption) if earlier is not None else None
    )
    if not quoted:
        return ""
    line = " ".join(quoted.split())
    if len(line) > MAX_QUOTE_CHARS:
        # A number that was cut would be none that masking knows: it goes as a whole.
        line = re.sub(r"[\d\s./-]+$", "", line[: MAX_QUOTE_CHARS - 1]) + "…"
    return f"> {line}\n\n"


def _is_content(message: Message) -> bool:
    """Something that a person has sent, not Telegram's own notes on the chat."""
    return any(each is not None for each in (message.poll, message.dice, message.story, message.game))


def _of_button(update_id: int, query: CallbackQuery) -> Arrival:
    if (
        query.message is None
    ):  # a button of an inline message, which is in no chat of ours: it is answered, and no more
        nothing = Pressed(query.id, "", "", None)
        return Arrival(update_id, query.from_user.id, False, query.from_user.language_code, nothing)
    action, _, value = (query.data or "").partition(":")
    chat = query.message.chat
    pressed = Pressed(query.id, action, value, query.message.message_id)
    return Arrival(update_id, chat.id, chat.type == ChatType.PRIVATE, query.from_user.language_code, pressed)


def _of_membership(update_id: int, changed: ChatMemberUpdated) -> Arrival:
    gone = changed.new_chat_member.status in (ChatMemberStatus.KICKED, ChatMemberStatus.LEFT)
    private = changed.chat.type == ChatType.PRIVATE
    return Arrival(update_id, changed.chat.id, private, changed.from_user.language_code, Blocked(gone))
