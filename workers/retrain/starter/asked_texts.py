"""What the model and its adapters write to the platform's own prompts about the tenants' questions. Needs no Parley: `asked` wrote the prompts."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from workers.retrain.starter import network, vocabulary
from workers.retrain.starter.examples import Example
from workers.retrain.starter.prompts import Message, rendered
from workers.retrain.starter.samples import answers
from workers.retrain.starter.styled import STYLES

FILE = "asked.jsonl"
TEXTS_FILE = "asked_answers.jsonl"
MOST_TOKENS = 160
AT_ONCE = {"cpu": 24, "cuda": 100}
"""Prompts: as many as a device holds without effort."""
BASE = "base"


@dataclass(frozen=True, slots=True)
class AskedPrompt:
    """A tenant's question in the platform's messages."""

    tenant: str
    language: str
    asked: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class WrittenText:
    """`said` is None where the prompt is longer than the model's context."""

    writer: str
    tenant: str
    language: str
    asked: str
    said: str | None


def load(file: Path) -> list[AskedPrompt]:
    found = (json.loads(line) for line in file.read_text("utf-8").splitlines())
    return [
        AskedPrompt(
            each["tenant"],
            each["language"],
            each["asked"],
            tuple(Message(role, content) for role, content in each["messages"]),
        )
        for each in found
    ]


def write(
    prompts: Sequence[AskedPrompt], model: Path, adapters: Path, device: str, most_tokens: int = MOST_TOKENS
) -> Iterator[WrittenText]:
    """Greedy texts of the base, then of each adapter that is there; an adapter is asked its tenant's questions alone."""
    tokenizer = Tokenizer.from_file(str(model / vocabulary.FILE))
    for name, opened in _writers(model, adapters, device):
        own = [each for each in prompts if name == BASE or each.tenant == STYLES[name].tenant]
        texts = _texts(opened, tokenizer, own, device, most_tokens)
        for each, text in zip(own, texts, strict=True):
            yield WrittenText(name, each.tenant, each.language, each.asked, text)


def save_texts(found: Iterable[WrittenText], file: Path) -> None:
    with file.open("w", encoding="utf-8") as out:
        for each in found:
            row = {name: getattr(each, name) for name in WrittenText.__slots__}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def load_texts(file: Path) -> list[WrittenText]:
    return [WrittenText(**json.loads(line)) for line in file.read_text("utf-8").splitlines()]


def _writers(model: Path, adapters: Path, device: str) -> Iterator[tuple[str, Any]]:
    from peft import PeftModel

    base = network.open_model(model, device).eval()
    yield BASE, base
    for name in STYLES:
        if (adapters / name).is_dir():
            adapted = PeftModel.from_pretrained(base, str(adapters / name)).float().eval().to(device)
            yield name, adapted
            base = adapted.unload()


def _texts(
    model: Any, tokenizer: Tokenizer, prompts: Sequence[AskedPrompt], device: str, most_tokens: int
) -> list[str | None]:
    """In order. No text may outgrow the context, as the platform's engines see to it."""
    examples = [Example(each.messages, "") for each in prompts]
    lengths = [
        len(tokenizer.encode(rendered(each.messages, ask=True), add_special_tokens=False).ids)
        for each in examples
    ]
    fitting = [at for at, length in enumerate(lengths) if length < vocabulary.CONTEXT]
    fitting.sort(key=lengths.__getitem__)
    texts: dict[int, str] = {}
    at_once = AT_ONCE.get(device, AT_ONCE["cpu"])
    for start in range(0, len(fitting), at_once):
        some = fitting[start : start + at_once]
        most = min(most_tokens, vocabulary.CONTEXT - max(lengths[at] for at in some))
        found = answers(model, tokenizer, [examples[at] for at in some], device, most)
        texts.update(zip(some, found, strict=True))
    return [texts.get(at) for at in range(len(prompts))]
