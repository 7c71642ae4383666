"""`parley models` as a person runs it: plans from a config, from files and from the local cache, and what is wrong in one line."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from parley.backends.vllm_engine.memory import serving
from parley.cli.main import app
from parley.domain.model_advice import plan_as_served
from parley.domain.model_plan import GIB, GPUS
from parley.engine_settings import EngineSettings
from parley.errors import ConfigurationError

LLAMA_3_8B = {
    "model_type": "llama",
    "vocab_size": 128256,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 8192,
}


def models(*args: str) -> Result:
    return CliRunner().invoke(app, ["models", *args], catch_exceptions=False)


def planned(*args: str, status: int = 0) -> dict[str, Any]:
    done = models("plan", *args, "--json")
    assert done.exit_code == status, done.output
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def refused(*args: str) -> str:
    with pytest.raises(ConfigurationError) as error:
        models(*args)
    return str(error.value)


def folder(at: Path, config: dict[str, Any] | str = LLAMA_3_8B) -> Path:
    at.mkdir(parents=True, exist_ok=True)
    (at / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return at


def safetensors(file: Path, tensors: dict[str, tuple[str, list[int], int]], *, cut: int = 0) -> None:
    """A file of zeros with this header (name: type, shape, bytes), in the format's own layout."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, (dtype, shape, size) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    head = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(head)) + head + bytes(end - cut))


# --- plan ------------------------------------------------------------------------------------------------------------


def test_a_plan_for_people(tmp_path: Path) -> None:
    done = models("plan", str(folder(tmp_path)), "--gpu", "h100", "--slots", "17", "--rank", "16")
    assert done.exit_code == 0
    assert "llama, 8.03 B parameters" in done.stdout
    assert "bf16 on 1 x h100, GiB on each GPU:" in done.stdout
    assert "weights" in done.stdout and "14.96  by the config" in done.stdout
    assert "17 of rank 16" in done.stdout and "128 KiB a token" in done.stdout
    assert "fits: " in done.stdout and "requests of 8,192 tokens at once" in done.stdout
    assert "least number of GPUs: b200 1, h200 1, h100 1" in done.stdout


def test_a_plan_for_programs(tmp_path: Path) -> None:
    report = planned(str(folder(tmp_path)), "--memory", "80", "--quantization", "int4", "--context", "4096")
    assert report["parameters"] == report["active_parameters"] == 8_030_261_248
    assert report["precision"] == "int4" and not report["from_files"]
    assert report["bytes_per_gpu"]["memory"] == 80 * GIB
    assert report["requests"] == pytest.approx(report["cached_tokens"] / 4096, abs=0.01)
    assert report["fits"] and report["would_fit"] == [] and report["missing_bytes"] == 0


def test_without_options_it_is_planned_as_the_engine_runs_without_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same account, and whatever this shell says of an engine."""
    model = str(folder(tmp_path))
    memory = int(GPUS["h200"] * GIB)
    expected = plan_as_served(LLAMA_3_8B, serving(EngineSettings.load(model=model), memory))
    monkeypatch.setenv("PARLEY_ENGINE_MAX_LORAS", "2")
    monkeypatch.setenv("PARLEY_ENGINE_GPU_MEMORY_UTILIZATION", "0.5")
    report = planned(model)
    assert expected.serving.slots == 8 and expected.budget == int(0.9 * memory)
    assert report["bytes_per_gpu"]["budget"] == expected.budget
    assert report["bytes_per_gpu"]["slots"] == expected.slots
    assert report["bytes_per_gpu"]["step"] == expected.step
    assert report["host_bytes"] == expected.host
    assert report["cached_tokens"] == expected.cached_tokens


def test_a_rank_is_rounded_up_to_one_that_the_engine_has_buffers_for(tmp_path: Path) -> None:
    model = str(folder(tmp_path))
    twenty, thirty_two = (planned(model, "--rank", rank)["bytes_per_gpu"] for rank in ("20", "32"))
    assert twenty == thirty_two and "8 of rank 32" in models("plan", model, "--rank", "20").stdout


def test_gpus_that_cannot_share_it_are_not_said_to_be_too_small(tmp_path: Path) -> None:
    six = LLAMA_3_8B | {
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "hidden_size": 384,
        "head_dim": 64,
    }
    done = models("plan", str(folder(tmp_path, six)), "--gpus", "4")
    assert done.exit_code == 1 and "GiB on each GPU" not in done.stdout
    assert (
        "--gpus 4 is not possible: 6 attention heads cannot be shared by 4 GPUs; of 1 to 8, possible: 1, 2. "
        "It would fit with 1 such GPU; or 2 such GPUs"
    ) in done.stdout
    report = planned(str(tmp_path), "--gpus", "4", status=1)
    assert report["possible_gpus"] == [1, 2] and report["would_fit"][0] == "1 such GPU"


def test_what_does_not_fit_says_what_would_and_fails(tmp_path: Path) -> None:
    model = str(folder(tmp_path))
    done = models("plan", model, "--memory", "16")
    assert done.exit_code == 1
    assert "does not fit: " in done.stdout and "It would fit with 8-bit weights (fp8 or int8)" in done.stdout
    report = planned(model, "--memory", "16", status=1)
    assert report["would_fit"][0] == "8-bit weights (fp8 or int8)" and report["missing_bytes"] > GIB
    three = planned(model, "--gpus", "3", status=1)
    assert three["unsplittable"] == "32 attention heads cannot be shared by 3 GPUs"


def test_each_option_changes_its_own_part(tmp_path: Path) -> None:
    model = str(folder(tmp_path))
    plain = planned(model)["bytes_per_gpu"]
    changed = {
        "cache_per_token": planned(model, "--kv-fp8"),
        "graphs": planned(model, "--eager"),
        "step": planned(model, "--sequences", "1024"),
        "budget": planned(model, "--utilisation", "0.5"),
    }
    for part, report in changed.items():
        found = report["bytes_per_gpu"]
        differing = {name for name in plain if found[name] != plain[name]}
        assert differing - {"cache"} == {part}, part
    assert changed["cache_per_token"]["bytes_per_gpu"]["cache_per_token"] == plain["cache_per_token"] // 2
    assert changed["graphs"]["bytes_per_gpu"]["graphs"] == 0


def test_files_are_counted_by_their_headers(tmp_path: Path) -> None:
    config = LLAMA_3_8B | {"vocab_size": 1000, "hidden_size": 64, "tie_word_embeddings": True}
    model = folder(tmp_path, config)
    safetensors(model / "a.safetensors", {"model.embed_tokens.weight": ("BF16", [1000, 64], 128_000)})
    safetensors(model / "b.safetensors", {"model.norm.weight": ("F32", [64], 256)})
    safetensors(model / "stray.safetensors", {"other": ("BF16", [64], 128)})
    index = {
        "weight_map": {"model.embed_tokens.weight": "a.safetensors", "model.norm.weight": "b.safetensors"}
    }
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    report = planned(str(model))
    assert report["from_files"] and report["bytes_per_gpu"]["weights"] == 128_000 + 128
    assert not planned(str(model), "--quantization", "fp8")["from_files"]
    assert "as the files hold them" in models("plan", str(model)).stdout


def test_a_quantised_checkpoint_is_served_as_it_is(tmp_path: Path) -> None:
    awq = {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128}}
    model = str(folder(tmp_path, LLAMA_3_8B | awq))
    assert planned(model)["precision"] == planned(model, "--quantization", "awq")["precision"] == "awq"
    words = refused("plan", model, "--quantization", "fp8")
    assert words == "--quantization: the checkpoint is quantised already (awq) and is served as it is"


def test_an_id_is_looked_up_in_the_local_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    constants = pytest.importorskip("huggingface_hub.constants", reason="huggingface_hub is not installed")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    words = refused("plan", "someone/some-model")
    assert (
        "no folder someone/some-model, and no such id in the local cache" in words and "--download" in words
    )
    repository = tmp_path / "models--someone--some-model"
    folder(repository / "snapshots" / ("a" * 40))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    assert planned("someone/some-model")["parameters"] == 8_030_261_248


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ("--context", "8193"),
            "--context: 8193 is more than the model was made for; allowed: 8 to 8192 tokens",
        ),
        (("--held", "8"), "--held: 8 is too few; 8 slots need at least 9"),
        (("--gpu", "h300"), "--gpu: 'h300' is not known; known: b200, h200"),
        (("--quantization", "int3"), "--quantization: 'int3' is not known; allowed: bf16, fp16"),
    ],
)
def test_a_bad_option_says_what_is_allowed(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    assert words in refused("plan", str(folder(tmp_path)), *options)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("{", "config.json: not JSON"),
        ("[]", "config.json: must be an object"),
        ("{}", "config.json: model_type: missing"),
        ('{"model_type": "bert"}', "model_type: 'bert' is not known to the planner"),
    ],
)
def test_a_bad_config_is_named(tmp_path: Path, config: str, words: str) -> None:
    assert words in refused("plan", str(folder(tmp_path, config)))


def test_a_folder_without_a_config(tmp_path: Path) -> None:
    assert refused("plan", str(tmp_path)) == f"{tmp_path / 'config.json'}: No such file or directory"
    (tmp_path / "model.gguf").write_text("")
    assert "is a file; a folder with config.json is needed" in refused("plan", str(tmp_path / "model.gguf"))


def test_damaged_files_are_named(tmp_path: Path) -> None:
    model = folder(tmp_path)
    file = model / "model.safetensors"
    for content, words in (
        (b"", "has 0 bytes; a safetensors file begins with"),
        (struct.pack("<Q", 1 << 60), "its header would have 1152921504606846976 bytes, but only 0 follow"),
        (struct.pack("<Q", 4) + b"nope", "its header does not begin with"),
        (struct.pack("<Q", 9) + b'{"a": {}}', "'a': allowed: an object with data_offsets, dtype, shape"),
    ):
        file.write_bytes(content)
        assert f"{file}: " in refused("plan", str(model)) and words in refused("plan", str(model))
    safetensors(file, {"model.norm.weight": ("BF16", [4096], 8192)}, cut=1)
    assert "its tensors need 8192 bytes, but 8191 follow the header; it was cut off" in refused(
        "plan", str(model)
    )
    safetensors(file, {"model.norm.weight": ("Q7", [4096], 8192)})
    assert "'model.norm.weight': dtype 'Q7'; allowed: F64," in refused("plan", str(model))


@pytest.mark.parametrize("name", ["../elsewhere.safetensors", "/etc/passwd"])
def test_an_index_reads_nothing_outside_its_folder(tmp_path: Path, name: str) -> None:
    model = folder(tmp_path / "model")
    safetensors(tmp_path / "elsewhere.safetensors", {"x": ("BF16", [1], 2)})
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"x": name}}))
    assert "which is no file of this folder" in refused("plan", str(model))


def test_an_index_of_a_missing_file(tmp_path: Path) -> None:
    model = folder(tmp_path)
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"x": "gone.safetensors"}}))
    assert refused("plan", str(model)) == f"{model / 'gone.safetensors'}: No such file or directory"


# --- quantize and export-onnx, as far as they go without torch -------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--bits", "5"), "--bits: 5 is not possible; allowed: 8, 4"),
        (("--group-size", "100"), "--group-size: 100 is not possible; allowed: 128, 64, 32, -1"),
        (("--bits", "4", "--weight-only"), "--weight-only: 4-bit checkpoints always are"),
    ],
)
def test_a_bad_wish_is_refused(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    assert words in refused("quantize", str(folder(tmp_path)), str(tmp_path / "out"), *options)


def test_without_torch_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    words = refused("quantize", str(folder(tmp_path)), str(tmp_path / "out"))
    assert words.startswith("quantising needs torch, transformers") and "pip install 'parley[train]'" in words


def test_an_unknown_precision_of_the_export_is_refused(tmp_path: Path) -> None:
    words = refused("export-onnx", str(folder(tmp_path)), str(tmp_path / "out"), "--precision", "int2")
    assert words == "--precision: 'int2' is not known; allowed: fp32, int8"
