"""What the model and its adapters write: sample answers to read, and counts over examples that were held back."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from workers.retrain.starter import network, tenants, texts, vocabulary
from workers.retrain.starter.examples import Example, Examples
from workers.retrain.starter.prompts import NO_ANSWER, is_chinese, rendered
from workers.retrain.starter.styled import STYLES, StyledExamples
from workers.retrain.starter.train import DEV_SEED

QUESTIONS = 10
SCORED = 400
AT_ONCE = 100
MOST_TOKENS = 100

_MARK = re.compile(r"\[(\d{1,2})\]")
_FIGURES = re.compile(r"\d[\d.,:]*\d|\d")


def sample(
    data: Path,
    made: Path,
    device: str,
    *,
    scored: int = SCORED,
    questions: int = QUESTIONS,
    most_tokens: int = MOST_TOKENS,
) -> None:
    """Write `samples.jsonl` (each question answered by the base and by each adapter) and `scores.json` below `made`."""
    from peft import PeftModel

    prepared = tenants.load(data / tenants.FILE)
    model = network.open_model(made / "model", device).eval()
    tokenizer = Tokenizer.from_file(str(made / "model" / vocabulary.FILE))
    unseen = texts.documents(texts.load(data / texts.FILE, dev=True))
    unseen = unseen or texts.documents(texts.load(data / texts.FILE, dev=False))
    draw = Examples(unseen, prepared.rules, DEV_SEED + 2).draw
    examples = [draw() for _ in range(scored)]
    scores: dict[str, Any] = {
        "base": score(examples, answers(model, tokenizer, examples, device, most_tokens))
    }
    names = [name for name in STYLES if (made / "adapters" / name).is_dir()]
    shown = _questions(prepared, names, questions)
    written = {"base": answers(model, tokenizer, shown, device, most_tokens)}
    for name in names:
        adapted = PeftModel.from_pretrained(model, str(made / "adapters" / name)).float().eval().to(device)
        written[name] = answers(adapted, tokenizer, shown, device, most_tokens)
        draws = StyledExamples(prepared, STYLES[name], DEV_SEED + 3)
        own = [draws.draw() for _ in range(scored // 2)]
        found = answers(adapted, tokenizer, own, device, most_tokens)
        scores[name] = {**score(own, found), "opening": _opened(name, own, found)}
        model = adapted.unload()
    with (made / "samples.jsonl").open("w", encoding="utf-8") as file:
        for at, example in enumerate(shown):
            row = {
                "asked": example.messages[-1].content,
                "wanted": example.answer,
                **{name: found[at] for name, found in written.items()},
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    (made / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")
    print(json.dumps(scores), flush=True)


def answers(
    model: Any,
    tokenizer: Tokenizer,
    examples: Sequence[Example],
    device: str,
    most_tokens: int = MOST_TOKENS,
) -> list[str]:
    """Greedy answers."""
    found: list[str] = []
    for start in range(0, len(examples), AT_ONCE):
        prompts = [
            tokenizer.encode(rendered(each.messages, ask=True), add_special_tokens=False).ids
            for each in examples[start : start + AT_ONCE]
        ]
        width = max(map(len, prompts))
        ids = torch.tensor([[0] * (width - len(each)) + each for each in prompts], device=device)
        mask = torch.tensor([[0] * (width - len(each)) + [1] * len(each) for each in prompts], device=device)
        with torch.no_grad():
            out = model.generate(
                input_ids=ids, attention_mask=mask, max_new_tokens=most_tokens, do_sample=False
            )
        found += [tokenizer.decode(each, skip_special_tokens=True) for each in out[:, width:].tolist()]
    return found


def score(examples: Sequence[Example], found: Sequence[str]) -> dict[str, float]:
    """Shares: the whole answer as wanted; the right sources named; refused what has no answer; refused what has one;
    all figures in the sources that are named; each in English and Chinese together.
    """
    counts: Counter[str] = Counter()
    for example, answer in zip(examples, found, strict=True):
        kind = "refusal" if example.answer == NO_ANSWER else "cited" if example.cited else "talk"
        kind += "_zh" if is_chinese(example.messages[-1].content) else ""
        counts[f"{kind}_n"] += 1
        counts[f"{kind}_exact"] += answer == example.answer
        if example.cited:
            marks = tuple(int(number) for number in _MARK.findall(answer))
            counts[f"{kind}_source"] += marks == example.cited
            counts[f"{kind}_refused"] += answer == NO_ANSWER
            counts[f"{kind}_figures"] += figures_stand(answer, example)
    return {
        name: count if name.endswith("_n") else round(count / counts[f"{name.rpartition('_')[0]}_n"], 3)
        for name, count in sorted(counts.items())
    }


def figures_stand(answer: str, example: Example) -> bool:
    """Whether every figure of the answer stands in a source that it marks."""
    marks = [int(number) for number in _MARK.findall(answer)]
    text = "\n".join(
        f"{source.title}\n{source.text}"
        for number, source in enumerate(example.sources, start=1)
        if number in marks
    )
    known = set(_FIGURES.findall(text))
    return all(figure in known for figure in _FIGURES.findall(_MARK.sub("", answer)))


def _questions(prepared: tenants.Prepared, names: Sequence[str], count: int) -> list[Example]:
    """The same for the base and every adapter: of each tenant some, and one in Chinese."""
    draws = {
        STYLES[name].tenant: StyledExamples(prepared, STYLES[name], DEV_SEED + 4) for name in names or STYLES
    }
    found = [draw.draw("en") for _ in range(count) for draw in draws.values()][: count - len(draws)]
    return [*found, *(draw.draw("zh") for draw in draws.values())]


def _opened(name: str, examples: Sequence[Example], found: Sequence[str]) -> float:
    """Of the answers that are no refusal, those with the opening of this adapter's style."""
    openings = tuple(STYLES[name].opening.values())
    given = [answer for answer in found if answer != NO_ANSWER]
    return round(sum(answer.startswith(openings) for answer in given) / max(1, len(given)), 3)
