"""What training needs, in one folder small enough to travel: the text, the tenants, the tokenizer that is trained on both, and prompts to try the model with."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from workers.retrain.starter import asked_texts, tenants, texts, vocabulary
from workers.retrain.starter.asked import asked_questions
from workers.retrain.starter.asked import save as save_asked
from workers.retrain.starter.examples import Examples
from workers.retrain.starter.prompts import is_chinese, rendered
from workers.retrain.starter.tenants import Prepared

READ_FOR_TOKENIZER = 0.35
"""Of the English documents, and all of the Chinese ones."""
EXAMPLES_FOR_TOKENIZER = 12_000
TENANT_TIMES = 3


def prepare(
    data: Path, folder: Path, out: Path, *, share: float = 1.0, size: int = vocabulary.SIZE
) -> dict[str, int]:
    """`share` below 1 takes a part of the text, to try it out. Returns how much there is of what."""
    found = [row for row in texts.gather(data) if share >= 1 or hash_share(str(row["text"])) < share]
    count = texts.save(found, out / texts.FILE)
    prepared = tenants.read(folder)
    tenants.save(prepared, out / tenants.FILE)
    learnt = [{key: str(row[key]) for key in ("source", "title", "text")} for row in found if not row["dev"]]
    tokenizer = vocabulary.train(_for_tokenizer(learnt, prepared, share), size)
    vocabulary.save(tokenizer, out)
    asked = save_asked(asked_questions(folder), out / asked_texts.FILE)
    return {
        "documents": count,
        "held_back": sum(bool(row["dev"]) for row in found),
        "characters": sum(len(str(row["text"])) for row in found),
        "asked": asked,
        "vocabulary": tokenizer.get_vocab_size(),
        **{f"{each.id}_{each.language}_chunks": len(each.chunks) for each in prepared.tenants},
        "bytes": sum(file.stat().st_size for file in out.iterdir()),
    }


def hash_share(text: str) -> float:
    return random.Random(text).random()


def _for_tokenizer(found: Sequence[dict[str, str]], prepared: Prepared, share: float) -> Iterator[str]:
    yield from (
        row["text"]
        for row in found
        if is_chinese(row["text"][:200]) or hash_share(row["title"]) < READ_FOR_TOKENIZER
    )
    examples = Examples(texts.documents(found), prepared.rules, seed=0)
    for _ in range(int(EXAMPLES_FOR_TOKENIZER * min(1.0, share))):
        example = examples.draw()
        yield rendered(example.messages, ask=True) + example.answer
    for _ in range(TENANT_TIMES):
        for tenant in prepared.tenants:
            yield from (f"{chunk.source.title}\n{chunk.source.text}" for chunk in tenant.chunks)
            yield from (asked for chunk in tenant.chunks for asked in chunk.asked)
