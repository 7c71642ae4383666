"""Intents on public sets below `PARLEY_DATA`; a set that is not there is skipped, and the line says so.

- BANKING77: a stratified part of the train file is held back, 40 texts an intent (a third where there are fewer); the encoder has seen the
  file's texts without their labels. Its published test part is for others to measure.
- The same with 10 examples an intent, the mean of five draws.
- CLINC150: train to val. The shipped encoder was trained on the labels of both (models/encoder/README.md says what one without val scores).
- NLU++ banking: several intents a text, trained on one fold of the file and tested on the others in turn ("low"), and the other way round
  ("large").
- Fin-Eva, Chinese: five-fold by the Chinese encoder, which has seen the texts without labels, the mean of five orders; so few texts that a point more or less means nothing.
"""

import json
import os
import random
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.reporting import DATA, report
from parley.backends.onnx_encoder import FOLDER, FOLDERS, OnnxEncoder
from parley.cli.intent_files import Labelled, LabelledTexts, read
from parley.cli.intent_scores import measure
from parley.ports.models import Encoder

Encoders = Mapping[str, Encoder]

#: Another folder to measure a model that is not shipped.
ENCODER = Path(os.environ.get("PARLEY_ENCODER", FOLDER))
HELD_BACK = 40
SHOTS = 10
DRAWS = 5
FOLDS = 5
FIN_EVA = "fin_eva_zh/labelled.jsonl"
FIN_EVA_TASK = "金融意图理解"


def main() -> None:
    encoders: Encoders = {"en": OnnxEncoder(ENCODER), "zh": OnnxEncoder(FOLDERS["zh"])}
    for name, file, run in (
        ("banking77", "banking77/train.jsonl", banking77),
        ("clinc150", "clinc150/val.jsonl", clinc150),
        ("nlupp_banking", "nlupp_banking/banking.jsonl", nlupp),
        ("fin_eva_zh", FIN_EVA, fin_eva),
    ):
        if (DATA / file).is_file():
            run(encoders)
        else:
            report(f"intents.{name}", skipped=f"{file} is not below PARLEY_DATA")


def banking77(encoders: Encoders) -> None:
    by_intent = _by_intent(read(DATA / "banking77" / "train.jsonl").rows)
    rng = random.Random(5)
    test: list[Labelled] = []
    train: list[Labelled] = []
    for _, rows in sorted(by_intent.items()):
        ordered = sorted(rows, key=lambda row: row.text)
        rng.shuffle(ordered)
        held_back = min(HELD_BACK, len(ordered) // 3)
        test += ordered[:held_back]
        train += ordered[held_back:]
    asked = LabelledTexts(tuple(test), several=False)
    scores = measure(encoders, LabelledTexts(tuple(train), several=False), asked, None)
    report("intents.banking77", **scores.line(), fit_s=round(scores.fit_s, 1), **scores.counts)
    draws = []
    for seed in range(DRAWS):
        draw = random.Random(seed)
        few = [row for _, rows in sorted(_by_intent(train).items()) for row in draw.sample(rows, SHOTS)]
        draws.append(measure(encoders, LabelledTexts(tuple(few), several=False), asked, None))
    report(
        "intents.banking77_10_shot",
        accuracy=round(statistics.mean(each.accuracy for each in draws), 4),
        spread=round(statistics.stdev(each.accuracy for each in draws), 4),
        ece=round(statistics.mean(each.ece for each in draws), 4),
        fit_s=round(statistics.median(each.fit_s for each in draws), 1),
        draws=DRAWS,
    )


def clinc150(encoders: Encoders) -> None:
    train, test = (read(DATA / "clinc150" / f"{part}.jsonl") for part in ("train", "val"))
    scores = measure(encoders, train, test, "oos")
    report("intents.clinc150", **scores.line(), fit_s=round(scores.fit_s, 1), **scores.counts)


def nlupp(encoders: Encoders) -> None:
    """The folds are those that the file's rows name."""
    file = DATA / "nlupp_banking" / "banking.jsonl"
    rows = read(file).rows
    folds = [int(row["fold"]) for row in _rows(file)]
    for name, trained_on in (("low", True), ("large", False)):
        scored = []
        for fold in sorted(set(folds)):
            own = tuple(row for row, at in zip(rows, folds, strict=True) if (at == fold) == trained_on)
            others = tuple(row for row, at in zip(rows, folds, strict=True) if (at == fold) != trained_on)
            scored.append(measure(encoders, LabelledTexts(own, True), LabelledTexts(others, True), None))
        report(
            f"intents.nlupp_banking_{name}",
            micro_f1=round(statistics.mean(each.micro_f1 or 0 for each in scored), 4),
            macro_f1=round(statistics.mean(each.macro_f1 for each in scored), 4),
            accuracy=round(statistics.mean(each.accuracy for each in scored), 4),
            folds=len(scored),
        )


def fin_eva(encoders: Encoders) -> None:
    """Its multiple-choice questions taken as labelled texts; an intent of fewer texts than folds is left out."""
    labelled = [
        Labelled(row["question"], (row["options"][row["answer"]],), line)
        for line, row in enumerate(_rows(DATA / FIN_EVA), start=1)
        if row["task"] == FIN_EVA_TASK
    ]
    texts = [row for rows in _by_intent(labelled).values() if len(rows) >= FOLDS for row in rows]
    scored = []
    for seed in range(DRAWS):
        # Sorted by intent, so that each fold has its share of every intent.
        ordered = sorted(random.Random(seed).sample(texts, len(texts)), key=lambda row: row.intents)
        for fold in range(FOLDS):
            train = tuple(row for at, row in enumerate(ordered) if at % FOLDS != fold)
            test = tuple(ordered[fold::FOLDS])
            scored.append(
                measure(encoders, LabelledTexts(train, False), LabelledTexts(test, False), None).accuracy
            )
    by_order = [statistics.mean(scored[at : at + FOLDS]) for at in range(0, len(scored), FOLDS)]
    report(
        "intents.fin_eva_zh",
        accuracy=round(statistics.mean(by_order), 4),
        spread=round(statistics.stdev(by_order), 4),
        texts=len(texts),
        intents=len({row.intents for row in texts}),
    )


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]


def _by_intent(rows: Iterable[Labelled]) -> dict[str, list[Labelled]]:
    found: dict[str, list[Labelled]] = defaultdict(list)
    for row in rows:
        found[row.intents[0]].append(row)
    return found
