"""A platform that outlives its processes, on SQLite or on Kafka and PostgreSQL: for tests that kill one of them."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.migrations import upgrade_keys, upgrade_store
from parley.cli.admin import specs
from parley.settings import Settings
from tests.support.small_tenant import CONFIG, CONTENT, VERSION
from workers.wiring import Platform, open_platform


def durable_platform(
    request: pytest.FixtureRequest, home: Path, **environment: str
) -> tuple[Platform, dict[str, str]]:
    """The fixture's form (`sqlite` or `kafka`), open and with the small tenant; and the environment of processes that work on it."""
    environment |= {"PARLEY_HOME": str(home), "PARLEY_SECRET": secrets.token_hex(32)}
    settings = Settings(home=home, secret=environment["PARLEY_SECRET"])
    if request.param == "kafka":
        fresh: Callable[[], str] = request.getfixturevalue("fresh_database")
        urls = {
            "bus_url": request.getfixturevalue("clean_kafka").url,
            "database_url": fresh(),
            "keys_url": fresh(),
        }
        settings = settings.model_copy(update=urls)
        environment |= {f"PARLEY_{name.upper()}": url for name, url in urls.items()}
    settings.ensure_home()
    upgrade_store(settings.database)
    upgrade_keys(settings.keys)
    platform = open_platform(settings)
    admin = platform.bus.admin()
    admin.apply(specs(settings))
    admin.close()
    platform.store.put(VERSION, CONFIG, CONTENT, datetime.now(UTC))
    return platform, environment
