"""What users do in their chats; each becomes an update, or none where the bot does not want its kind. Pure."""

from dataclasses import dataclass

from tests.telegram_api.errors import Json, bad_request
from tests.telegram_api.markup import as_html, buttons, quoted, without_reply
from tests.telegram_api.state import Bot, Chat, ChatKind, Kept, Standing

#: Kind of a file -> its folder and the suffix of its name.
FOLDERS = {
    "photo": ("photos", ".jpg"),
    "voice": ("voice", ".oga"),
    "document": ("documents", ""),
    "sticker": ("stickers", ".webp"),
    "audio": ("music", ".mp3"),
    "video": ("videos", ".mp4"),
    "animation": ("animations", ".mp4"),
    "video_note": ("video_notes", ".mp4"),
}
#: What a kind has in any case.
SHAPES: dict[str, Json] = {
    "sticker": {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False},
    "voice": {"duration": 1},
    "audio": {"duration": 1},
    "video": {"duration": 1, "width": 640, "height": 480},
    "animation": {"duration": 1, "width": 640, "height": 480},
    "video_note": {"duration": 1, "length": 240},
}
BESIDE = ("caption", "media_group_id")
"""Of the message, not of its file."""


@dataclass(frozen=True)
class Happened:
    update_id: int | None
    #: Telegram's object: the message, the callback query, …
    content: Json


def add_private_chat(bot: Bot, user: Json, started: bool) -> Chat:
    names = {key: user[key] for key in ("first_name", "last_name", "username") if user.get(key)}
    info = {"id": user["id"], "type": "private", **names}
    standing: Standing = "active" if started else "not_started"
    chat = Chat(user["id"], "private", info, standing, users={user["id"]: user})
    bot.chats[chat.chat_id] = chat
    return chat


def add_group(bot: Bot, kind: ChatKind, chat_id: int, title: str, users: list[Json]) -> Chat:
    info = {"id": chat_id, "type": kind, "title": title}
    chat = Chat(chat_id, kind, info, users={user["id"]: user for user in users})
    bot.chats[chat_id] = chat
    return chat


def chat_of(bot: Bot, chat_id: int) -> Chat:
    """As a user sees it: also one that has blocked the bot. Raises ApiError."""
    if chat_id not in bot.chats:
        raise bad_request("chat not found")
    return bot.chats[chat_id]


def user_of(chat: Chat, user_id: int | None) -> Json:
    """The chat's first user when none is named. Raises ApiError."""
    known = next(iter(chat.users), 0) if user_id is None else user_id
    if known not in chat.users:
        raise bad_request(f"user {known} is not in chat {chat.chat_id}")
    return chat.users[known]


def say(bot: Bot, chat: Chat, user: Json, now: float, content: Json) -> Happened:
    """A message of `content`: text, photo, location, …; the first one starts the chat."""
    if chat.standing == "not_started":
        chat.standing = "active"
    head = {"message_id": bot.message_id(chat), "from": user, "chat": chat.info, "date": int(now)}
    kept = bot.keep(chat, {**head, **content}, as_html(str(content.get("text", ""))), by_bot=False)
    return Happened(bot.updates.add("message", kept.message), kept.message)


def text_content(text: str, entities: list[Json]) -> Json:
    """A command at the beginning is marked as one when no entities are given."""
    command = text.split()[0] if text.startswith("/") and len(text) > 1 else ""
    marked = entities or [{"type": "bot_command", "offset": 0, "length": len(command)}] * bool(command)
    return {"text": text, **({"entities": marked} if marked else {})}


def reply_content(bot: Bot, chat: Chat, reply_to: int | None, quote: str) -> Json:
    if reply_to is None:
        return {}
    kept = message_of(bot, chat, reply_to)
    told: Json = {"reply_to_message": without_reply(kept)}
    return {**told, "quote": quoted(kept, quote, "the message has no such words")} if quote else told


def message_of(bot: Bot, chat: Chat, message_id: int) -> Kept:
    kept = bot.message(chat, message_id)
    if kept is None:
        raise bad_request(f"no message {message_id} in chat {chat.chat_id}")
    return kept


def file_content(bot: Bot, kind: str, content: bytes, size: int | None, told: Json) -> Json:
    """`told`: what the kind has besides its file: duration, file_name, mime_type, emoji; and `BESIDE`."""
    folder, suffix = FOLDERS[kind]
    name = str(told.get("file_name", ""))
    suffix = "." + name.rpartition(".")[2] if kind == "document" and "." in name else suffix
    stored = bot.add_file(folder, suffix, content, size)
    beside = {key: told[key] for key in BESIDE if told.get(key)}
    own = {key: value for key, value in told.items() if key not in BESIDE and value is not None}
    if kind == "photo":
        small = bot.add_file(folder, suffix, content[:1024], None)
        sizes = [{**small.told(), "width": 90, "height": 67}, {**stored.told(), "width": 1280, "height": 960}]
        return {"photo": sizes, **beside}
    file = {**stored.told(), **SHAPES.get(kind, {}), **own}
    # Telegram tells of an animation as a document, too.
    return {kind: file, **({"document": {**stored.told(), **own}} if kind == "animation" else {}), **beside}


def edit(bot: Bot, chat: Chat, message_id: int, now: float, text: str) -> Happened:
    kept = message_of(bot, chat, message_id)
    if kept.by_bot or "text" not in kept.message:
        raise bad_request(f"message {message_id} is no text of a user")
    kept.before.append(kept.message["text"])
    kept.message = {**kept.message, "edit_date": int(now), "text": text}
    kept.message.pop("entities", None)
    kept.html = as_html(text)
    return Happened(bot.updates.add("edited_message", kept.message), kept.message)


def press(bot: Bot, chat: Chat, user: Json, message_id: int, data: str) -> Happened:
    kept = message_of(bot, chat, message_id)
    known = [button.get("callback_data") for button in buttons(kept.message)]
    if data not in known:
        raise bad_request(f"message {message_id} has no button with {data!r}; it has {known}")
    bot.last_callback += 1
    query_id = str((user["id"] << 32) + bot.last_callback)
    bot.callbacks.add(query_id)
    query = {
        "id": query_id,
        "from": user,
        "message": kept.message,
        "chat_instance": str(chat.chat_id * 7919),
        "data": data,
    }
    return Happened(bot.updates.add("callback_query", query), query)


def stop_draft(bot: Bot, chat: Chat, now: float) -> Happened:
    draft = chat.draft(now)
    if draft is None or not draft.can_stop:
        raise bad_request(f"chat {chat.chat_id} shows no draft that can be stopped")
    draft.gone = not draft.keep_on_stop
    stopped = {"chat": chat.info, "draft_id": draft.draft_id}
    return Happened(bot.updates.add("stopped_message_generation", stopped), stopped)


def change_standing(bot: Bot, chat: Chat, standing: Standing, migrated_to: int, now: float) -> Happened:
    """Blocking and unblocking are told to the bot; what else there is, it finds out."""
    before, chat.standing, chat.migrated_to = chat.standing, standing, migrated_to
    if standing == "migrated" and migrated_to not in bot.chats:
        add_group(bot, "supergroup", migrated_to, chat.info["title"], list(chat.users.values()))
    out = {"blocked", "kicked"}
    if (before in out) == (standing in out):
        return Happened(None, {})
    member = {"user": bot.user, "status": "member"}
    banned = {"user": bot.user, "status": "kicked", "until_date": 0}
    old, new = (member, banned) if standing in out else (banned, member)
    changed = {"chat": chat.info, "from": user_of(chat, None), "date": int(now)}
    changed |= {"old_chat_member": old, "new_chat_member": new}
    return Happened(bot.updates.add("my_chat_member", changed), changed)
