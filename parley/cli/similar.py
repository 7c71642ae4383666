"""`parley tenants similar`: questions that say the same and lead elsewhere, or those that are near to a given one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parley.backends import similar_questions
from parley.backends.similar_questions import Near, Pair, Question
from parley.backends.tenant_folder import load
from parley.cli.common import JsonOption, print_json, step, table
from parley.domain.words import language_of
from parley.errors import ConfigurationError
from workers import wiring

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    from workers.rag.vectors import Vectors


def similar(
    folder: Annotated[
        Path, typer.Argument(help="A tenant's folder, such as tenants/bank.", exists=True, file_okay=False)
    ],
    text: Annotated[
        str | None, typer.Argument(help="A question; without it the tenant's are compared with each other.")
    ] = None,
    least: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="How near two must be to be listed, as a cosine.")
    ] = 0.9,
    most: Annotated[int, typer.Option(min=1, help="So many are listed, the nearest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List questions of different intents, or of different articles, that say nearly the same: one of each two is likely to be
    misunderstood. With a TEXT, list what the tenant knows that is nearest to it, and where that leads.
    """
    found, vectors = load(folder), wiring.vectors()
    questions = similar_questions.questions_of(found.config, found.content)
    if text is None:
        _compare(questions, vectors, least, most, as_json=as_json)
        return
    language = language_of(text, found.config.languages, found.config.default_language)
    known = [each for each in questions if each.language == language]
    [wanted] = vectors.of_questions([(language, text)])
    if wanted is None:
        raise ConfigurationError(f"TEXT: there is no encoder for {language!r}, so nothing can be compared")
    rows = _encoded(known, vectors)
    near = [] if rows is None else similar_questions.nearest(wanted, known, rows, most)
    _print_near(near, as_json=as_json)


def _compare(
    questions: list[Question], vectors: "Vectors", least: float, most: int, *, as_json: bool
) -> None:
    pairs: list[Pair] = []
    for language in dict.fromkeys(each.language for each in questions):
        known = [each for each in questions if each.language == language]
        rows = _encoded(known, vectors)
        if rows is None:
            typer.echo(f"  {language}: passed over, there is no encoder for it", err=True)
        else:
            pairs += similar_questions.pairs(known, rows, least)
    pairs.sort(key=lambda pair: -pair.cosine)
    if as_json:
        print_json([_as_json(pair) for pair in pairs[:most]])
        return
    for pair in pairs[:most]:
        typer.echo(f"{pair.cosine:.2f}  {pair.first.kind} {pair.first.leads_to}: {pair.first.text}")
        typer.echo(f"      {pair.second.kind} {pair.second.leads_to}: {pair.second.text}")
    typer.echo(f"{len(pairs)} pairs of {len(questions)} questions have a cosine of {least:g} or more")


def _encoded(questions: list[Question], vectors: "Vectors") -> "NDArray[float32] | None":
    """(questions, dimensions), all of one language; None where that has no encoder, or where there are none."""
    import numpy as np

    with step(f"encoding {len(questions)} questions"):
        rows = vectors.of_questions([(each.language, each.text) for each in questions])
    there = [row for row in rows if row is not None]
    return np.stack(there) if there else None


def _print_near(rows: list[Near], *, as_json: bool) -> None:
    if as_json:
        print_json([{"cosine": each.cosine, **each.question._asdict()} for each in rows])
        return
    table(
        [(f"{each.cosine:.2f}", *each.question[2:], each.question.text) for each in rows],
        ("cosine", "kind", "leads to", "question"),
    )


def _as_json(pair: Pair) -> dict[str, object]:
    return {"cosine": pair.cosine, "first": pair.first._asdict(), "second": pair.second._asdict()}
