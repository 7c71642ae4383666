"""Keyboards under messages, and what a message replies to; pure."""

import html

from tests.telegram_api.errors import Json, bad_request
from tests.telegram_api.formatting import parsed_html, plain, utf16_units
from tests.telegram_api.params import Params
from tests.telegram_api.state import Bot, Chat, Kept

MAX_CALLBACK_DATA_BYTES = 64
#: What a button of an inline keyboard may do; each does one of them.
ACTIONS = ("callback_data", "url", "login_url", "web_app", "switch_inline_query", "copy_text", "pay")
OTHERS = ("keyboard", "remove_keyboard", "force_reply")


def read_markup(asked: Params, inline_only: bool = False) -> Json | None:
    """Raises ApiError. Only an inline keyboard belongs to the message and comes back with it."""
    given = asked.mapping("reply_markup", "reply markup")
    if not given:
        return None
    if "inline_keyboard" in given:
        rows = [[_button(button) for button in row] for row in given["inline_keyboard"]]
        return {"inline_keyboard": rows} if any(rows) else None
    if inline_only or not any(name in given for name in OTHERS):
        raise bad_request(
            "object expected as reply markup" if not inline_only else "inline keyboard expected"
        )
    return None


def _button(button: Json) -> Json:
    if not button.get("text"):
        raise bad_request('can\'t parse inline keyboard button: Field "text" must be of type String')
    actions = [name for name in ACTIONS if name in button]
    if not actions:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    data = str(button.get("callback_data", "x"))
    if not 0 < len(data.encode()) <= MAX_CALLBACK_DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    return button


def buttons(message: Json) -> list[Json]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button for row in rows for button in row]


def read_reply(bot: Bot, chat: Chat, asked: Params) -> Json:
    """The fields `reply_to_message` and `quote` of the new message. Raises ApiError."""
    given = asked.mapping("reply_parameters", "reply parameters")
    if given is None:
        given = {"message_id": asked.number("reply_to_message_id")}
        given["allow_sending_without_reply"] = asked.yes("allow_sending_without_reply")
    wanted = Params(given)
    message_id = wanted.number("message_id")
    if message_id is None:
        return {}
    replied = bot.message(chat, message_id)
    if replied is None or wanted.number("chat_id") not in (None, chat.chat_id):
        if wanted.yes("allow_sending_without_reply"):
            return {}
        raise bad_request("message to be replied not found")
    told: Json = {"reply_to_message": without_reply(replied)}
    quote = wanted.text("quote")
    if quote:
        read = parsed_html(quote) if wanted.text("quote_parse_mode").lower() == "html" else plain(quote)
        told["quote"] = quoted(replied, read.text, "QUOTE_TEXT_INVALID")
    return told


def without_reply(kept: Kept) -> Json:
    """A message within another one carries no third one."""
    return {key: value for key, value in kept.message.items() if key not in ("reply_to_message", "quote")}


def quoted(kept: Kept, text: str, otherwise: str) -> Json:
    """Telegram's TextQuote. Raises ApiError `otherwise` when the message has no such words."""
    whole = str(kept.message.get("text") or kept.message.get("caption") or "")
    found = whole.find(text)
    if found < 0:
        raise bad_request(otherwise)
    return {"text": text, "position": utf16_units(whole[:found]), "is_manual": True}


def as_html(text: str) -> str:
    return html.escape(text, quote=False)
