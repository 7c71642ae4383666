"""`parley calls import`: files of finished calls into the log."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.x509 import Certificate

from connectors.calls.book import CallBook, Taken
from connectors.calls.formats import FORMS, read
from connectors.calls.pacing import OnTheirWay, Pacer
from connectors.calls.speakers import LABELLED, labelled
from connectors.calls.taking import Refused, signatures, take_one
from connectors.calls.transcript import Speaker, Transcript, TranscriptRefused, whole
from connectors.calls.vcon.trusted import roots_of, trusted
from parley.cli.common import JsonOption, TenantOption, counted, known_tenant, platform, print_json
from parley.errors import ConfigurationError

STDIN = Path("-")

FilesArgument = Annotated[
    list[Path], typer.Argument(help="Files, or folders of files; - reads one from standard input.")
]
FormOption = Annotated[
    str | None,
    typer.Option(help=f"What the files are, where their content does not tell: {', '.join(FORMS)}."),
]
SpeakerOption = Annotated[
    list[str] | None,
    typer.Option("--speaker", help=f"Who a label of the file is: {LABELLED}; repeatable."),
]
LanguageOption = Annotated[
    str | None, typer.Option(help="Where a file does not say its language, such as en.")
]
RootOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--root",
        help="Certificates (PEM) that signers of vCons may lead to, besides the tenant's own; repeatable.",
    ),
]


def import_(
    files: FilesArgument,
    tenant: TenantOption = "bank",
    form: FormOption = None,
    language: LanguageOption = None,
    speaker: SpeakerOption = None,
    root: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import finished calls: vCons and the transcripts of common recognisers. What was imported before is known, and not doubled."""
    if form is not None and form not in FORMS:
        raise ConfigurationError(f"--form: {form!r} does not exist; allowed: {', '.join(FORMS)}")
    speakers, roots = _speakers(speaker or ()), _roots(root or ())
    results: list[dict[str, Any]] = []
    taken: list[Taken | Refused] = []
    with platform() as opened:
        name = known_tenant(opened, tenant)
        own, book = trusted(opened.settings, name), CallBook(opened, name)
        trust = replace(own, roots=[*own.roots, *roots])
        pacer = Pacer(book, OnTheirWay(opened.store))
        for path in counted(_files(files), "files"):
            try:
                calls = read(_bytes(path), name=path.name, form=form, speakers=speakers, trust=trust)
            except TranscriptRefused as error:
                found = [_refused(str(error).removeprefix(f"{path.name}: "))]
            else:
                of_file = [take_one(pacer, call, language) for call in calls]
                taken += of_file
                found = [_told(each) for each in of_file]
            results += [{"file": str(path), **each} for each in found]
            for each in found:
                if not as_json:
                    _say(path, each)
        book.close()
    _tell(results, signatures(taken), as_json=as_json)


def _say(path: Path, each: dict[str, Any]) -> None:
    for line in [each["reason"]] if each["state"] == "refused" else each["notes"]:
        typer.secho(f"{path}: {line}", err=True)


def _told(each: Taken | Refused) -> dict[str, Any]:
    return asdict(each) if isinstance(each, Taken) else {"call_id": each.call_id, **_refused(each.reason)}


def _refused(reason: str) -> dict[str, Any]:
    return {"state": "refused", "reason": reason}


def one_call(path: Path, form: str | None, speakers: Iterable[str]) -> Transcript:
    """The first call of a file. Raises `TranscriptRefused`, `ConfigurationError`."""
    try:
        return read(_bytes(path), name=path.name, form=form, speakers=_speakers(speakers))[0]
    except TranscriptRefused as error:
        raise TranscriptRefused(f"{path}: {error}") from error


def _files(named: Iterable[Path]) -> Iterator[Path]:
    """A folder's files by name, those below it too; hidden ones are left out. Raises `ConfigurationError`."""
    for path in named:
        if path.is_dir():
            inside = (each for each in sorted(path.rglob("*")) if each.is_file())
            yield from (
                each
                for each in inside
                if not any(part.startswith(".") for part in each.relative_to(path).parts)
            )
        elif path == STDIN or path.is_file():
            yield path
        else:
            raise ConfigurationError(f"{path}: there is no such file or folder")


def _bytes(path: Path) -> bytes:
    """Raises `TranscriptRefused`."""
    try:
        if path == STDIN:
            return whole(sys.stdin.buffer)
        with path.open("rb") as file:
            return whole(file)
    except OSError as error:
        raise TranscriptRefused(f"cannot be read ({error.strerror})") from error


def _speakers(told: Iterable[str]) -> dict[str, Speaker]:
    try:
        return labelled(told)
    except ValueError as error:
        raise ConfigurationError(
            f"--speaker: {error.args[0]!r} names no side; allowed: {LABELLED}"
        ) from error


def _roots(paths: Iterable[Path]) -> list[Certificate]:
    try:
        return [each for path in paths for each in roots_of(path)]
    except ConfigurationError as error:
        raise ConfigurationError(f"--root: {error}") from error


def _tell(results: list[dict[str, Any]], signed: str, *, as_json: bool) -> None:
    """Exits with 1 where a file, or a call of one, was refused."""
    states = [each["state"] for each in results]
    if as_json:
        print_json({"calls": results})
    else:
        turns = sum(each.get("turns", 0) for each in results)
        typer.echo(
            f"{states.count('accepted'):,} calls imported, {states.count('known'):,} known before, "
            f"{states.count('grown'):,} grown since, {states.count('heard_live'):,} heard live, "
            f"{states.count('refused'):,} refused; {turns:,} turns; signatures: {signed}"
        )
    if "refused" in states:
        raise typer.Exit(1)
