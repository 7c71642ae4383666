"""The methods by which a bot gets its updates: long polling, and where a webhook is to go."""

import re
from typing import Any

from tests.telegram_api.errors import Json, bad_request, conflict
from tests.telegram_api.params import Params
from tests.telegram_api.state import Bot, Webhook
from tests.telegram_api.waiting import Changes

#: Telegram cuts longer polls.
MAX_POLL_S = 50


async def get_updates(bot: Bot, asked: Params, changes: Changes) -> list[Json]:
    """Raises ApiError: 409 at once with a webhook, and when another call, or a webhook, ends this one."""
    if bot.webhook is not None:
        raise conflict(
            "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
        )
    limit = min(max(asked.number("limit") or 100, 1), 100)
    read_allowed(bot, asked)
    bot.polls += 1
    mine = bot.polls
    changes.tell()
    offset = asked.number("offset")
    if offset:
        bot.updates.confirm(offset)
        changes.tell()
    found: list[Json] = []

    def ready() -> bool:
        if bot.polls == mine and bot.webhook is None:
            found.extend(bot.updates.batch(limit))
        return bool(found) or bot.polls != mine or bot.webhook is not None

    await changes.until(ready, min(asked.number("timeout") or 0, MAX_POLL_S))
    if found:
        return found
    if bot.webhook is not None:
        raise conflict("terminated by setWebhook request")
    if bot.polls != mine:
        raise conflict(
            "terminated by other getUpdates request; make sure that only one bot instance is running"
        )
    return []


def set_webhook(bot: Bot, asked: Params) -> tuple[bool, str]:
    """HTTP is allowed at any port, as with a local Bot API server. Answers with Telegram's description."""
    url = asked.text("url")
    if not url:
        return delete_webhook(bot, asked)
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    secret = asked.text("secret_token")
    if len(secret) > 256:
        raise bad_request("secret token is too long")
    if re.fullmatch(r"[A-Za-z0-9_-]*", secret) is None:
        raise bad_request("secret token contains unallowed characters")
    at_once = min(max(asked.number("max_connections") or 40, 1), 100)
    read_allowed(bot, asked)
    _drop(bot, asked)
    bot.updates.released()
    bot.webhook = Webhook(url, secret, at_once)
    return True, "Webhook was set"


def delete_webhook(bot: Bot, asked: Params) -> tuple[bool, str]:
    _drop(bot, asked)
    was, bot.webhook = bot.webhook, None
    bot.updates.released()
    return True, "Webhook is already deleted" if was is None else "Webhook was deleted"


def webhook_info(bot: Bot) -> Json:
    hook = bot.webhook
    told: dict[str, Any] = {
        "url": "" if hook is None else hook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(bot.updates.pending),
    }
    if hook is not None:
        told["max_connections"] = hook.max_connections
        if hook.last_error:
            told |= {"last_error_date": int(hook.last_error_at), "last_error_message": hook.last_error}
    if bot.updates.allowed is not None:
        told["allowed_updates"] = sorted(bot.updates.allowed)
    return told


def read_allowed(bot: Bot, asked: Params) -> None:
    """An empty list is the default; what is not given stays as it was."""
    given = asked.structure("allowed_updates", "allowed updates")
    if given is None:
        return
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise bad_request("expected an Array of allowed update types")
    bot.updates.allowed = frozenset(given) or None


def _drop(bot: Bot, asked: Params) -> None:
    if asked.yes("drop_pending_updates"):
        bot.updates.pending = []
