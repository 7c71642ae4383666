"""What all tests share: the servers' fixtures, and no sockets in `tests/unit` and `tests/replay`."""

from pathlib import Path

import pytest

pytest_plugins = ("tests.servers",)

HERE = Path(__file__).parent
WITHOUT_SOCKETS = {HERE / "unit", HERE / "replay"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """An event loop's own pair of sockets is let through (--allow-unix-socket)."""
    for item in items:
        if WITHOUT_SOCKETS & set(item.path.parents):
            item.add_marker(pytest.mark.disable_socket)
