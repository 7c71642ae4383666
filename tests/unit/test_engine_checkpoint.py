"""What is said of a model's folder before an engine tries it, and what its content is called."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from parley.backends.vllm_engine.checkpoint import check_memory, weights_bytes
from parley.backends.vllm_engine.start_log import StartLog
from parley.engine_settings import EngineSettings
from parley.errors import ConfigurationError

GB = 10**9


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"]}))
    weights = np.random.default_rng(0).standard_normal((256, 64)).astype(np.float32)
    save_file({"a": weights, "b": weights[:2]}, tmp_path / "model.safetensors")
    return tmp_path


def settings(model: object, **chosen: object) -> EngineSettings:
    return EngineSettings.load(model=str(model), **chosen)


def test_counts_the_bytes_of_the_weights(folder: Path) -> None:
    assert weights_bytes(settings(folder)) == (folder / "model.safetensors").stat().st_size
    assert weights_bytes(settings("some/model")) is None


def test_counts_the_parts_that_the_index_names_and_no_others(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {"a": "model-00001-of-00001.safetensors"}})
    )
    one = weights_bytes(settings(folder))
    (folder / "consolidated.safetensors").write_bytes(
        (folder / "model-00001-of-00001.safetensors").read_bytes()
    )
    assert weights_bytes(settings(folder)) == one
    (folder / "model-00001-of-00001.safetensors").unlink()
    with pytest.raises(ConfigurationError, match="lacks model-00001-of-00001"):
        weights_bytes(settings(folder))


def test_a_path_that_is_no_folder_is_not_asked_of_the_hub() -> None:
    for model in ("/no/such/folder", "./model", "a/b/c"):
        with pytest.raises(ConfigurationError, match="is no folder"):
            weights_bytes(settings(model))


@pytest.mark.parametrize("kept", [0, 7, 100, -1])
def test_a_file_that_is_not_whole_is_named(folder: Path, kept: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ConfigurationError, match=r"model\.safetensors"):
        weights_bytes(settings(folder))


@pytest.mark.parametrize("config", ["", "{", "[]", "{}"])
def test_a_configuration_that_is_none_is_named(folder: Path, config: str) -> None:
    (folder / "config.json").write_text(config)
    with pytest.raises(ConfigurationError, match=r"config\.json"):
        weights_bytes(settings(folder))


def test_a_folder_without_weights_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ConfigurationError, match=r"no \*\.safetensors"):
        weights_bytes(settings(folder))


def test_weights_that_do_not_fit_are_refused_with_what_would() -> None:
    chosen = settings("some/model", gpu_memory_utilization=0.9)
    check_memory(chosen, 16 * GB, 24 * GB)
    with pytest.raises(ConfigurationError) as refused:
        check_memory(chosen, 30 * GB, 24 * GB)
    told = str(refused.value)
    for part in ("30.0 GB", "1 × 21.6 GB", "PARLEY_ENGINE_TENSOR_PARALLEL=2", "QUANTIZATION=fp8 (15.0 GB)"):
        assert part in told
    check_memory(settings("some/model", quantization="fp8"), 30 * GB, 24 * GB)
    check_memory(settings("some/model", tensor_parallel=2), 30 * GB, 24 * GB)
    with pytest.raises(ConfigurationError, match="TENSOR_PARALLEL=8 ") as refused:
        check_memory(settings("some/model", quantization="int8"), 200 * GB, 24 * GB)
    assert "QUANTIZATION" not in str(refused.value)


def test_the_cause_of_a_failed_start_is_the_first_error_that_nobody_passed_on(tmp_path: Path) -> None:
    file = tmp_path / "errors.log"
    file.write_text("ValueError: of a start before\n")
    log = StartLog(file)
    assert log.cause() is None
    file.write_text(
        "ERROR 11-30 [Worker] WorkerProc failed to start.\n"
        "Traceback (most recent call last):\n"
        '  File "worker.py", line 7, in load_model\n'
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 448.00 MiB.\n"
        "ERROR 11-30 [EngineCore] EngineCore failed to start.\n"
        "Exception: WorkerProc initialization failed due to an exception in a background process.\n"
    )
    assert log.cause() == "OutOfMemoryError: CUDA out of memory. Tried to allocate 448.00 MiB."
