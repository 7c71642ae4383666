"""Schema changes by Alembic, for both databases: the platform's store and the customers' keys.

A new revision: change `parley/backends/sql/tables.py`, add a file to `store/versions/` or `keys/versions/`; a contract test fails
until tables and migrations agree.
"""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config

from parley.backends.sql.engine import make_engine
from parley.backends.sql.translating import translated

HERE = Path(__file__).resolve().parent


def upgrade_store(url: str) -> None:
    """Bring the platform's database to the newest schema; safe to repeat. Raises `StoreUnavailable`."""
    _upgrade("store", url)


def upgrade_keys(url: str) -> None:
    """Bring the key store to the newest schema, and apply its list of erasures again. Raises `StoreUnavailable`."""
    from parley.backends.keys import open_keys

    _upgrade("keys", url)
    keys = open_keys(url)
    try:
        keys.apply_erasures()
    finally:
        keys.close()


def _upgrade(which: str, url: str) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(HERE / which))
    engine = make_engine(url)
    try:
        with translated(), engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    finally:
        engine.dispose()
