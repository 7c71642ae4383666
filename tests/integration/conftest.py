"""What several modules of integration tests start."""

from collections.abc import Iterator

import pytest

from tests.support.telegram import TelegramApi


@pytest.fixture(scope="module")
def bot_api() -> Iterator[TelegramApi]:
    """Telegram's Bot API as a process of its own, with one bot."""
    started = TelegramApi.start()
    started.add_bot()
    yield started
    started.stop()


@pytest.fixture
def api(bot_api: TelegramApi) -> Iterator[TelegramApi]:
    """The same, without faults before and after a test."""
    yield bot_api
    bot_api.set_faults()
    bot_api.set_outage("off")
