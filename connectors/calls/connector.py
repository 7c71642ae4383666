"""What the platform asks of this connector: the watched folder. Calls over HTTP come through the gateway."""

from connectors.calls.settings import CallSettings
from connectors.kit.channel import Doorway, Opened
from connectors.kit.discovery import HttpDoor, Runs

NAME = "call-folder"
"""The worker `calls` is another: it makes conversations of what comes in here."""
CHATS = False


def configured() -> bool:
    """Raises `ConfigurationError`."""
    return CallSettings.load().folder is not None


def build(opened: Opened) -> Runs:
    """Raises `ConfigurationError`."""
    from connectors.calls.folder import FolderWatch

    settings = CallSettings.load()
    return FolderWatch(NAME, opened, settings.watched(), settings.tenant, keep_days=settings.keep_days)


def door(opened: Doorway) -> HttpDoor | None:
    return None
