"""Calls of the Bot API, and what their errors mean for whoever has to know whether a message arrived.

Telegram's sends are not idempotent and have no id of ours (tdlib/telegram-bot-api#126): after a time-out nobody can say.
"""

import re
from collections.abc import Awaitable
from typing import TypeVar

import aiohttp
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)

from connectors.kit.channel import SEND_WITHIN_S, Gone, Moved, NotSent, Refused, Unsure

T = TypeVar("T")

CALL_TIMEOUT_S = SEND_WITHIN_S / 2
"""A message whose formatting is refused is sent a second time without."""
CONNECT_WITHIN_S = 5.0
CONNECTIONS = 1_000
REVOKED_AGAIN_S = 60.0
"""A token that Telegram refuses is somebody's to mend; until then messages wait."""
UNREACHABLE = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""aiohttp's errors from before anything was written to the server."""
CHAT_GONE = ("chat not found", "user is deactivated", "bot was kicked", "PEER_ID_INVALID")
TOO_MANY = "Too Many Requests"
CANNOT_PARSE = "can't parse entities"
NOT_MODIFIED = "message is not modified"
ALREADY_DELETED = "message to delete not found"


def make_bot(token: str, api_url: str) -> Bot:
    """Opens nothing yet. The session is one for all calls of this bot, as many at once as a long poll leaves room for."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(api_url), limit=CONNECTIONS)
    # aiogram knows a time-out for all of a call alone, which does not tell whether anything was sent.
    timeout = aiohttp.ClientTimeout(CALL_TIMEOUT_S, sock_connect=CONNECT_WITHIN_S)
    session.timeout = timeout  # type: ignore[assignment]  # passed on to aiohttp as it is
    return Bot(token, session=session, default=DefaultBotProperties(parse_mode=None))


async def called(call: Awaitable[T]) -> T:
    """Raises the kit's words for what aiogram raises: `NotSent`, `Unsure`, `Refused`, `Gone`, `Moved`."""
    try:
        return await call
    except TelegramRetryAfter as error:
        raise NotSent("too many messages (429)", float(error.retry_after)) from error
    except TelegramMigrateToChat as error:
        raise Moved(str(error.migrate_to_chat_id)) from error
    except TelegramForbiddenError as error:
        raise Gone(reason_of(error.message)) from error
    except (TelegramBadRequest, TelegramNotFound, TelegramEntityTooLarge) as error:
        gone = any(words in error.message for words in CHAT_GONE)
        raise (Gone if gone else Refused)(reason_of(error.message)) from error
    except TelegramUnauthorizedError as error:
        raise NotSent("Telegram refuses the bot's token (401)", REVOKED_AGAIN_S) from error
    except TelegramNetworkError as error:
        if isinstance(error.__cause__, UNREACHABLE):
            raise NotSent("Telegram is not reached") from error
        raise Unsure("Telegram gave no answer") from error
    except TelegramAPIError as error:
        if TOO_MANY in error.message:
            raise NotSent("too many messages (429)") from error
        raise Unsure(f"Telegram failed ({type(error).__name__})") from error
    except Exception as error:  # an answer that is none, of whatever stands between
        raise Unsure(f"Telegram failed ({type(error).__name__})") from error


def reason_of(description: str) -> str:
    """Telegram's words without what they may quote of a text: what stands in quotation marks, and behind a second colon."""
    words = description.partition(": ")[2] or description
    return re.sub(r'"[^"]*"?', '"…"', words.partition(":")[0])[:120]
