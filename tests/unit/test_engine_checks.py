"""What is said of whoever writes answers before anything is started: the setting that is wrong, and what is allowed."""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from parley.engine_settings import STARTER
from parley.errors import ConfigurationError
from parley.settings import Settings
from workers import engine_checks
from workers.engine_checks import check_generator

EXPORTED = {
    "model": {
        "context_length": 64,
        "eos_token_id": 0,
        "vocab_size": 8,
        "decoder": {
            "filename": "model.onnx",
            "head_size": 4,
            "num_hidden_layers": 1,
            "num_key_value_heads": 1,
        },
    }
}


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Packages that are missing; those that are not named are there, whatever this environment has."""
    missing: set[str] = set()
    monkeypatch.setattr(engine_checks, "find_spec", lambda name: None if name in missing else find_spec("os"))
    return missing


def refusal(tmp_path: Path, generator: str, **chosen: object) -> str:
    with pytest.raises(ConfigurationError) as refused:
        check_generator(Settings.load(home=tmp_path, generator=generator, **chosen))
    return str(refused.value)


def spoiled(tmp_path: Path, name: str, content: str) -> Path:
    folder = Path(shutil.copytree(STARTER, tmp_path / "model", ignore=shutil.ignore_patterns("adapters")))
    (folder / name).write_text(content)
    return folder


def test_quotation_needs_nothing(tmp_path: Path, installed: set[str]) -> None:
    installed.update(("vllm", "jinja2"))
    check_generator(Settings.load(home=tmp_path))


def test_the_starter_model_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARLEY_ENGINE_MODEL", raising=False)
    check_generator(Settings.load(home=tmp_path, generator="vllm"))


@pytest.mark.parametrize(
    ("generator", "package", "how"),
    [("vllm", "vllm", "pip install 'parley[vllm]'"), ("onnx", "jinja2", "pip install 'parley[onnx]'")],
)
def test_a_package_that_is_missing_is_named_with_how_to_install_it(
    tmp_path: Path, installed: set[str], generator: str, package: str, how: str
) -> None:
    installed.add(package)
    told = refusal(tmp_path, generator)
    assert told.startswith(f"PARLEY_GENERATOR: {generator} needs ") and how in told and "make engine" in told


@pytest.mark.parametrize("generator", ["vllm", "onnx"])
def test_a_folder_that_does_not_exist_is_named_by_its_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generator: str
) -> None:
    monkeypatch.setenv("PARLEY_ENGINE_MODEL", "/no/such/folder")
    assert refusal(tmp_path, generator).startswith("PARLEY_ENGINE_MODEL: /no/such/folder is no folder")


@pytest.mark.parametrize("content", ['{"a":', "[]", '{"model_type": "llama"}'])
def test_a_configuration_that_is_broken_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    folder = spoiled(tmp_path, "config.json", content)
    monkeypatch.setenv("PARLEY_ENGINE_MODEL", str(folder))
    told = refusal(tmp_path, "vllm")
    assert told.startswith("PARLEY_ENGINE_MODEL: ") and str(folder / "config.json") in told


def test_a_model_whose_shapes_nobody_knows_is_named_by_its_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}
    monkeypatch.setenv("PARLEY_ENGINE_MODEL", str(spoiled(tmp_path, "config.json", json.dumps(config))))
    assert refusal(tmp_path, "vllm").startswith("PARLEY_ENGINE_MODEL: ")


def test_a_model_that_was_not_exported_is_none_for_onnx(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_ENGINE_MODEL", str(STARTER))
    told = refusal(tmp_path, "onnx")
    assert told.startswith(f"PARLEY_ENGINE_MODEL: {STARTER / 'genai_config.json'}: No such file")
    assert "parley models export-onnx" in told


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "model.decoder: missing"),
        ({"model": {"decoder": []}}, "model.decoder: missing"),
        ({"model": {**EXPORTED["model"], "decoder": {"filename": "model.onnx"}}}, "head_size, num_hidden"),
        (EXPORTED, "model.onnx: is missing"),
    ],
)
def test_an_export_that_lacks_something_is_told_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: object, words: str
) -> None:
    folder = spoiled(tmp_path, "genai_config.json", json.dumps(config))
    monkeypatch.setenv("PARLEY_ENGINE_MODEL", str(folder))
    told = refusal(tmp_path, "onnx")
    assert told.startswith(f"PARLEY_ENGINE_MODEL: {folder}") and words in told and "export-onnx" in told


@pytest.mark.parametrize(
    ("url", "model", "setting"),
    [
        ("http://127.0.0.1:8000/v1", "", "PARLEY_OPENAI_MODEL"),
        ("127.0.0.1:8000", "m", "PARLEY_OPENAI_URL"),
        ("http://", "m", "PARLEY_OPENAI_URL"),
        ("http://host:port/v1", "m", "PARLEY_OPENAI_URL"),
    ],
)
def test_a_server_is_not_asked_where_its_settings_are_wrong(
    tmp_path: Path, url: str, model: str, setting: str
) -> None:
    assert refusal(tmp_path, "openai", openai_url=url, openai_model=model).startswith(f"{setting}: ")
