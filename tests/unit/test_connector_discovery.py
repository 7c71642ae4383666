"""Which connectors are found: those beside the kit and the examples, each under a name of its own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import connectors
from connectors.kit import discovery
from parley.errors import ConfigurationError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """One more place where packages of `connectors` lie."""
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(tmp_path)])
    discovery.found.cache_clear()
    yield tmp_path
    for name in {f"connectors.{each.name}" for each in tmp_path.iterdir()}:
        for module in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
            del sys.modules[module]
    discovery.found.cache_clear()


def connector(folder: Path, name: str, text: str = "") -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").touch()
    (folder / name / "connector.py").write_text(text, encoding="utf-8")


def test_an_example_is_found_as_any_other() -> None:
    assert {"telegram", "webhook"} <= set(discovery.found())
    assert "examples" not in discovery.found() and "kit" not in discovery.found()


def test_a_folder_is_found_by_its_name_or_the_one_it_gives_itself(folder: Path) -> None:
    connector(folder, "pigeon")
    connector(folder, "owl_post", 'NAME = "owl-post"')
    assert {"pigeon", "owl-post"} <= set(discovery.found())


@pytest.mark.parametrize(("name", "text"), [("webhook", ""), ("mine", 'NAME = "telegram"')])
def test_two_of_one_name_are_refused(folder: Path, name: str, text: str) -> None:
    connector(folder, name, text)
    with pytest.raises(ConfigurationError, match="allowed: a name of its own"):
        discovery.found()
