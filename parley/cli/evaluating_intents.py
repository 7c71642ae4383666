"""`parley eval intents`: how well intents are recognised from one file of examples on another."""

import random
from pathlib import Path
from typing import Annotated

import typer

from parley.backends.onnx_encoder import all_shared
from parley.cli.common import JsonOption, print_json
from parley.cli.intent_files import LabelledTexts, read
from parley.cli.intent_scores import EXAMPLES, MISLABELS, Scores, measure
from parley.errors import ConfigurationError

SHOWN = 10


def intents(
    train: Annotated[Path, typer.Option(help="Examples: JSON lines with text and intent (or intents).")],
    test: Annotated[Path, typer.Option(help="Texts to recognise, in the same form.")],
    oos_label: Annotated[
        str | None,
        typer.Option(help="The intent that stands for out of scope: in TEST what should be refused."),
    ] = None,
    as_json: JsonOption = False,
    seed: Annotated[
        int, typer.Option(help="The order of the examples; the figures hardly depend on it.")
    ] = 1,
) -> None:
    """Fit on TRAIN, measure on TEST: accuracy, macro F1, calibration, refusals; confusions and suspicious labels. By what the platform uses
    in the language of TRAIN: English and Chinese by their encoders, others by n-grams, which refuse nothing that has a word and suspect no label.
    """
    examples, asked = read(train), read(test)
    if examples.several != asked.several:
        raise ConfigurationError(
            f"{test}: has `{'intents' if asked.several else 'intent'}`, and {train} has not"
        )
    rows = list(examples.rows)
    random.Random(seed).shuffle(rows)
    try:
        scores = measure(all_shared(), LabelledTexts(tuple(rows), examples.several), asked, oos_label)
    except ValueError as error:
        raise ConfigurationError(f"{train}, {test}: {error}") from error
    if as_json:
        print_json(scores.line())
    else:
        _print(scores, train)


def _print(scores: Scores, train: Path) -> None:
    counts = scores.counts
    typer.echo(
        f"{counts['intents']} intents from {counts['train']} examples, fitted in {scores.fit_s:.1f} s; "
        f"measured on {counts['test']} texts in scope and {counts['oos']} out of scope"
    )
    typer.echo(f"  accuracy in scope, before refusal   {scores.accuracy:.1%}")
    typer.echo(f"  macro F1                            {scores.macro_f1:.1%}")
    if scores.micro_f1 is not None:
        typer.echo(f"  micro F1                            {scores.micro_f1:.1%}")
    typer.echo(f"  calibration error                   {scores.ece:.1%}")
    if scores.oos_recall is not None:
        typer.echo(f"  out of scope and refused            {scores.oos_recall:.1%}")
    typer.echo(f"  in scope and refused                {scores.false_oos:.1%}")
    typer.echo(f"  a message                           {scores.ms_per_message:.1f} ms")
    if scores.confusions:
        typer.echo("\nMost confused:")
    for confusion in scores.confusions[:SHOWN]:
        typer.echo(f"  {len(confusion.texts)} × {confusion.intent} taken for {confusion.taken_for}")
        for text in confusion.texts[:EXAMPLES]:
            typer.echo(f"      {_short(text)}")
    if scores.mislabels:
        typer.echo(f"\nLabels to look at ({len(scores.mislabels)}), the likeliest to be wrong first:")
    for each in scores.mislabels[:MISLABELS]:
        typer.echo(
            f"  {train}:{each.line}: {each.intent} → {each.likelier} ({each.probability:.0%}): {_short(each.text)}"
        )


def _short(text: str, longest: int = 100) -> str:
    """On one line, and without what a terminal would obey."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"
