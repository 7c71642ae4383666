"""What training needs, in one folder small enough to travel: the text, the tenants, and the tokenizer that is trained on both."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from workers.retrain.starter import tenants, texts, vocabulary
from workers.retrain.starter.examples import Examples
from workers.retrain.starter.prompts import rendered
from workers.retrain.starter.tenants import Prepared

READ_FOR_TOKENIZER = 0.35
"""Of the documents."""
EXAMPLES_FOR_TOKENIZER = 12_000
TENANT_TIMES = 3


def prepare(
    data: Path, folder: Path, out: Path, *, share: float = 1.0, size: int = vocabulary.SIZE
) -> dict[str, int]:
    """`share` below 1 takes a part of the text, to try it out. Returns how much there is of what."""
    found = [
        row for row in texts.gather(data / "pretrain") if share >= 1 or hash_share(str(row["text"])) < share
    ]
    count = texts.save(found, out / texts.FILE)
    prepared = tenants.read(folder)
    tenants.save(prepared, out / tenants.FILE)
    learnt = [{key: str(row[key]) for key in ("source", "title", "text")} for row in found if not row["dev"]]
    tokenizer = vocabulary.train(_for_tokenizer(learnt, prepared, share), size)
    vocabulary.save(tokenizer, out)
    return {
        "documents": count,
        "held_back": sum(bool(row["dev"]) for row in found),
        "characters": sum(len(str(row["text"])) for row in found),
        "vocabulary": tokenizer.get_vocab_size(),
        **{f"{each.id}_{each.language}_chunks": len(each.chunks) for each in prepared.tenants},
        "bytes": sum(file.stat().st_size for file in out.iterdir()),
    }


def hash_share(text: str) -> float:
    return random.Random(text).random()


def _for_tokenizer(found: Sequence[dict[str, str]], prepared: Prepared, share: float) -> Iterator[str]:
    yield from (row["text"] for row in found if hash_share(row["title"]) < READ_FOR_TOKENIZER)
    examples = Examples(texts.documents(found), prepared.rules, seed=0)
    for _ in range(int(EXAMPLES_FOR_TOKENIZER * min(1.0, share))):
        example = examples.draw()
        yield rendered(example.messages, ask=True) + example.answer
    for _ in range(TENANT_TIMES):
        for tenant in prepared.tenants:
            yield from (f"{chunk.source.title}\n{chunk.source.text}" for chunk in tenant.chunks)
            yield from (asked for chunk in tenant.chunks for asked in chunk.asked)
