"""Folders that are adapters, and every way in which one is none; each refused with a reason of its own."""

import hashlib
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parley.backends import adapter_folder, finite_weights
from parley.backends.adapter_folder import copy_folder, digest_folder, read_folder
from parley.domain.adapter_config import UNSERVED
from parley.domain.adapters import CONFIG, MAX_BYTES, PROBES, README, WEIGHTS, check_base, check_digest
from parley.domain.base_model import BaseModel, TrainedOn, shapes_of
from parley.domain.tensor_header import Tensor
from parley.errors import AdapterRefused
from tests.support.lora import (
    BASE,
    BASE_CONFIG,
    RANK,
    SHAPES,
    TARGETS,
    Tensors,
    adapter_config,
    filled,
    lora_tensors,
    name_of,
    safetensors,
    with_header,
    write_adapter,
)

Q0 = "model.layers.0.self_attn.q_proj"


def refused(folder: Path, **options: Any) -> str:
    with pytest.raises(AdapterRefused) as error:
        read_folder(folder, SHAPES, **options)
    return str(error.value)


def changed(change: Callable[[Tensors], object]) -> bytes:
    tensors = lora_tensors()
    change(tensors)
    return safetensors(tensors)


# --- what is good ----------------------------------------------------------------------------------------------------


def test_a_good_folder_tells_what_it_is(tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "a", revision="r1")
    (folder / README).write_text("How it was made.")
    facts = read_folder(folder, SHAPES)
    assert (facts.rank, facts.targets) == (RANK, tuple(sorted(TARGETS)))
    assert (facts.base_model, facts.base_revision) == ("models/tiny", "r1")
    assert set(facts.files) == {CONFIG, WEIGHTS, README}
    assert facts.bytes == sum(file.stat().st_size for file in folder.iterdir())


def test_the_digest_is_of_sorted_names_and_contents(tmp_path: Path) -> None:
    """Worked out here by itself, so that what is published today has the same digest tomorrow."""
    folder = write_adapter(tmp_path / "a")
    lines = "".join(
        f"{name} {hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n" for name in (CONFIG, WEIGHTS)
    )
    digest = hashlib.sha256(lines.encode()).hexdigest()
    assert read_folder(folder, SHAPES).digest == digest_folder(folder) == digest
    assert read_folder(write_adapter(tmp_path / "same"), SHAPES).digest == digest
    assert read_folder(write_adapter(tmp_path / "other", fill=2), SHAPES).digest != digest
    (folder / PROBES).write_text("[]")
    assert digest_folder(folder) != digest


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_every_type_of_weights_that_engines_take(tmp_path: Path, dtype: str) -> None:
    write_adapter(tmp_path, weights=safetensors(lora_tensors(dtype=dtype)))
    assert read_folder(tmp_path, SHAPES).rank == RANK


@pytest.mark.parametrize(
    "changes",
    [
        {"use_rslora": True},
        {"init_lora_weights": False},
        {"init_lora_weights": "gaussian"},
        {"init_lora_weights": "EVA"},
        {"lora_alpha": 0.5},
        {"task_type": None},
        {"bias": None},
        {"target_modules": ["self_attn.q_proj", "model.layers.0.self_attn.v_proj", "v_proj", "down_proj"]},
        {"a_field_of_tomorrow": 7},
    ],
)
def test_what_every_engine_serves_is_taken(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert read_folder(write_adapter(tmp_path, **changes), SHAPES).rank == RANK


def test_some_layers_may_be_left_alone(tmp_path: Path) -> None:
    some = {name: tensor for name, tensor in lora_tensors().items() if ".layers.1." in name}
    assert read_folder(write_adapter(tmp_path, weights=safetensors(some)), SHAPES).rank == RANK


# --- names, links, sizes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("adapter_model.bin", "'adapter_model.bin': weights in a pickle may run code"),
        ("adapter_model.pt", "weights in a pickle may run code"),
        ("optimizer.PKL", "weights in a pickle may run code"),
        ("tokenizer.json", "'tokenizer.json': does not belong to an adapter; allowed: adapter_config.json"),
        (".hidden", "does not belong to an adapter"),
        ("..\\windows", "is a path and no file's name"),
    ],
)
def test_a_file_that_no_adapter_has_is_refused(tmp_path: Path, name: str, words: str) -> None:
    folder = write_adapter(tmp_path)
    (folder / name).write_bytes(b"x")
    assert words in refused(folder)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_file_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    folder = write_adapter(tmp_path)
    (folder / name).unlink()
    assert refused(folder).startswith(f"{name}: is missing")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("{}")
    for name in (WEIGHTS, README):
        folder = write_adapter(tmp_path / f"to-{name}")
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(secret)
        assert refused(folder).startswith(f"{name}: is a symbolic link")


def test_a_link_that_comes_after_the_check_is_not_followed_either(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("{}")
    (tmp_path / CONFIG).symlink_to(tmp_path / "real")
    with pytest.raises(AdapterRefused, match="cannot be read"):
        adapter_folder._content(tmp_path / CONFIG)


def test_folders_and_pipes_are_no_files(tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "a")
    (folder / README).mkdir()
    assert refused(folder).startswith("README.md: is a folder or a device")
    other = write_adapter(tmp_path / "b")
    os.mkfifo(other / PROBES)
    assert refused(other).startswith("probes.json: is a folder or a device")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    folder = write_adapter(tmp_path)
    with (folder / WEIGHTS).open("r+b") as sparse:
        sparse.truncate(MAX_BYTES[WEIGHTS] + 1)
    assert refused(folder).startswith(f"{WEIGHTS}: has {MAX_BYTES[WEIGHTS] + 1} bytes; allowed: up to")


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    assert "cannot be read (No such file or directory)" in refused(tmp_path / "nowhere")
    file = tmp_path / "file"
    file.touch()
    assert "cannot be read (Not a directory)" in refused(file)


# --- the config ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"peft_type": "IA3"}, "peft_type: is 'IA3'; allowed: LORA"),
        ({"peft_type": None}, "peft_type: is None; allowed: LORA"),
        ({"task_type": "SEQ_CLS"}, "task_type: is 'SEQ_CLS'; allowed: CAUSAL_LM or null"),
        ({"bias": "all"}, "bias: is 'all'; allowed: none"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights: is 'pissa'; allowed: true, false, gaussian"),
        ({"init_lora_weights": "pissa_niter_16"}, "init_lora_weights: is 'pissa_niter_16'"),
        ({"init_lora_weights": "olora"}, "init_lora_weights: is 'olora'"),
        ({"init_lora_weights": "corda"}, "init_lora_weights: is 'corda'"),
        ({"init_lora_weights": "loftq"}, "init_lora_weights: is 'loftq'"),
        ({"init_lora_weights": 7}, "init_lora_weights: is 7"),
        ({"r": 0}, "r: is 0; allowed: a rank from 1 to 512"),
        ({"r": 513}, "r: is 513; allowed: a rank from 1 to 512"),
        ({"r": True}, "r: is True; allowed: a rank"),
        ({"r": "4"}, "r: is '4'; allowed: a rank"),
        ({"lora_alpha": 0}, "lora_alpha: is 0; allowed: a number above 0"),
        ({"lora_alpha": None}, "lora_alpha: is None; allowed: a number above 0"),
        ({"lora_alpha": True}, "lora_alpha: is True"),
        ({"use_rslora": "yes"}, "use_rslora: is 'yes'; allowed: true or false"),
        ({"target_modules": ".*"}, "target_modules: is '.*'; allowed: a list of names"),
        ({"target_modules": []}, "target_modules: is []; allowed: a list of names"),
        ({"target_modules": [1]}, "target_modules: is [1]; allowed: a list of names"),
        ({"target_modules": [*TARGETS, "c_attn"]}, "target_modules: the base has no 'c_attn'; allowed: q_proj"),
        ({"target_modules": [*TARGETS, "k_proj"]}, "has no weights for 'k_proj', which is among target_modules"),
        ({"target_modules": ["q_proj"]}, "its module is none of target_modules"),
        ({"base_model_name_or_path": ""}, "base_model_name_or_path: is ''; allowed: the model"),
        ({"base_model_name_or_path": 1}, "base_model_name_or_path: is 1; allowed: a text"),
        ({"revision": ["r1"]}, "revision: is ['r1']; allowed: a text or null"),
        ({"revision": "x" * 1_001}, "revision: is 'xxx"),
    ],
)  # fmt: skip
def test_a_config_that_cannot_be_served_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    told = refused(write_adapter(tmp_path, **{"rank": 4, **changes}))
    assert words in told and told.startswith("adapter_")


@pytest.mark.parametrize("field", UNSERVED)
def test_what_the_engines_would_ignore_is_refused(tmp_path: Path, field: str) -> None:
    changes: dict[str, Any] = {field: {"lm_head": 3}}
    told = refused(write_adapter(tmp_path, **changes))
    assert told.startswith(f"{CONFIG}: {field}: ") and told.endswith("cannot be served; allowed: none")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[]", "holds a JSON list; allowed: an object"),
        (b"[" * 100_000, "is nested too deeply"),
        (json.dumps(adapter_config())[:-1].encode() + b', "r": 8}', "is no JSON"),
        (json.dumps(adapter_config(lora_alpha=float("nan"))).encode(), "is no JSON"),
        (b'{"r": 1' + b"0" * 5_000 + b"}", "is no JSON"),
    ],
)
def test_a_config_that_is_no_json_object_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    folder = write_adapter(tmp_path)
    (folder / CONFIG).write_bytes(content)
    assert words in refused(folder)


def test_the_engines_own_limit_of_the_rank_counts(tmp_path: Path) -> None:
    assert "allowed: a rank from 1 to 2" in refused(write_adapter(tmp_path), max_rank=2)


# --- the weights -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (safetensors(lora_tensors(rank=8)), "has the shape [8, 32]; rank 4 on this base needs [4, 32]"),
        (changed(lambda t: t.pop(name_of(Q0, "B"))), f"{Q0}: has no lora_B; allowed: lora_A and lora_B in pairs"),
        (changed(lambda t: t.pop(name_of(Q0, "A"))), f"{Q0}: has no lora_A"),
        (changed(lambda t: t.update({name_of(Q0, "A"): filled("F32", (32, 4))})), "has the shape [32, 4]; rank 4"),
        (changed(lambda t: t.update({name_of(Q0, "B"): filled("F32", (31, 4))})), "has the shape [31, 4]; rank 4 on this base needs [32, 4]"),
        (changed(lambda t: t.update({name_of(Q0, "A"): filled("F32", (128,))})), "has the shape [128]"),
        (changed(lambda t: t.update({name_of(Q0, "A"): filled("F64", (4, 32))})), "dtype 'F64'; allowed"),
        (changed(lambda t: t.update({name_of("model.layers.2.self_attn.q_proj", "A"): filled("F32", (4, 32))})), "the base has no such module; it has 2 layers"),
        (changed(lambda t: t.update({name_of("model.layers.0.self_attn.k_proj", "A"): filled("F32", (4, 32))})), "its module is none of target_modules"),
        (changed(lambda t: t.update({"base_model.model.lm_head.weight": filled("F32", (4, 32))})), "is no LoRA weight; allowed: base_model.model.MODULE.lora_A.weight"),
        (changed(lambda t: t.update({f"{Q0}.lora_A.weight": filled("F32", (4, 32))})), "is no LoRA weight"),
        (changed(lambda t: t.update({f"base_model.model.{Q0}.lora_A.bias": filled("F32", (4,))})), "is no LoRA weight"),
        (changed(lambda t: t.update({f"base_model.model.{Q0}.lora_magnitude_vector": filled("F32", (4,))})), "is no LoRA weight"),
        (changed(lambda t: t.update({"base_model.model.model.embed_tokens.lora_embedding_A": filled("F32", (4, 9))})), "is no LoRA weight"),
        (safetensors({}), "has no weights for 'down_proj'"),
        (safetensors(lora_tensors())[:-1], "it was cut off or added to"),
        (safetensors(lora_tensors())[:40], "but only 32 follow; it was cut off"),
        (safetensors(lora_tensors()) + b"x", "it was cut off or added to"),
        (pickle.dumps(lora_tensors()), "is a pickle or an archive of torch.save"),
        (b"", "has 0 bytes"),
        (os.urandom(4096), "its header "),
        (with_header(b"{}" + b" " * 100), "has no weights for"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_refused(tmp_path: Path, weights: bytes, words: str) -> None:
    told = refused(write_adapter(tmp_path, weights=weights))
    assert words in told and told.startswith(WEIGHTS)


def test_weights_for_a_larger_base_are_refused(tmp_path: Path) -> None:
    """The same layers with other sizes: what an adapter of another model looks like."""
    with pytest.raises(AdapterRefused, match=r"rank 4 on this base needs \[4, 64\]"):
        read_folder(write_adapter(tmp_path), shapes_of({**BASE_CONFIG, "hidden_size": 64}))


# --- which base ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"base_model_name_or_path": "other/model"}, "was trained on 'other/model'; allowed: tiny"),
        ({"revision": "r2"}, "was trained on revision 'r2' of tiny; allowed: r1"),
    ],
)
def test_an_adapter_of_another_base_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    facts = read_folder(write_adapter(tmp_path, **changes), SHAPES)
    with pytest.raises(AdapterRefused) as error:
        check_base(facts, BASE)
    assert words in str(error.value)


@pytest.mark.parametrize("revision", [None, "", "main", "r1"])
def test_an_adapter_of_this_base_is_taken(tmp_path: Path, revision: str | None) -> None:
    check_base(read_folder(write_adapter(tmp_path, revision=revision), SHAPES), BASE)


QUANTISED = BaseModel("tiny-awq", "q1", SHAPES)
LARGER = shapes_of({**BASE_CONFIG, "hidden_size": 64})


@pytest.mark.parametrize("revision", [None, "main", "r1"])
@pytest.mark.parametrize(
    "trained_on", [TrainedOn("tiny"), TrainedOn("owner/tiny", "r1"), TrainedOn("tiny", "r1", SHAPES)]
)
def test_an_adapter_of_another_copy_of_the_base_is_taken(
    tmp_path: Path, revision: str | None, trained_on: TrainedOn
) -> None:
    check_base(read_folder(write_adapter(tmp_path, revision=revision), SHAPES), QUANTISED, trained_on)


@pytest.mark.parametrize(
    ("trained_on", "words"),
    [
        (None, "base_model_name_or_path: was trained on 'models/tiny'; allowed: tiny-awq"),
        (TrainedOn("small"), "was trained on 'models/tiny'; allowed: tiny-awq or small"),
        (
            TrainedOn("tiny", "r2"),
            "was trained on revision 'r1' of tiny; allowed: r2, to be served on tiny-awq@q1",
        ),
        (TrainedOn("tiny", "r1", LARGER), "tiny@r1: has other layers than tiny-awq@q1"),
    ],
)
def test_an_adapter_of_no_copy_of_the_base_is_refused_with_both_names(
    tmp_path: Path, trained_on: TrainedOn | None, words: str
) -> None:
    facts = read_folder(write_adapter(tmp_path, revision="r1"), SHAPES)
    with pytest.raises(AdapterRefused) as error:
        check_base(facts, QUANTISED, trained_on)
    assert words in str(error.value)


def test_a_revision_is_that_of_the_model_which_is_named(tmp_path: Path) -> None:
    """Two copies in folders of one name: each has a revision of its own. What names the served one must name its revision."""
    same_name = BaseModel("tiny", "q1", SHAPES)
    facts = read_folder(write_adapter(tmp_path / "a", revision="r1"), SHAPES)
    check_base(facts, same_name, TrainedOn("tiny", "r1"))
    with pytest.raises(AdapterRefused, match="was trained on revision 'r1' of tiny; allowed: q1 or r2"):
        check_base(facts, same_name, TrainedOn("tiny", "r2"))
    served = read_folder(
        write_adapter(tmp_path / "b", base_model_name_or_path="tiny-awq", revision="r1"), SHAPES
    )
    with pytest.raises(AdapterRefused, match="was trained on revision 'r1' of tiny-awq; allowed: q1"):
        check_base(served, QUANTISED, TrainedOn("tiny", "r1"))


# --- numbers ---------------------------------------------------------------------------------------------------------

WRONG = {
    "F32": (b"\x00\x00\xc0\x7f", b"\x00\x00\x80\xff", b"\x01\x00\x80\x7f"),
    "F16": (b"\x00\x7e", b"\x00\xfc", b"\x01\x7c"),
    "BF16": (b"\xc0\x7f", b"\x80\xff", b"\x81\x7f"),
}
"""A quiet NaN, minus infinity, and a signalling NaN, little-endian."""
LARGEST = {"F32": b"\xff\xff\x7f\x7f", "F16": b"\xff\xfb", "BF16": b"\x7f\xff"}


def with_number(dtype: str, number: bytes, at: int) -> bytes:
    """A file whose last tensor but one holds this number at this place."""
    tensors = lora_tensors(dtype=dtype)
    name = list(tensors)[-2]
    kind, shape, content = tensors[name]
    begin = at * len(number)
    tensors[name] = kind, shape, content[:begin] + number + content[begin + len(number) :]
    return safetensors(tensors)


@pytest.mark.parametrize("at", [0, 50, RANK * 48 - 1])
@pytest.mark.parametrize(
    ("dtype", "number"), [(dtype, each) for dtype, some in WRONG.items() for each in some]
)
def test_a_number_that_is_not_finite_is_refused_with_its_tensor(
    tmp_path: Path, dtype: str, number: bytes, at: int
) -> None:
    words = refused(write_adapter(tmp_path, weights=with_number(dtype, number, at)))
    assert "'base_model.model.model.layers.1.mlp.down_proj.lora_A.weight': holds a number that is" in words


@pytest.mark.parametrize("dtype", LARGEST)
def test_the_largest_number_is_finite(tmp_path: Path, dtype: str) -> None:
    read_folder(write_adapter(tmp_path, weights=with_number(dtype, LARGEST[dtype], 7)), SHAPES)


def test_tensors_larger_than_what_is_looked_at_at_once_are_looked_at_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finite_weights, "AT_ONCE", 64)
    words = refused(write_adapter(tmp_path, weights=with_number("F32", WRONG["F32"][0], RANK * 48 - 1)))
    assert "holds a number that is infinite or none" in words
    read_folder(write_adapter(tmp_path), SHAPES)


def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"\x00" * 7)
    with (
        (tmp_path / "short").open("rb") as opened,
        pytest.raises(AdapterRefused, match="short: was cut off while it was read"),
    ):
        finite_weights.check_finite("short", opened, {"a": Tensor("F32", (2,), 0, 8)}, 0)


# --- copies ----------------------------------------------------------------------------------------------------------


def test_a_copy_has_the_same_digest_and_nothing_else(tmp_path: Path) -> None:
    folder = write_adapter(tmp_path / "a")
    (tmp_path / "b").mkdir()
    copy_folder(folder, tmp_path / "b")
    assert digest_folder(tmp_path / "b") == digest_folder(folder)


@pytest.mark.parametrize("digest", ["", "abc", "A" * 64, "../../../etc/passwd", "a" * 63 + "\n", "a" * 65])
def test_a_digest_is_64_hexadecimal_digits(digest: str) -> None:
    with pytest.raises(AdapterRefused, match="allowed: 64 hexadecimal digits"):
        check_digest(digest)
