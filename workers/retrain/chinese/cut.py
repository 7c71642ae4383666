"""A large encoder cut down to the pieces that Chinese needs: the same vectors for Chinese texts, from a tenth of its embeddings.

Of the pieces stay those that the texts are made of, the most frequent first, and every single Chinese character. Rare words then fall apart into
shorter pieces, which the training that follows gets used to.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from parley.domain.words import CJK
from workers.retrain.chinese.unpack import Unpacked

SIZE = 10_500
"""Pieces in all: with four layers the INT8 file stays below 12 MB."""
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
SEPARATOR = "[SEP]"
"""Stands in a text between a question and what was said before it, as for the English encoder; it begins as another `</s>`."""
ASKED = "query: "
"""The large encoder wants it before a text (L. Wang et al., "Multilingual E5 Text Embeddings", 2024, 2.2)."""
SPACE = "▁"
LAST_PLAIN = 0x7E


def tokenizer_of(pieces: list[str], scores: list[float]) -> Tokenizer:
    """Splits a text into the likeliest pieces. The first pieces are the special ones."""
    made = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=pieces.index("<unk>")))
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    ends = [(name, pieces.index(name)) for name in ("<s>", "</s>")]
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    if SEPARATOR in pieces:
        made.add_special_tokens([AddedToken(SEPARATOR, lstrip=True, rstrip=True, special=True)])
    return made


def cut(whole: Unpacked, texts: Iterable[str], out: Path, size: int = SIZE) -> int:
    """Write config.json, tokenizer.json and model.safetensors (float16) into `out`; the number of pieces that the texts are made of."""
    from safetensors.numpy import save_file  # of the extra `train`

    counts = _counted(tokenizer_of(whole.pieces, whole.scores), texts)
    kept = _kept(whole.pieces, counts, size - len(SPECIAL) - 1)
    places = [whole.pieces.index(name) for name in SPECIAL] + [whole.pieces.index("</s>"), *kept]
    pieces = [*SPECIAL, SEPARATOR, *(whole.pieces[place] for place in kept)]
    weights = {name: value for name, value in whole.weights.items() if not name.startswith("pooler.")}
    words = "embeddings.word_embeddings.weight"
    weights[words] = weights[words][places]
    out.mkdir(parents=True, exist_ok=True)
    tokenizer_of(pieces, [whole.scores[place] for place in places]).save(str(out / "tokenizer.json"))
    (out / "config.json").write_text(json.dumps(_config(whole, weights), indent=1) + "\n", "utf-8")
    save_file({name: value.astype(np.float16) for name, value in weights.items()}, out / "model.safetensors")
    return len(counts)


def _counted(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[int]:
    found: Counter[int] = Counter()
    for text in texts:
        found.update(tokenizer.encode(ASKED + text, add_special_tokens=False).ids)
    return found


def _kept(pieces: list[str], counts: Counter[int], most: int) -> list[int]:
    """The places of those that stay, in their order."""
    must = {place for place, piece in enumerate(pieces) if _is_basic(piece.removeprefix(SPACE) or piece)}
    must -= {pieces.index(name) for name in SPECIAL}
    others = [
        place
        for place, _ in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        if place not in must
    ]
    # A character that no text has is dropped before a word that many have.
    ranked = [*(place for place in sorted(must) if counts[place]), *others]
    ranked += [place for place in sorted(must) if not counts[place]]
    return sorted(ranked[:most])


def _is_basic(piece: str) -> bool:
    """One Chinese character or plain one, alone or at the beginning of a word."""
    return len(piece) == 1 and (bool(CJK.match(piece)) or ord(piece) <= LAST_PLAIN or piece == SPACE)


def _config(whole: Unpacked, weights: dict[str, Any]) -> dict[str, Any]:
    layers = len({name.split(".")[2] for name in weights if name.startswith("encoder.layer.")})
    return {
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": whole.hidden,
        "intermediate_size": 4 * whole.hidden,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": len(weights["embeddings.position_embeddings.weight"]),
        "num_attention_heads": 12,
        "num_hidden_layers": layers,
        "pad_token_id": 1,
        "type_vocab_size": len(weights["embeddings.token_type_embeddings.weight"]),
        "vocab_size": len(weights["embeddings.word_embeddings.weight"]),
    }
