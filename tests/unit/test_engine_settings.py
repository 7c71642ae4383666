"""Settings of the engine: defaults that fit together, and what vLLM is told of them."""

from pathlib import Path

import pytest

from parley.backends.vllm_engine.arguments import engine_arguments
from parley.engine_settings import EngineSettings
from parley.errors import ConfigurationError


def settings(**chosen: object) -> EngineSettings:
    return EngineSettings.load(**{"model": "some/model", **chosen})


def test_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_ENGINE_MODEL", "some/model")
    monkeypatch.setenv("PARLEY_ENGINE_MAX_LORAS", "3")
    monkeypatch.setenv("PARLEY_ENGINE_MAX_MODEL_LEN", "2048")
    loaded = EngineSettings.load()
    assert (loaded.name, loaded.max_loras, loaded.held, loaded.max_model_len) == ("some/model", 3, 12, 2048)


@pytest.mark.parametrize(
    ("wrong", "variable"),
    [
        ({"model": ""}, "PARLEY_ENGINE_MODEL"),
        ({"max_loras": -1}, "PARLEY_ENGINE_MAX_LORAS"),
        ({"max_lora_rank": 513}, "PARLEY_ENGINE_MAX_LORA_RANK"),
        ({"gpu_memory_utilization": 1.1}, "PARLEY_ENGINE_GPU_MEMORY_UTILIZATION"),
        ({"dtype": "int4"}, "PARLEY_ENGINE_DTYPE"),
        ({"max_loras": 8, "held_adapters": 8}, "at least 9"),
        ({"speculative_tokens": 3}, "speculative_method"),
        ({"speculative_method": "ngram"}, "speculative_tokens"),
    ],
)
def test_names_the_variable_of_a_setting_that_cannot_be(wrong: dict[str, object], variable: str) -> None:
    with pytest.raises(ConfigurationError, match=variable):
        settings(**wrong)


def test_a_model_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARLEY_ENGINE_MODEL", raising=False)
    with pytest.raises(ConfigurationError, match="PARLEY_ENGINE_MODEL: Field required"):
        EngineSettings.load()


def test_a_folder_gives_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "starter"
    folder.mkdir()
    assert settings(model=str(folder)).name == "starter"
    assert settings(model=str(folder), served_name="bank").name == "bank"


@pytest.mark.parametrize(("wanted", "made"), [(1, 8), (8, 8), (9, 16), (16, 16), (33, 64), (512, 512)])
def test_ranks_are_those_that_slots_are_made_for(wanted: int, made: int) -> None:
    assert settings(max_lora_rank=wanted).rank == made


def test_vllm_is_told_to_choose_nobody_among_held_adapters() -> None:
    told = engine_arguments(settings(max_loras=4, held_adapters=10, max_lora_rank=12))
    assert (told["max_loras"], told["max_cpu_loras"], told["max_lora_rank"]) == (4, 11, 16)
    assert told["scheduling_policy"] == "priority"


def test_without_slots_vllm_hears_nothing_of_adapters() -> None:
    told = engine_arguments(settings(max_loras=0))
    assert not {"enable_lora", "max_loras", "max_cpu_loras"} & told.keys()
    assert (settings(max_loras=0).held, settings(max_loras=0).rank) == (0, 0)


@pytest.mark.parametrize(
    ("ours", "vllms"),
    [("fp8", "fp8_per_tensor"), ("int8", "int8_per_channel_weight_only"), ("awq_marlin", "awq_marlin")],
)
def test_quantisation_has_simple_names_and_lets_others_through(ours: str, vllms: str) -> None:
    assert engine_arguments(settings(quantization=ours))["quantization"] == vllms


def test_what_was_not_named_is_left_to_vllm() -> None:
    told = engine_arguments(settings())
    assert (
        not {
            "quantization",
            "revision",
            "max_model_len",
            "max_num_batched_tokens",
            "kv_cache_memory_bytes",
            "speculative_config",
        }
        & told.keys()
    )


def test_guessing_is_passed_on_as_vllm_wants_it() -> None:
    by_prompt = engine_arguments(settings(speculative_method="ngram", speculative_tokens=4))
    assert by_prompt["speculative_config"] == {
        "method": "ngram",
        "num_speculative_tokens": 4,
        "prompt_lookup_max": 4,
    }
    by_model = engine_arguments(settings(speculative_model="some/draft", speculative_tokens=2))
    assert by_model["speculative_config"] == {"model": "some/draft", "num_speculative_tokens": 2}
