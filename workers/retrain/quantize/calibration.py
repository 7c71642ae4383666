"""Text as token ids: windows of a calibration set, and one long row to measure perplexity on."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch

from parley.errors import ConfigurationError

Row = tuple[str, dict[str, Any]]
"""A line's place in its file, and its object: `text`, or `messages` (role, content), or `token_ids`."""

FIELDS = "text, messages or token_ids"


def windows(rows: Iterable[Row], tokenizer: Any, samples: int, length: int, vocabulary: int) -> Any:
    """(samples, length) token ids: the rows one after the other, cut into windows; of more than are wanted, those at even distances.

    Raises `ConfigurationError` for a row that is malformed, and where all rows together do not fill one window.
    """
    ids: list[int] = []
    for where, row in rows:
        ids += _checked(_ids(where, row, tokenizer), where, vocabulary)
    count = len(ids) // length
    if not count:
        raise ConfigurationError(
            f"--calibration: holds {len(ids):,} tokens; one window needs {length:,} (--length says how many)"
        )
    chosen = min(samples, count)
    cut = torch.tensor(ids[: count * length]).view(count, length)
    return cut[torch.arange(chosen) * count // chosen]


def _ids(where: str, row: dict[str, Any], tokenizer: Any) -> Sequence[int]:
    ids, text = row.get("token_ids"), row.get("text")
    if isinstance(ids, list):
        return ids
    if isinstance(text, str):
        return encoded(text, tokenizer, special=True)
    if isinstance(row.get("messages"), list):
        try:
            text = tokenizer.apply_chat_template(row["messages"], tokenize=False)
        except Exception as error:  # a template raises whatever its author wrote
            raise ConfigurationError(
                f"{where}: messages: the model's chat template refuses them ({error})"
            ) from error
        return encoded(text, tokenizer)
    raise ConfigurationError(f"{where}: a line must be an object with {FIELDS}")


def _checked(ids: Sequence[int], where: str, vocabulary: int) -> Sequence[int]:
    if wrong := [each for each in ids if not isinstance(each, int) or not 0 <= each < vocabulary]:
        raise ConfigurationError(
            f"{where}: token_ids: {wrong[0]!r} is no token of this model; allowed: 0 to {vocabulary - 1}"
        )
    return ids


def encoded(text: str, tokenizer: Any, *, special: bool = False) -> list[int]:
    """`special`: with what the tokenizer puts before and after a text."""
    found: list[int] = tokenizer(text, add_special_tokens=special, verbose=False)["input_ids"]
    return found
