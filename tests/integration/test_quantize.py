"""`parley models quantize` on a model that was trained here: what it loses, what it saves, and that vLLM reads it."""

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from parley.backends.checkpoint_files import read_tensors
from parley.cli.main import app
from parley.domain.model_families import shape_of
from parley.domain.model_plan import GIB, Serving, plan
from parley.engine_settings import STARTER
from parley.errors import ConfigurationError
from tests.support import tiny_model
from tests.support.quantised import needs, program, quantized

pytestmark = [
    pytest.mark.timeout(600),
    # of the libraries, while they load
    pytest.mark.filterwarnings(
        "default::DeprecationWarning", "default::FutureWarning", "default::UserWarning"
    ),
]


@pytest.fixture(scope="module", autouse=True)
def _libraries() -> None:
    for module in ("torch", "transformers", "compressed_tensors"):
        needs(module)
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, _libraries: None) -> Path:
    return tiny_model.train(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def calibration(model: Path) -> Path:
    file = model.parent / "calibration.jsonl"
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in tiny_model.texts()[20:40]))
    return file


@pytest.fixture(scope="module")
def text(model: Path) -> Path:
    file = model.parent / "text.md"
    file.write_text(tiny_model.unread()[:3000])
    return file


@pytest.fixture(scope="module")
def made(model: Path, calibration: Path, text: Path) -> dict[str, dict[str, Any]]:
    """The reports of one checkpoint a scheme."""
    known = ["--calibration", str(calibration), "--samples", "64", "--text", str(text)]
    return {
        "W8A8": quantized(model, model.parent / "W8A8", "--bits", "8", *known),
        "W8A16": quantized(model, model.parent / "W8A16", "--bits", "8", "--weight-only", *known),
        "W4A16": quantized(model, model.parent / "W4A16", "--bits", "4", *known),
    }


# --- what it costs and saves -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scheme", "most"), [("W8A8", 1.01), ("W8A16", 1.005), ("W4A16", 1.05)])
def test_perplexity_stays_within_its_bound(made: dict[str, dict[str, Any]], scheme: str, most: float) -> None:
    report = made[scheme]
    assert report["scheme"] == scheme and report["samples"] == 64 and report["matrices"] == 14
    before, after = report["before"]["perplexity"], report["after"]["perplexity"]
    assert 1 < before < 15, "the model has not learned to read"
    assert after != before and after < most * before


@pytest.mark.parametrize(("scheme", "least"), [("W8A8", 0.45), ("W8A16", 0.45), ("W4A16", 0.70)])
def test_memory_of_the_weights(made: dict[str, dict[str, Any]], scheme: str, least: float) -> None:
    before, after = made[scheme]["before"], made[scheme]["after"]
    assert 1 - after["matrix_bytes"] / before["matrix_bytes"] > least
    # embeddings and norms are left as they were
    rest = before["bytes"] - before["matrix_bytes"]
    assert after["bytes"] - after["matrix_bytes"] == rest > 0


def test_it_is_fitted_and_not_only_rounded(model: Path, calibration: Path) -> None:
    """At 3 bits a row, where rounding hurts: GPTQ loses less than half of it."""
    import torch

    from workers.retrain.quantize.calibration import encoded, windows
    from workers.retrain.quantize.gptq import Grid
    from workers.retrain.quantize.layers import quantised_layers
    from workers.retrain.quantize.perplexity import perplexity

    letters = tiny_model.tokenizer()
    ids = encoded(tiny_model.unread()[:3000], letters)
    rows = [("", json.loads(line)) for line in calibration.read_text().splitlines()]
    fitting = windows(rows, letters, 64, 128, 257)

    def lost(samples: Any) -> float:
        loaded = tiny_model.load(model, torch.float32)
        before = perplexity(loaded, ids, 128, "cpu")
        names = [name for name, _ in quantised_layers(loaded, samples, Grid(3, None), "cpu")]
        assert len(names) == 14
        return float(perplexity(loaded, ids, 128, "cpu") / before - 1)

    rounded, fitted = lost(None), lost(fitting)
    assert 0 < fitted < 0.6 * rounded, (fitted, rounded)


def test_without_calibration_it_is_rounded(model: Path, tmp_path: Path) -> None:
    report = quantized(model, tmp_path / "out", "--bits", "4", "--group-size", "32")
    assert report["samples"] == 0 and report["group_size"] == 32
    assert "perplexity" not in report["before"]


# --- the files -------------------------------------------------------------------------------------------------------


def test_the_checkpoint_is_whole(made: dict[str, dict[str, Any]], model: Path) -> None:
    out = model.parent / "W4A16"
    config = json.loads((out / "config.json").read_text())
    quantisation = config.pop("quantization_config")
    assert config == json.loads((model / "config.json").read_text())
    assert quantisation["quant_method"] == "compressed-tensors"
    assert quantisation["format"] == "pack-quantized" and quantisation["ignore"] == ["lm_head"]
    names = {tensor.name for tensor in read_tensors(out)}
    assert "model.layers.1.mlp.down_proj.weight_packed" in names
    assert "model.layers.1.mlp.down_proj.weight" not in names and "model.embed_tokens.weight" in names
    assert (out / "tokenizer.json").read_bytes() == (model / "tokenizer.json").read_bytes()
    assert not list(model.parent.glob("*.part"))


def test_files_are_split_where_they_are_large(
    made: dict[str, dict[str, Any]], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers.retrain.quantize import files

    monkeypatch.setattr(files, "LARGEST_FILE", 100_000)
    quantized(model, tmp_path / "out", "--bits", "8")
    parts = sorted(file.name for file in (tmp_path / "out").glob("*.safetensors"))
    assert len(parts) > 2 and parts[0] == f"model-00001-of-{len(parts):05}.safetensors"
    split, whole = read_tensors(tmp_path / "out"), read_tensors(model.parent / "W8A8")
    assert sorted(split) == sorted(whole)


def test_the_plan_reads_what_was_written(made: dict[str, dict[str, Any]], model: Path) -> None:
    for scheme, precision in (("W8A8", "int8"), ("W4A16", "int4")):
        done = CliRunner().invoke(app, ["models", "plan", str(model.parent / scheme), "--json"])
        report = json.loads(done.stdout)
        assert report["precision"] == precision and report["from_files"]
        assert report["bytes_per_gpu"]["weights"] == made[scheme]["after"]["bytes"]


# --- vLLM ------------------------------------------------------------------------------------------------------------

ASK = """
import json, os, sys
os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
from vllm import LLM, SamplingParams
if __name__ == "__main__":
    ids = json.loads(sys.argv[2])
    engine = LLM(sys.argv[1], skip_tokenizer_init=True, max_model_len=512, enforce_eager=True, kv_cache_memory_bytes=64 << 20)
    params = SamplingParams(max_tokens=1, prompt_logprobs=0, detokenize=False)
    [done] = engine.generate([{"prompt_token_ids": ids}], params, use_tqdm=False)
    found = [logprob[token].logprob for token, logprob in zip(ids[1:], done.prompt_logprobs[1:])]
    print(json.dumps(found))
"""


@pytest.mark.parametrize("scheme", ["W8A8", "W4A16"])
def test_vllm_reads_the_same_model(made: dict[str, dict[str, Any]], model: Path, scheme: str) -> None:
    """The log-probabilities of an unread text are those of transformers with the same files."""
    needs("vllm")
    import torch

    ids = tiny_model.tokenizer()(tiny_model.unread()[:400])["input_ids"]
    folder = model.parent / scheme
    told = program(ASK, str(folder), json.dumps(ids))
    loaded = tiny_model.load(folder)
    with torch.no_grad():
        logits = loaded(input_ids=torch.tensor([ids])).logits[0].float().log_softmax(dim=-1)
    ours = logits[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]
    theirs = torch.tensor(told)
    # bfloat16 has 8 bits: single tokens differ by some hundredths, the mean hardly
    assert abs(float((ours - theirs).mean())) < 0.01
    assert float((ours - theirs).abs().mean()) < 0.05


def test_speed_is_measured_by_the_engine_that_is_there(made: dict[str, dict[str, Any]], model: Path) -> None:
    from workers.retrain.quantize.speed import measured

    found = measured(model.parent / "W4A16", "cpu", requests=2, tokens=8)
    expected = "vllm" if importlib.util.find_spec("vllm") else "transformers"
    assert found["backend"].startswith(expected) and found["tokens_per_s"] > 0
    # a folder that nothing can load is no error of the measurement
    assert "failed" in measured(model.parent, "cpu", requests=1, tokens=1)


COUNT = """
import json, os, sys
os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
os.environ["VLLM_ALLOW_INSECURE_SERIALIZATION"] = "1"
import torch
from vllm import LLM

def slots(model):
    found = {}
    for module in model.modules():
        for name, value in vars(module).items():
            if "_stacked" in name:
                for each in value if isinstance(value, (tuple, list)) else (value,):
                    held = each.untyped_storage()
                    found[held.data_ptr()] = held.nbytes()
    return sum(found.values())

if __name__ == "__main__":
    engine = LLM(sys.argv[1], skip_tokenizer_init=True, load_format="dummy", max_model_len=128, max_num_seqs=4,
        enforce_eager=True, kv_cache_memory_bytes=64 << 20, enable_lora=True, max_loras=3, max_lora_rank=8)
    cache = engine.llm_engine.vllm_config.cache_config
    [found] = engine.apply_model(slots)
    print(json.dumps([found, cache.num_gpu_blocks * cache.block_size, cache.block_size]))
"""


@pytest.mark.parametrize("family", ["llama", "mixtral"])
def test_slots_and_cache_are_as_large_as_vllm_makes_them(family: str, tmp_path: Path) -> None:
    needs("vllm")
    names = {"llama": "LlamaForCausalLM", "mixtral": "MixtralForCausalLM"}
    more = {"num_local_experts": 4, "num_experts_per_tok": 2} if family == "mixtral" else {}
    config = tiny_model.config(
        model_type=family, architectures=[names[family]], dtype="bfloat16", rms_norm_eps=1e-5, **more
    )
    (tmp_path / "config.json").write_text(json.dumps(config))
    slots, tokens, block = program(COUNT, str(tmp_path))
    planned = plan(shape_of(config), Serving(memory=GIB, slots=3, rank=8))
    assert planned.slots == slots
    assert (64 << 20) // (planned.cache_per_token * block) * block == tokens


# --- what is refused -------------------------------------------------------------------------------------------------


def refused(*args: str) -> str:
    with pytest.raises(ConfigurationError) as error:
        CliRunner().invoke(app, ["models", "quantize", *args], catch_exceptions=False)
    return str(error.value)


def test_groups_that_do_not_divide_a_matrix(model: Path, tmp_path: Path) -> None:
    tiny_model.llama(**tiny_model.config(intermediate_size=352)).save_pretrained(tmp_path / "odd")
    words = refused(str(tmp_path / "odd"), str(tmp_path / "out"), "--bits", "4")
    assert "the 352 inputs of model.layers.0.mlp.down_proj are no whole groups of 128" in words
    assert "possible: 32, -1 (one scale a row)" in words
    assert not (tmp_path / "out").exists()


def test_what_is_quantised_already(made: dict[str, dict[str, Any]], model: Path, tmp_path: Path) -> None:
    assert "is quantised already" in refused(str(model.parent / "W8A8"), str(tmp_path / "out"))


def test_models_of_experts(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "mixtral", "num_local_experts": 8}))
    assert "models of experts are not quantised here" in refused(str(tmp_path), str(tmp_path / "out"))


def test_nothing_is_overwritten(made: dict[str, dict[str, Any]], model: Path) -> None:
    assert "is there already and not empty" in refused(str(model), str(model.parent / "W8A8"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"text": "too short"}, "--calibration: holds 9 tokens; one window needs 512"),
        ({"words": "x"}, ":1: a line must be an object with text, messages or token_ids"),
        ({"token_ids": [1, 999]}, ":1: token_ids: 999 is no token of this model; allowed: 0 to 287"),
        (
            {"messages": [{"role": "user", "content": "hi"}]},
            ":1: messages: the model's chat template refuses",
        ),
    ],
    ids=["short", "field", "token", "template"],
)
def test_a_calibration_set_that_is_none(
    model: Path, tmp_path: Path, line: dict[str, Any], words: str
) -> None:
    file = tmp_path / "c.jsonl"
    file.write_text(json.dumps(line))
    told = refused(str(model), str(tmp_path / "out"), "--calibration", str(file), "--requests", "0")
    assert words in told
    assert list(tmp_path.iterdir()) == [file]


# --- adapters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [("--bits", "8"), ("--bits", "4", "--group-size", "32")])
def test_an_adapters_probes_are_written_on_the_checkpoint_that_serves_it(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    needs("peft")
    from workers.retrain.probes import read, write_probes

    adapter = Path(shutil.copytree(STARTER / "adapters" / "bank-1", tmp_path / "bank-1"))
    shipped = read(adapter)
    quantized(STARTER, tmp_path / "checkpoint", *options)
    kept = write_probes(tmp_path / "checkpoint", adapter, [each.prompt_token_ids for each in shipped])
    assert read(adapter) == tuple(kept)
    before = {each.prompt_token_ids: each.base_logprobs[:3] for each in shipped}
    for each in kept:
        assert sum(each.logprobs) - sum(each.base_logprobs) > 4, "the adapter tells itself from this base"
        assert each.base_logprobs[:3] != before[each.prompt_token_ids], "they are of the quantised base"
