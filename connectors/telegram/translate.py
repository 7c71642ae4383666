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
COMMAND = re.compile(r"/(start|help|human|language|delete)(?:@(\w+))?(?:\s+(.*))?", re.DOTALL)
C = ContentType
NOTES = frozenset({
    *(C.NEW_CHAT_MEMBERS, C.LEFT_CHAT_MEMBER, C.CHAT_OWNER_LEFT, C.CHAT_OWNER_CHANGED, C.NEW_CHAT_TITLE, C.NEW_CHAT_PHOTO),
    *(C.DELETE_CHAT_PHOTO, C.GROUP_CHAT_CREATED, C.SUPERGROUP_CHAT_CREATED, C.CHANNEL_CHAT_CREATED, C.PINNED_MESSAGE),
    *(C.MESSAGE_AUTO_DELETE_TIMER_CHANGED, C.MIGRATE_TO_CHAT_ID, C.MIGRATE_FROM_CHAT_ID, C.SUCCESSFUL_PAYMENT),
    *(C.REFUNDED_PAYMENT, C.CONNECTED_WEBSITE, C.WRITE_ACCESS_ALLOWED, C.PROXIMITY_ALERT_TRIGGERED, C.BOOST_ADDED),
    *(C.CHAT_BACKGROUND_SET, C.CHECKLIST_TASKS_DONE, C.CHECKLIST_TASKS_ADDED, C.DIRECT_MESSAGE_PRICE_CHANGED),
    *(C.PAID_MESSAGE_PRICE_CHANGED, C.FORUM_TOPIC_CREATED, C.FORUM_TOPIC_EDITED, C.FORUM_TOPIC_CLOSED),
    *(C.FORUM_TOPIC_REOPENED, C.GENERAL_FORUM_TOPIC_HIDDEN, C.GENERAL_FORUM_TOPIC_UNHIDDEN, C.GIVEAWAY_CREATED),
    *(C.GIVEAWAY_COMPLETED, C.MANAGED_BOT_CREATED, C.POLL_OPTION_ADDED, C.POLL_OPTION_DELETED, C.SUGGESTED_POST_APPROVED),
    *(C.SUGGESTED_POST_APPROVAL_FAILED, C.SUGGESTED_POST_DECLINED, C.SUGGESTED_POST_PAID, C.SUGGESTED_POST_REFUNDED),
    *(C.VIDEO_CHAT_SCHEDULED, C.VIDEO_CHAT_STARTED, C.VIDEO_CHAT_ENDED, C.VIDEO_CHAT_PARTICIPANTS_INVITED),
    *(C.COMMUNITY_CHAT_ADDED, C.COMMUNITY_CHAT_REMOVED, C.COMMUNITY_CHAT_JOINED),
})  # fmt: skip
"""Telegram's own notes on the chat; any other kind was sent by a person, also one that is new."""

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
    """`to` is the bot that it names, in small letters: in a group there may be several."""

    command: Command
    argument: str = ""
    to: str | None = None


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
    """`chat` is Telegram's id of the chat; `language` what the customer's Telegram is set to. `private`: with one person alone. `thread` is the
    topic of the chat in which it was written. `masked` are the kinds of what was taken out of its texts already.
    """

    update_id: int
    chat: int
    private: bool
    language: str | None
    meaning: Meaning
    message_id: int | None = None
    thread: int | None = None
    edited: bool = False
    masked: tuple[str, ...] = ()

    @property
    def album(self) -> str | None:
        """The name of the album that its file is one of."""
        return (self.meaning.group or "")[:64] or None if isinstance(self.meaning, Said) else None


def external_id(bot_id: int, arrival: Arrival) -> str:
    """The kit's name for this delivery: the same for each repeat."""
    return f"{bot_id}:{arrival.update_id}"


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
        message.message_id,
        message.message_thread_id if message.is_topic_message else None,
        message.edit_date is not None,
    )


def _meaning(message: Message) -> Meaning | None:
    text = message.text or message.caption
    file = file_of(message)
    edited = message.edit_date is not None
    if text is None and not edited:  # a place that moves would never end
        text = words_of(message)
    if text is None and file is None:
        return Unreadable(C(message.content_type).value) if not edited and _is_content(message) else None
    if text is None:
        return Said("", file, message.media_group_id)
    command = COMMAND.fullmatch(text.strip()) if message.text is not None else None
    if command is not None:
        to = command[2].lower() if command[2] else None
        return Commanded(command[1], (command[3] or "").strip(), to)  # type: ignore[arg-type]  # the pattern has these alone
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
    """Something that a person has sent. Of a kind that aiogram does not know there is a field that it does not know."""
    kind = C(message.content_type)
    return bool(message.model_extra) if kind == C.UNKNOWN else kind not in NOTES


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
