"""What is said of a model's folder before an engine tries it, and what its content is called."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from parley.backends.checkpoint_files import Checkpoint
from parley.backends.vllm_engine.checkpoint import checkpoint_of
from parley.backends.vllm_engine.memory import check_memory, would_fit
from parley.backends.vllm_engine.start_log import StartLog
from parley.domain.model_plan import GIB
from parley.domain.precisions import Tensor
from parley.engine_settings import EngineSettings
from parley.errors import ConfigurationError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]})
    )
    weights = np.random.default_rng(0).standard_normal((256, 64)).astype(np.float32)
    save_file({"a": weights, "b": weights[:2]}, tmp_path / "model.safetensors")
    return tmp_path


def settings(model: object, **chosen: object) -> EngineSettings:
    return EngineSettings.load(model=str(model), **chosen)


def weights_bytes(chosen: EngineSettings) -> int | None:
    found = checkpoint_of(chosen)
    return None if found is None else sum(tensor.bytes for tensor in found.tensors)


def test_knows_the_tensors_of_a_folder(folder: Path) -> None:
    assert weights_bytes(settings(folder)) == (256 + 2) * 64 * 4
    assert weights_bytes(settings(folder, load_format="dummy")) == 0
    assert weights_bytes(settings("some/model")) is None


def test_knows_the_parts_that_the_index_names_and_no_others(folder: Path) -> None:
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
    with pytest.raises(
        ConfigurationError, match=r"^PARLEY_ENGINE_MODEL: .*model-00001-of-00001\.safetensors: No such file"
    ):
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


def llama_8b(**more: object) -> Checkpoint:
    """Its config alone: 15.0 GiB in 16 bits."""
    config = {
        "model_type": "llama",
        "vocab_size": 128256,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "max_position_embeddings": 8192,
    }
    return Checkpoint("llama", Path("llama"), {**config, **more}, ())


def refusal(model: Checkpoint, device_gib: float, **chosen: object) -> str:
    with pytest.raises(ConfigurationError) as refused:
        check_memory(settings("some/model", **chosen), model, int(device_gib * GIB))
    return str(refused.value)


def test_weights_that_do_not_fit_are_refused_with_what_would() -> None:
    told = refusal(llama_8b(), 14, max_loras=0)
    for part in (
        "PARLEY_ENGINE_MODEL: the weights of some/model take 15.0 GiB on each of 1 devices",
        "may use 12.6 GiB there (90% of 14.0)",
        "GiB are missing on each GPU for one request of 8,192 tokens (weights 15.0",
        "It would fit with 8-bit weights (fp8 or int8); or 4-bit weights; or 2 such GPUs by tensor parallelism",
        "PARLEY_ENGINE_QUANTIZATION, PARLEY_ENGINE_TENSOR_PARALLEL",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("chosen", "device_gib"),
    [
        ({}, 17.0),
        ({"quantization": "fp8"}, 9.8),
        ({"tensor_parallel": 2}, 8.5),
        ({"gpu_memory_utilization": 1.0}, 15.1),
    ],
)
def test_weights_that_fit_are_let_through(chosen: dict[str, object], device_gib: float) -> None:
    """Whether the rest fits is the engine's to find out: a step and the graphs are estimates."""
    check_memory(settings("some/model", **chosen), llama_8b(), int(device_gib * GIB))
    assert "some/model" in refusal(llama_8b(), device_gib - 1.0, **chosen)


def test_files_in_32_bits_are_counted_as_they_are_loaded() -> None:
    tensors = (Tensor("model.embed_tokens.weight", "F32", (1 << 30,)),)
    model = replace(llama_8b(), tensors=tensors)
    check_memory(settings("some/model"), model, 3 * GIB)
    assert "take 4.0 GiB" in refusal(model, 3, dtype="float32")


def test_a_model_that_the_planner_does_not_know_is_counted_by_its_files() -> None:
    model = replace(llama_8b(model_type="nobody"), tensors=(Tensor("a", "BF16", (1 << 30,)),))
    check_memory(settings("some/model"), model, 3 * GIB)
    told = refusal(model, 2)
    assert "take 2.0 GiB" in told and "give it more or ask for less: PARLEY_ENGINE_QUANTIZATION" in told


def test_a_failed_start_is_explained_by_the_same_account() -> None:
    told = would_fit(settings("some/model", max_loras=0), llama_8b(), 16 * GIB)
    assert "GiB are missing" in told and "a context of" not in told
    assert "It would fit with 8-bit weights" in told and "PARLEY_ENGINE_MAX_MODEL_LEN" in told
    assert would_fit(settings("some/model"), llama_8b(), 80 * GIB).startswith("by the plan it fits")
    for without in (
        would_fit(settings("some/model"), None, 16 * GIB),
        would_fit(settings("some/model", kv_cache_bytes=1 << 20), llama_8b(), 16 * GIB),
    ):
        assert without.startswith("give it more or ask for less: PARLEY_ENGINE_QUANTIZATION")


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
