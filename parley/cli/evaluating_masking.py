"""`parley eval masking`: how much personal data is masked in texts of your own, and what else is."""

from pathlib import Path
from typing import Annotated

import typer

from parley.backends.tenant_folder import load
from parley.cli.common import JsonOption, print_json
from parley.cli.masking_files import Marked, Stretch, read
from parley.cli.masking_scores import Finder, Scores, measure
from parley.domain.masking import Masker, masker_of


def masking(
    file: Annotated[Path, typer.Option(help="JSON lines with text, mask and keep: lists of [kind, words].")],
    folder: Annotated[
        Path | None,
        typer.Option(
            "--tenant-dir",
            help="A tenant's folder: its own patterns are looked for too.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Mask every text of FILE; print the share of values that are wholly gone, and of look-alikes that are touched."""
    rows = read(file)
    scores = measure(rows, finder(masker_of(load(folder).config.privacy.patterns) if folder else Masker()))
    if as_json:
        print_json(scores.line())
    else:
        _print(scores)


def finder(masker: Masker) -> Finder:
    return lambda text: [Stretch(one.start, one.end, one.kind) for one in masker.find(text).taken]


def _print(scores: Scores) -> None:
    typer.echo(f"  recall           {scores.recall:.1%} of {scores.values.total()} values")
    typer.echo(f"  false masks      {scores.false_masks:.1%} of {scores.look_alikes} look-alikes")
    for kind, count in sorted(scores.values.items()):
        typer.echo(f"    {kind:16} {scores.found[kind]} of {count}")
    typer.echo(f"  a message        {scores.ms_per_message:.3f} ms of processor time")
    for title, listed in (("Missed", scores.missed), ("Masked by mistake", scores.taken)):
        if listed:
            typer.echo(f"\n{title}:")
        for row, stretch in listed:
            typer.echo(
                f"  {_at(row)}: {stretch.kind}: {row.text[stretch.start : stretch.end]!r} in {row.text!r}"
            )


def _at(row: Marked) -> str:
    return ":".join(row.where.rsplit("/", 1)[-1].rsplit(":", 1))
