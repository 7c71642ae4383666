"""What the Chinese encoder is made from: the packed file unpacked, its pieces cut down, texts in sentences. Needs no torch."""

import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from parley.backends.onnx_encoder import FOLDERS, shared
from parley.errors import ConfigurationError
from workers.retrain.chinese.cut import SEPARATOR, SPECIAL, _kept, tokenizer_of
from workers.retrain.chinese.data import ChineseData, Known, load, save, sentences
from workers.retrain.chinese.unpack import BLOCK, unpack

HIDDEN = 32
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "卡", "银行", "银", "行", "a", "▁a", "é", "丢了"]
SCORES = [0.0, 0.0, 0.0, 0.0, -2.0, -3.0, -3.0, -5.0, -5.0, -6.0, -6.0, -7.0, -3.0]


def packed(rows: np.ndarray, scale: float) -> bytes:
    """Whole numbers from -8 to 7 times a scale, in blocks of 32."""
    found = b""
    for block in (rows.reshape(-1, BLOCK) + 8).astype(np.uint8):
        found += np.float16(scale).tobytes() + (block[:16] | block[16:] << 4).tobytes()
    return found


def written(path: Path, words: np.ndarray, bias: np.ndarray) -> Path:
    """A file of this form with the words' matrix and one bias."""
    text = "".join(PIECES).encode()
    ends = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, 12, 12, 128, len(PIECES), 512, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(text)) + ends.tobytes()
    head += np.array(SCORES, dtype="<f4").tobytes() + text + struct.pack("<iI", 0, 0)
    parts = [("emb.word", 1, packed(words, 0.5)), ("l3.ao.b", 0, bias.astype("<f4").tobytes())]
    start = len(head) + 4 + sum(2 + len(name) + 21 for name, _, _ in parts)
    table, body = struct.pack("<i", len(parts)), b""
    for name, kind, content in parts:
        table += struct.pack("<H", len(name)) + name.encode()
        table += struct.pack("<BIQQ", kind, len(content), start + len(body), len(content))
        body += content
    path.write_bytes(head + table + body)
    return path


def test_what_was_packed_is_unpacked(tmp_path: Path) -> None:
    words = np.random.default_rng(1).integers(-8, 8, size=(len(PIECES), HIDDEN))
    bias = np.arange(HIDDEN, dtype=np.float32)
    found = unpack(written(tmp_path / "packed.bin", words, bias))
    assert (found.hidden, found.pieces, found.scores) == (HIDDEN, PIECES, SCORES)
    assert found.weights["embeddings.word_embeddings.weight"].tolist() == (words * 0.5).tolist()
    assert found.weights["encoder.layer.3.attention.output.dense.bias"].tolist() == bias.tolist()


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(ConfigurationError, match="not an E5S1 file"):
        unpack(tmp_path / "other")


def test_the_likeliest_pieces_with_the_separator_between_texts() -> None:
    pieces = [*SPECIAL, SEPARATOR, *PIECES[4:]]
    tokenizer = tokenizer_of(pieces, [*SCORES[:4], 0.0, *SCORES[4:]])
    found = tokenizer.encode("银行卡 [SEP] 卡丢了").tokens
    assert [token.strip() for token in found if token != "▁"] == [
        "<s>",
        "银行",
        "卡",
        "[SEP]",
        "卡",
        "丢了",
        "</s>",
    ]
    unknown = tokenizer.encode("丢")
    assert unknown.ids[-2] == pieces.index("<unk>")
    assert tokenizer.encode("ａ").tokens == ["<s>", "▁a", "</s>"], "wide letters are plain ones"


def test_frequent_pieces_stay_and_characters_of_the_texts_before_those_of_none() -> None:
    counts = Counter({PIECES.index("银行"): 9, PIECES.index("丢了"): 2, PIECES.index("卡"): 1})

    def kept(most: int) -> list[str]:
        return [PIECES[place] for place in _kept(PIECES, counts, most)]

    assert kept(2) == ["卡", "银行"]
    assert kept(3) == ["卡", "银行", "丢了"]
    assert kept(99) == ["▁", "卡", "银行", "银", "行", "a", "▁a", "丢了"]


def test_sentences_are_those_with_a_chinese_character() -> None:
    assert sentences("卡丢了。怎么办？OK!\n请挂失；谢谢") == ["卡丢了。", "怎么办？", "请挂失；", "谢谢"]


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    data = ChineseData(
        ["卡"], [["您好", "卡丢了"]], {"set": [Known("怎么办", ["卡丢了"], "挂失", "a", True)]}
    )
    save(data, tmp_path / "deep" / "data.json.gz")
    assert load(tmp_path / "deep" / "data.json.gz") == data


def test_the_shipped_encoder_brings_together_what_means_alike() -> None:
    encoder = shared(FOLDERS["zh"])
    lost, gone, rate = encoder.encode(["我的银行卡丢了", "卡找不到了怎么办", "存款利率是多少"])
    assert encoder.name == "parley-encoder-zh-1"
    assert lost @ gone > lost @ rate + 0.2
    [alone] = encoder.encode(["我的银行卡丢了"])
    assert np.abs(alone - lost).max() < 1e-6
