"""What the platform asks of this connector. aiogram is imported only where there is a bot."""

from connectors.kit.channel import Doorway, Opened
from connectors.kit.discovery import HttpDoor, Runs
from connectors.telegram.settings import TelegramSettings
from parley.errors import ConfigurationError


def configured() -> bool:
    """Raises `ConfigurationError`."""
    return TelegramSettings.load().configured


def build(opened: Opened) -> Runs:
    """Raises `ConfigurationError`."""
    from connectors.kit.outbox import Outbox
    from connectors.telegram.service import ListeningTelegram

    settings = TelegramSettings.load()
    if not settings.bots():
        raise ConfigurationError(
            "PARLEY_TELEGRAM_TOKEN: names no bot; allowed: a bot's token, or PARLEY_TELEGRAM_TOKENS_FILE with a line `tenant: token` for each"
        )
    return Outbox(opened, ListeningTelegram(opened, settings))


def door(opened: Doorway) -> HttpDoor | None:
    """Raises `ConfigurationError`."""
    settings = TelegramSettings.load()
    if not settings.configured or not settings.webhook:
        return None
    from connectors.telegram.service import WebhookDoor

    return WebhookDoor(opened, settings)
