"""What there is: bots and their chats, users, messages, files; pure, without HTTP and without a clock."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.telegram_api.errors import ApiError, Json, bad_request, forbidden, migrated
from tests.telegram_api.updates import UpdateQueue

ChatKind = Literal["private", "group", "supergroup"]
Standing = Literal["active", "not_started", "blocked", "deactivated", "kicked", "migrated"]
#: A draft is gone after this time: "a temporary 30-second preview".
DRAFT_S = 30.0


@dataclass
class Draft:
    draft_id: int
    text: str
    html: str
    at: float
    can_stop: bool = False
    keep_on_stop: bool = False
    gone: bool = False


@dataclass
class Chat:
    chat_id: int
    kind: ChatKind
    #: Telegram's Chat.
    info: Json
    standing: Standing = "active"
    migrated_to: int = 0
    #: Telegram's User, by id.
    users: dict[int, Json] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    last_message_id: int = 0

    def draft(self, now: float) -> Draft | None:
        """What the user sees at this moment."""
        last = self.drafts[-1] if self.drafts else None
        return last if last and not last.gone and now - last.at < DRAFT_S else None


@dataclass
class Kept:
    """A message in its chat."""

    chat_id: int
    #: Telegram's Message.
    message: Json
    html: str
    by_bot: bool
    deleted: bool = False
    #: Its texts before edits, the oldest first.
    before: list[str] = field(default_factory=list)

    @property
    def message_id(self) -> int:
        return int(self.message["message_id"])


@dataclass
class StoredFile:
    file_id: str
    unique_id: str
    path: str
    content: bytes
    #: Bytes as told to the bot, which may be more than there are.
    size: int

    def told(self) -> Json:
        return {"file_id": self.file_id, "file_unique_id": self.unique_id, "file_size": self.size}


@dataclass
class Webhook:
    url: str
    secret_token: str = ""
    max_connections: int = 40
    last_error: str = ""
    last_error_at: float = 0.0


@dataclass
class Call:
    """A call of the API as the bot made it."""

    seq: int
    bot: str
    method: str
    params: Json
    #: Unix time in seconds.
    at: float
    #: What the bot was answered; None while it waits, and where nothing came back.
    answer: Any = None
    #: What went wrong on purpose: the `do` of a rule, "outage", "flood".
    fault: str = ""
    performed: bool = False


@dataclass
class Bot:
    token: str
    #: Telegram's User.
    user: Json
    updates: UpdateQueue
    chats: dict[int, Chat] = field(default_factory=dict)
    messages: dict[tuple[int, int], Kept] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    webhook: Webhook | None = None
    #: Callback queries that can still be answered.
    callbacks: set[str] = field(default_factory=set)
    #: By scope and language.
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    #: Grows with each getUpdates: one that waits sees that it is no longer the last.
    polls: int = 0
    #: Private chats and basic groups count together, as in one account; supergroups count for themselves.
    last_message_id: int = 0
    last_callback: int = 0

    def message_id(self, chat: Chat) -> int:
        if chat.kind == "supergroup":
            chat.last_message_id += 1
            return chat.last_message_id
        self.last_message_id += 1
        return self.last_message_id

    def keep(self, chat: Chat, message: Json, html: str, by_bot: bool) -> Kept:
        kept = Kept(chat.chat_id, message, html, by_bot)
        self.messages[chat.chat_id, kept.message_id] = kept
        return kept

    def chat(self, chat_id: int | None) -> Chat:
        """One in which the bot may act. Raises ApiError."""
        if chat_id is None:
            raise bad_request("chat_id is empty")
        chat = self.chats.get(chat_id)
        if chat is None:
            raise bad_request("chat not found")
        refusal = _refusal(chat)
        if refusal is not None:
            raise refusal
        return chat

    def message(self, chat: Chat, message_id: int | None) -> Kept | None:
        kept = self.messages.get((chat.chat_id, message_id or 0))
        return None if kept is None or kept.deleted else kept

    def add_file(self, folder: str, suffix: str, content: bytes, size: int | None) -> StoredFile:
        number = len(self.files)
        path = f"{folder}/file_{number}{suffix}"
        name = hashlib.sha256(f"{self.token} {path}".encode()).hexdigest()
        told = len(content) if size is None else size
        stored = StoredFile(f"Ag{name[:40]}", f"AQ{name[40:54]}", path, content, told)
        self.files[stored.file_id] = stored
        return stored


def _refusal(chat: Chat) -> ApiError | None:
    kicked = "group chat" if chat.kind == "group" else "supergroup chat"
    return {
        "active": None,
        "not_started": forbidden("bot can't initiate conversation with a user"),
        "blocked": forbidden("bot was blocked by the user"),
        "deactivated": forbidden("user is deactivated"),
        "kicked": forbidden(f"bot was kicked from the {kicked}"),
        "migrated": migrated(chat.migrated_to),
    }[chat.standing]


@dataclass
class World:
    #: Unix time in seconds.
    clock: Callable[[], float]
    bots: dict[str, Bot] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    #: Each attempt to post an update: bot, update_id, attempt, at, status (0: no answer), error.
    deliveries: list[Json] = field(default_factory=list)

    def add_bot(self, token: str, username: str, first_name: str) -> Bot:
        user: Json = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": first_name,
            "username": username,
        }
        # Telegram starts somewhere, not at 1.
        bot = Bot(token, user, UpdateQueue(100_000_000 + user["id"] % 1_000_000))
        self.bots[token] = bot
        return bot
