"""The table of the API's methods, and those that stand for themselves."""

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.telegram_api import messages, receiving
from tests.telegram_api.errors import NOT_FOUND, Json, bad_request
from tests.telegram_api.params import Params
from tests.telegram_api.state import Bot, World
from tests.telegram_api.waiting import Changes

#: getFile gives no larger ones: "bots can download files of up to 20MB in size".
MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
ACTIONS = (
    *("typing", "choose_sticker", "find_location", "record_video", "record_voice", "record_video_note"),
    *("upload_photo", "upload_video", "upload_voice", "upload_document", "upload_video_note"),
)
#: Everything that Parley's connector may call; in lower case, since the API does not mind.
NAMES = {
    name.lower(): name
    for name in (
        *("getMe", "getUpdates", "setWebhook", "deleteWebhook", "getWebhookInfo", "logOut", "close"),
        *("sendMessage", "sendMessageDraft", "editMessageText", "editMessageReplyMarkup", "deleteMessage"),
        *("sendChatAction", "answerCallbackQuery", "getFile"),
        *("setMyCommands", "getMyCommands", "deleteMyCommands"),
    )
}


@dataclass(frozen=True)
class Result:
    value: Any
    description: str = ""

    def answer(self) -> Json:
        said: Json = {"ok": True, "result": self.value}
        return {**said, "description": self.description} if self.description else said


async def perform(world: World, changes: Changes, bot: Bot, method: str, asked: Params) -> Result:
    """`method` as NAMES spells it. Raises ApiError."""
    if method == "getUpdates":
        return Result(await receiving.get_updates(bot, asked, changes))
    result = _perform(bot, method, asked, world.clock())
    changes.tell()
    return result


def _perform(bot: Bot, method: str, asked: Params, now: float) -> Result:
    match method:
        case "getMe":
            return Result({**bot.user, **_abilities()})
        case "setWebhook":
            return Result(*receiving.set_webhook(bot, asked))
        case "deleteWebhook":
            return Result(*receiving.delete_webhook(bot, asked))
        case "getWebhookInfo":
            return Result(receiving.webhook_info(bot))
        case "sendMessage":
            return Result(messages.send_message(bot, asked, now))
        case "sendMessageDraft":
            return Result(messages.send_message_draft(bot, asked, now))
        case "editMessageText":
            return Result(messages.edit_message_text(bot, asked, now))
        case "editMessageReplyMarkup":
            return Result(messages.edit_message_reply_markup(bot, asked, now))
        case "deleteMessage":
            return Result(messages.delete_message(bot, asked, now))
        case "sendChatAction":
            return Result(_send_chat_action(bot, asked))
        case "answerCallbackQuery":
            return Result(_answer_callback_query(bot, asked))
        case "getFile":
            return Result(_get_file(bot, asked))
        case "setMyCommands" | "getMyCommands" | "deleteMyCommands":
            return Result(_commands(bot, method, asked))
        case "logOut" | "close":
            return Result(True)
    raise NOT_FOUND


def _abilities() -> Json:
    return {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def _send_chat_action(bot: Bot, asked: Params) -> bool:
    if asked.text("action") not in ACTIONS:
        raise bad_request("wrong parameter action in request")
    bot.chat(asked.chat_id())
    return True


def _answer_callback_query(bot: Bot, asked: Params) -> bool:
    if asked.text("callback_query_id") not in bot.callbacks:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    if len(asked.text("text")) > 200:
        raise bad_request("MESSAGE_TOO_LONG")
    return True


def _get_file(bot: Bot, asked: Params) -> Json:
    stored = bot.files.get(asked.text("file_id"))
    if stored is None:
        raise bad_request("invalid file_id")
    if stored.size > MAX_DOWNLOAD_BYTES:
        raise bad_request("file is too big")
    return {**stored.told(), "file_path": stored.path}


def _commands(bot: Bot, method: str, asked: Params) -> bool | list[Json]:
    scope = asked.mapping("scope", "BotCommandScope") or {"type": "default"}
    place = (json.dumps(scope, sort_keys=True), asked.text("language_code"))
    if method == "getMyCommands":
        return bot.commands.get(place, [])
    bot.commands.pop(place, None)
    if method == "setMyCommands":
        bot.commands[place] = _checked_commands(asked.sequence("commands", "BotCommand") or [])
    return True


def _checked_commands(given: list[Json]) -> list[Json]:
    for each in given:
        if re.fullmatch(r"/?[a-z0-9_]{1,32}", str(each.get("command", ""))) is None:
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(str(each.get("description", ""))) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return given
