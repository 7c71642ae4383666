"""Hugging Face's cache as its library lays it out, and who would have been asked beyond it."""

import socket
from pathlib import Path
from typing import NoReturn

import pytest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def cached_model(cache: Path, model_id: str) -> Path:
    """The folder of a model's one revision (`COMMIT`, on the branch main), not made yet: for its files."""
    model = cache / f"models--{model_id.replace('/', '--')}"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text(COMMIT)
    (model / "snapshots").mkdir()
    return model / "snapshots" / COMMIT


@pytest.fixture
def asked_names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts that somebody tried to reach, all of them in vain."""
    names: list[str] = []

    def refuse(address: object, *_: object, **__: object) -> NoReturn:
        names.append(str(address[0] if isinstance(address, tuple) else address))
        raise socket.gaierror("no names here")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    return names
