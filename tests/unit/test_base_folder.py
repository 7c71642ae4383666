"""Base models on this machine: by folder, or by an id in Hugging Face's cache, with or without asking the hub."""

import asyncio
from pathlib import Path

import pytest
from huggingface_hub import constants

from parley.backends.base_folder import find_base
from parley.backends.memory_bus import MemoryBus
from parley.backends.vllm_engine import VllmEngine
from parley.backends.vllm_engine.arguments import prepare_environment
from parley.engine_settings import EngineSettings
from parley.errors import ConfigurationError
from parley.settings import Settings
from tests.support.hub import COMMIT, cached_model
from tests.support.hub import asked_names as asked_names
from tests.support.lora import write_base
from tests.support.platform import make_platform
from workers.writers import build_inference

REFUSED = "PARLEY_ENGINE_MODEL: 'nobody/nothing' is no folder here and no id in the local Hugging Face cache"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The library's own cache, with one model in it."""
    folder = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    write_base(cached_model(folder, "some/tiny"))
    return folder


def test_an_id_is_found_in_the_cache_and_named_by_its_commit(asked_names: list[str]) -> None:
    for revision in (None, "main", COMMIT):
        base = find_base("some/tiny", revision, offline=True)
        assert (base.name, base.revision) == ("some/tiny", COMMIT)
    assert asked_names == []


def test_offline_an_id_that_is_not_cached_is_refused_and_nobody_is_asked(asked_names: list[str]) -> None:
    with pytest.raises(ConfigurationError, match=REFUSED):
        find_base("nobody/nothing", offline=True)
    with pytest.raises(ConfigurationError, match="at revision 'other'"):
        find_base("some/tiny", "other", offline=True)
    with pytest.raises(ConfigurationError, match=REFUSED.replace("nobody/nothing", "/no/such/folder")):
        find_base("/no/such/folder", offline=True)
    assert asked_names == []


def test_otherwise_the_hub_is_asked(asked_names: list[str]) -> None:
    """Or the tests above would show nothing."""
    with pytest.raises(ConfigurationError, match="was not found on Hugging Face"):
        find_base("nobody/nothing")
    assert asked_names != []


@pytest.mark.parametrize(
    ("generator", "refused"),
    [
        ("vllm", REFUSED),
        ("onnx", "PARLEY_ENGINE_MODEL: nobody/nothing is no folder; allowed: one that `parley models export-onnx` wrote"),
    ],
)  # fmt: skip
def test_the_worker_is_refused_before_anything_is_loaded(
    monkeypatch: pytest.MonkeyPatch, asked_names: list[str], generator: str, refused: str
) -> None:
    monkeypatch.setenv("PARLEY_ENGINE_MODEL", "nobody/nothing")
    monkeypatch.setenv("PARLEY_ENGINE_OFFLINE", "true")
    with pytest.raises(ConfigurationError, match=refused):
        build_inference(make_platform(MemoryBus(), settings=Settings(bus_url="memory:", generator=generator)))
    assert asked_names == []


def test_vllm_is_not_even_imported_for_it(asked_names: list[str]) -> None:
    engine = VllmEngine(EngineSettings.load(model="nobody/nothing", offline=True))
    with pytest.raises(ConfigurationError, match=REFUSED):
        asyncio.run(engine.start())
    assert asked_names == []


def test_a_library_that_was_imported_long_ago_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else vLLM may fetch, such as a guessing model, goes through it."""
    monkeypatch.setattr("os.environ", dict[str, str]())
    prepare_environment(EngineSettings.load(model="some/tiny", offline=True))
    assert constants.is_offline_mode()
