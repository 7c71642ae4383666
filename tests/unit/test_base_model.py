"""What adapters must fit: the shapes of a base, and by which names it goes."""

from typing import Any

import pytest

from parley.domain.base_model import commit_of, name_of, same_model, same_revision, shapes_of
from parley.errors import ConfigurationError
from tests.support.lora import BASE_CONFIG, SHAPES

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SNAPSHOT = f"/home/x/.cache/huggingface/hub/models--Qwen--Qwen2.5-1.5B/snapshots/{COMMIT}"


def test_the_shapes_follow_from_heads_and_sizes() -> None:
    assert SHAPES.layers == 2
    assert dict(SHAPES.modules) == {
        "self_attn.q_proj": (32, 32),
        "self_attn.k_proj": (32, 16),
        "self_attn.v_proj": (32, 16),
        "self_attn.o_proj": (32, 32),
        "mlp.gate_proj": (32, 48),
        "mlp.up_proj": (32, 48),
        "mlp.down_proj": (48, 32),
    }


@pytest.mark.parametrize(
    ("changes", "module", "features"),
    [
        ({"head_dim": 24}, "self_attn.o_proj", (96, 32)),
        ({"head_dim": None}, "self_attn.q_proj", (32, 32)),
        ({"model_type": "qwen3"}, "self_attn.q_proj", (32, 512)),
        ({"model_type": "gemma"}, "self_attn.k_proj", (32, 512)),
        ({"num_key_value_heads": None}, "self_attn.k_proj", (32, 32)),
        ({"model_type": "mixtral"}, "mlp.up_proj", None),
        ({"model_type": "mixtral"}, "self_attn.k_proj", (32, 16)),
    ],
)
def test_each_model_has_its_own(
    changes: dict[str, Any], module: str, features: tuple[int, int] | None
) -> None:
    assert shapes_of({**BASE_CONFIG, **changes}).of(f"model.layers.1.{module}") == features


@pytest.mark.parametrize(
    "path",
    [
        "model.layers.2.self_attn.q_proj",
        "model.layers.-1.self_attn.q_proj",
        "model.layers.01.self_attn.q_proj",
        "model.layers.0.self_attn.qkv_proj",
        "model.layers.0.self_attn.q_proj.more",
        "layers.0.self_attn.q_proj",
        "lm_head",
    ],
)
def test_what_the_base_does_not_have_has_no_shape(path: str) -> None:
    assert SHAPES.of(path) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "gpt2"}, "model_type: adapters for 'gpt2' are not supported; allowed: llama"),
        ({"model_type": None}, "model_type: adapters for None"),
        ({"model_type": ["llama"]}, "model_type: "),
        ({"hidden_size": None}, "hidden_size: is None; allowed: a whole number from 1"),
        ({"hidden_size": "32"}, "hidden_size: is '32'"),
        ({"num_attention_heads": 0}, "num_attention_heads: is 0"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers: is 1000000000; allowed: a whole number from 1 to 1024"),
        ({"num_hidden_layers": True}, "num_hidden_layers: is True"),
        ({"intermediate_size": 1.5}, "intermediate_size: is 1.5"),
    ],
)  # fmt: skip
def test_a_base_that_is_not_known_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        shapes_of({**BASE_CONFIG, **changes})
    assert words in str(refused.value)


def test_a_folder_of_hugging_faces_cache_tells_its_models_name_and_commit() -> None:
    assert (name_of(SNAPSHOT), commit_of(SNAPSHOT)) == ("Qwen/Qwen2.5-1.5B", COMMIT)
    assert (name_of("/models/tiny/"), commit_of("/models/tiny")) == ("tiny", None)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("models/tiny", "tiny", True),
        ("/elsewhere/Tiny/", "tiny", True),
        ("Qwen/Qwen2.5-1.5B", SNAPSHOT, True),
        ("tiny", "tiny-2", False),
        ("", "", False),
        ("/", "/", False),
    ],
)
def test_a_model_is_the_same_wherever_it_lies(one: str, other: str, same: bool) -> None:
    assert same_model(one, other) is same_model(other, one) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("r1", "r1", True),
        (COMMIT, COMMIT[:7], True),
        (COMMIT, COMMIT[:6], False),
        ("r1", "r2", False),
        ("r1", "r10", False),
    ],
)
def test_a_commit_may_be_given_by_its_beginning(one: str, other: str, same: bool) -> None:
    assert same_revision(one, other) is same_revision(other, one) is same
