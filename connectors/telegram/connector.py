"""What the platform asks of this connector. aiogram is imported only where there is a bot."""

from connectors.kit.channel import Doorway, Opened
from connectors.kit.discovery import HttpDoor, Runs
from connectors.telegram.settings import TelegramSettings


def configured() -> bool:
    """Raises `ConfigurationError`."""
    return TelegramSettings.load().configured


def build(opened: Opened) -> Runs:
    """Raises `ConfigurationError`."""
    from connectors.kit.outbox import Outbox
    from connectors.telegram.service import ListeningTelegram

    return Outbox(opened, ListeningTelegram(opened, TelegramSettings.load()))


def door(opened: Doorway) -> HttpDoor | None:
    """Raises `ConfigurationError`."""
    settings = TelegramSettings.load()
    if not settings.configured or not settings.webhook:
        return None
    from connectors.telegram.service import WebhookDoor

    return WebhookDoor(opened, settings)
