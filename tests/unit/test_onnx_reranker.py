"""The re-ranker that the product ships: what it tells apart, odd texts, its files."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from parley.backends.onnx_files import MODEL_FILE, TOKENIZER_FILE
from parley.backends.onnx_reranker import FOLDER, OnnxReranker, shared
from parley.errors import ConfigurationError

QUESTION = "How do I block a lost card?"
PASSAGES = (
    "Savings rates. Alder Saver pays 1.75% a year.",
    "Lost card. Block a lost card in the app: open Cards, choose the card, tap Block. Or call us at any time.",
    "Opening hours. The branch is open from nine to five.",
)


def test_what_answers_scores_best() -> None:
    assert int(shared().score(QUESTION, PASSAGES).argmax()) == 1


def test_a_score_depends_neither_on_the_batch_nor_on_the_order() -> None:
    together = shared().score(QUESTION, PASSAGES)
    alone = [float(shared().score(QUESTION, [each])[0]) for each in PASSAGES]
    assert np.allclose(together, alone, atol=1e-4)
    assert np.allclose(together[::-1], shared().score(QUESTION, PASSAGES[::-1]), atol=1e-4)


@pytest.mark.parametrize(
    "odd",
    [
        "",
        " ",
        "😀" * 500,
        "a" * 4000,
        "\ud800",
        "你好，世界",
        "[SEP] [CLS]",
        "\u202eabc\u200b",
        "word " * 5000,
    ],
)
def test_any_text_has_a_score(odd: str) -> None:
    assert np.isfinite(shared().score(odd, [odd, *PASSAGES])).all()


def test_nothing_to_read_is_no_score() -> None:
    assert shared().score(QUESTION, []).shape == (0,)


@pytest.mark.parametrize("name", [MODEL_FILE, TOKENIZER_FILE])
def test_a_missing_or_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    for file in (MODEL_FILE, TOKENIZER_FILE):
        shutil.copy(FOLDER / file, tmp_path / file)
    (tmp_path / name).write_bytes(b"not a model")
    with pytest.raises(ConfigurationError, match="damaged") as raised:
        OnnxReranker(tmp_path)
    assert str(tmp_path / name) in str(raised.value)
    (tmp_path / name).unlink()
    with pytest.raises(ConfigurationError, match="missing"):
        OnnxReranker(tmp_path)


def test_the_files_are_small_enough() -> None:
    assert sum(each.stat().st_size for each in FOLDER.glob("*.*")) < 12_000_000
