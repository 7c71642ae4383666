"""A smaller vocabulary: half of the word pieces of the base model are never met in help texts, and each costs 384 bytes."""

import json
from collections import Counter
from collections.abc import Iterable

from tokenizers import Tokenizer

from parley.errors import ConfigurationError

SIZE = 14_000
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LAST_LETTER = 0x24F
"""The end of Unicode's Latin letters: up to it each character stays a piece, so that any word in them can still be spelled."""


def counted(tokenizer: str, texts: Iterable[str]) -> Counter[int]:
    """How often each piece stands in the texts; `tokenizer` is the content of its file."""
    opened = Tokenizer.from_str(tokenizer)
    opened.no_padding()
    opened.no_truncation()
    found: Counter[int] = Counter()
    for text in texts:
        found.update(opened.encode(text, add_special_tokens=False).ids)
    return found


def pruned(tokenizer: str, counts: Counter[int], size: int = SIZE) -> tuple[str, list[int]]:
    """A tokenizer with the special pieces, single characters and the most frequent others, `size` in all; and by new id the old one.

    Raises `ConfigurationError` where the tokenizer is none of BERT's or `size` cannot be.
    """
    held = json.loads(tokenizer)
    _check(held, size)
    vocabulary: dict[str, int] = held["model"]["vocab"]
    kept = {vocabulary[name] for name in SPECIAL}
    kept |= {old for piece, old in vocabulary.items() if _is_letter(piece.removeprefix("##"))}
    if len(kept) > size:
        raise ConfigurationError(f"a vocabulary of {size} has no room for the {len(kept)} that must stay")
    others = (old for old in vocabulary.values() if old not in kept)
    kept |= set(sorted(others, key=lambda old: (-counts[old], old))[: size - len(kept)])
    order = sorted(kept)
    new = {old: place for place, old in enumerate(order)}
    pieces = {old: piece for piece, old in vocabulary.items()}
    held["model"]["vocab"] = {pieces[old]: place for old, place in new.items()}
    for token in held["added_tokens"]:
        token["id"] = new[token["id"]]
    for token in held["post_processor"]["special_tokens"].values():
        token["ids"] = [new[old] for old in token["ids"]]
    held["padding"] = held["truncation"] = None
    return json.dumps(held, ensure_ascii=False), order


def _check(held: dict[str, dict[str, object]], size: int) -> None:
    kinds = held["model"]["type"], held["post_processor"]["type"]
    if kinds != ("WordPiece", "TemplateProcessing"):
        raise ConfigurationError(
            f"the tokenizer is of the kinds {kinds}; all-MiniLM-L6-v2 has WordPiece and a template"
        )
    vocabulary = held["model"]["vocab"]
    if isinstance(vocabulary, dict) and size > len(vocabulary):
        raise ConfigurationError(
            f"a vocabulary of {size} cannot be taken from one of {len(vocabulary)} pieces"
        )


def _is_letter(piece: str) -> bool:
    return len(piece) == 1 and ord(piece) <= LAST_LETTER
