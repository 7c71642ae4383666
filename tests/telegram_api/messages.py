"""The methods around messages: send, draft, edit, delete; pure."""

from tests.telegram_api.errors import Json, bad_request
from tests.telegram_api.formatting import Formatted, parsed_html, plain, utf16_units
from tests.telegram_api.markup import read_markup, read_reply
from tests.telegram_api.params import Params
from tests.telegram_api.state import Bot, Chat, Draft, Kept

MAX_TEXT_UNITS = 4096
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


def send_message(bot: Bot, asked: Params, now: float) -> Json:
    text = _read_text(asked)
    markup = read_markup(asked)
    preview = asked.mapping("link_preview_options", "link preview options")
    chat = bot.chat(asked.chat_id())
    reply = read_reply(bot, chat, asked)
    _check_length(text, "message is too long")
    message: Json = {
        "message_id": bot.message_id(chat),
        "from": bot.user,
        "chat": chat.info,
        "date": int(now),
    }
    message |= {**reply, **_content(text, markup, preview)}
    for draft in chat.drafts:
        draft.gone = True
    return bot.keep(chat, message, text.html, by_bot=True).message


def send_message_draft(bot: Bot, asked: Params, now: float) -> bool:
    text = _format(asked)
    chat = bot.chat(asked.chat_id())
    if chat.kind != "private":
        raise bad_request("TEXTDRAFT_PEER_INVALID")
    draft_id = asked.number("draft_id")
    if not draft_id:
        raise bad_request("draft_id must be non-zero")
    _check_length(text, "message is too long")
    chat.drafts.append(
        Draft(draft_id, text.text, text.html, now, asked.yes("can_stop"), asked.yes("keep_on_stop"))
    )
    return True


def edit_message_text(bot: Bot, asked: Params, now: float) -> Json:
    text = _read_text(asked)
    markup = read_markup(asked, inline_only=True)
    preview = asked.mapping("link_preview_options", "link preview options")
    kept = _own_message(bot, asked)
    _check_length(text, "MESSAGE_TOO_LONG")
    content = _content(text, markup, preview)
    fields = ("text", "entities", "reply_markup", "link_preview_options")
    old = {key: kept.message[key] for key in fields if key in kept.message}
    if content == old:
        raise bad_request(NOT_MODIFIED)
    kept.before.append(str(kept.message.get("text", "")))
    kept.html = text.html
    rest = {key: value for key, value in kept.message.items() if key not in fields}
    kept.message = {**rest, "edit_date": int(now), **content}
    return kept.message


def edit_message_reply_markup(bot: Bot, asked: Params, now: float) -> Json:
    markup = read_markup(asked, inline_only=True)
    kept = _own_message(bot, asked)
    if kept.message.get("reply_markup") == markup:
        raise bad_request(NOT_MODIFIED)
    rest = {key: value for key, value in kept.message.items() if key != "reply_markup"}
    kept.message = {**rest, "edit_date": int(now), **({"reply_markup": markup} if markup else {})}
    return kept.message


def delete_message(bot: Bot, asked: Params, now: float) -> bool:
    chat = bot.chat(asked.chat_id())
    kept = bot.message(chat, asked.number("message_id"))
    if kept is None:
        raise bad_request("message to delete not found")
    if not kept.by_bot and chat.kind != "private":
        raise bad_request("message can't be deleted")
    kept.deleted = True
    return True


def visible(bot: Bot, chat: Chat) -> list[Kept]:
    return [kept for kept in bot.messages.values() if kept.chat_id == chat.chat_id and not kept.deleted]


def _read_text(asked: Params) -> Formatted:
    """Never empty."""
    if not asked.text("text"):
        raise bad_request("message text is empty")
    text = _format(asked)
    if not text.text:
        raise bad_request("text must be non-empty")
    return text


def _format(asked: Params) -> Formatted:
    mode = asked.text("parse_mode").lower()
    if mode not in ("", "html"):
        raise bad_request("unsupported parse_mode")
    if mode == "html":
        return parsed_html(asked.text("text"))
    return plain(asked.text("text"), asked.sequence("entities", "message entities"))


def _check_length(text: Formatted, otherwise: str) -> None:
    if utf16_units(text.text) > MAX_TEXT_UNITS:
        raise bad_request(otherwise)


def _content(text: Formatted, markup: Json | None, preview: Json | None) -> Json:
    optional = {"entities": text.entities, "reply_markup": markup, "link_preview_options": preview}
    return {"text": text.text, **{key: value for key, value in optional.items() if value}}


def _own_message(bot: Bot, asked: Params) -> Kept:
    if asked.text("inline_message_id"):
        raise bad_request("MESSAGE_ID_INVALID")
    chat = bot.chat(asked.chat_id())
    message_id = asked.number("message_id")
    if message_id is None:
        raise bad_request("message identifier is not specified")
    kept = bot.message(chat, message_id)
    if kept is None:
        raise bad_request("message to edit not found")
    if not kept.by_bot:
        raise bad_request("message can't be edited")
    return kept
