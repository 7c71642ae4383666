"""A platform on SQLite whose bot is the emulated one (tests/telegram_api)."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.migrations import upgrade_store
from parley.backends.bus import open_bus
from parley.backends.sql import open_store
from parley.settings import Settings
from tests.support.platform import make_platform
from tests.support.telegram import TOKEN, TelegramApi
from workers.wiring import Platform


@contextmanager
def telegram_platform(
    api: TelegramApi, settings: Settings, environment: pytest.MonkeyPatch
) -> Iterator[Platform]:
    """Open, with the small tenant and without workers. The connector's settings stand in the environment."""
    environment.setenv("PARLEY_TELEGRAM_TOKEN", TOKEN)
    environment.setenv("PARLEY_TELEGRAM_API_URL", api.base_url)
    upgrade_store(settings.database)
    opened = make_platform(open_bus(settings.bus), open_store(settings.database), settings=settings)
    yield opened
    opened.close()
