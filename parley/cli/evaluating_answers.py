"""`parley eval answers`: the share of a tenant's own questions that get a right answer, or are rightly declined."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from parley.backends import question_files
from parley.backends.hybrid import HybridRetriever
from parley.backends.memory_store import MemoryStore
from parley.backends.sqlite_index import SqliteIndex
from parley.backends.tenant_folder import TenantFolder, load
from parley.cli.common import JsonOption, platform, print_json, step, table
from parley.cli.run import TENANTS
from parley.domain.chunking import Chunk
from parley.domain.fusing import Found
from parley.domain.scoring import Report, Split, Verdict, judge, report, split_of
from parley.errors import ConfigurationError
from parley.ports.models import Embed, Query
from parley.runtime.tenants import TenantConfigs
from parley.runtime.versions import VersionedContent
from schemas.base import TenantId
from schemas.questions import Question, QuestionFile
from workers.asking import Asked, Pieces, Writes
from workers.wiring import classifier, lookup
from workers.writers import writer

SPLITS: tuple[Split, ...] = ("tune", "test")


@dataclass(frozen=True, slots=True)
class Row:
    """A question, what became of it, and what that is worth."""

    tenant: str
    language: str
    split: Split
    question: Question
    asked: Asked
    verdict: Verdict


def answers(
    tenant: Annotated[
        str, typer.Option("--tenant", "-t", help="A tenant's folder, or its name in tenants/.")
    ] = "bank",
    language: Annotated[
        str | None, typer.Option(help="One language; without it all that the tenant has questions in.")
    ] = None,
    split: Annotated[
        Split | None,
        typer.Option(help="One half: tune, on which rules may be chosen, or test; without it both."),
    ] = None,
    retrieval: Annotated[
        bool, typer.Option("--retrieval/--no-retrieval", help="Without it no article is ever found.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Ask a tenant's questions/LANGUAGE.yaml of what really answers, without a server: classifier, routing, retriever, ranking, generator,
    guard. Prints the shares of right sources, right answers and right refusals, and each wrong one with what was said instead.
    """
    folder = Path(tenant) if Path(tenant).is_dir() else TENANTS / tenant
    if not folder.is_dir():
        raise ConfigurationError(f"--tenant: {tenant} is no folder, and tenants/{tenant} is none either")
    found = load(folder)
    languages = (language,) if language is not None else found.config.languages
    if language is not None and language not in found.config.languages:
        raise ConfigurationError(
            f"--language: {language} is not spoken; allowed: {', '.join(found.config.languages)}"
        )
    files = question_files.load(folder, found.content.articles, languages)
    rows = [
        row for row in _measured(found, files, retrieval=retrieval) if split is None or row.split == split
    ]
    if as_json:
        print_json(_as_json(rows))
    else:
        _print(rows)


def _measured(found: TenantFolder, files: list[QuestionFile], *, retrieval: bool) -> Iterator[Row]:
    for file in files:
        with open_pieces(found, file, retrieval=retrieval) as pieces:
            with step(f"{found.config.id} {file.language}: fitting and indexing"):
                pieces.prepare()
            with step(f"{found.config.id} {file.language}: {len(file.questions)} questions"):
                rows = [_row(found, file, question, pieces.ask(question.text)) for question in file.questions]
            yield from rows


def _row(found: TenantFolder, file: QuestionFile, question: Question, asked: Asked) -> Row:
    verdict = judge(question, asked.given, file.declined_says)
    return Row(found.config.id, file.language, split_of(question.text), question, asked, verdict)


@contextmanager
def open_pieces(found: TenantFolder, file: QuestionFile, *, retrieval: bool = True) -> Iterator[Pieces]:
    """In an index of their own: that of a running platform keeps few versions, and this one may never become one."""
    store = MemoryStore()
    store.put(found.version, found.config, found.content, datetime.now(UTC))
    content = VersionedContent(store, TenantConfigs(store))
    with platform() as opened, TemporaryDirectory() as folder:
        searches, writes = HybridRetriever(SqliteIndex(Path(folder))), Writes(writer(opened.settings))
        try:
            tenant = found.config.id
            yield Pieces(
                classifier(opened),
                lookup(searches if retrieval else _Nothing()),
                writes,
                content,
                tenant,
                found.version,
                file.asked_on,
            )
        finally:
            searches.close()
            writes.close()


class _Nothing:
    """Implements `parley.ports.models.Retriever`: has no article."""

    def ready(self, tenant: TenantId, version: str, encoder: str) -> bool:
        return True

    def sync(self, tenant: TenantId, version: str, chunks: Sequence[Chunk], embed: Embed) -> int:
        return 0

    def search(self, tenant: TenantId, version: str, queries: Sequence[Query]) -> list[tuple[Found, ...]]:
        return [() for _ in queries]

    def close(self) -> None:
        """There is nothing to close."""


def _groups(rows: list[Row]) -> Iterator[tuple[str, Split, Report]]:
    for language in dict.fromkeys(row.language for row in rows):
        for split in SPLITS:
            judged = [
                (row.question, row.verdict) for row in rows if (row.language, row.split) == (language, split)
            ]
            if judged:
                yield language, split, report(judged)


def _as_json(rows: list[Row]) -> dict[str, object]:
    return {
        "reports": [
            {"language": language, "split": split, **asdict(each)} for language, split, each in _groups(rows)
        ],
        "questions": [
            {
                "language": row.language,
                "split": row.split,
                **row.question.model_dump(),
                "verdict": row.verdict,
                "outcome": row.asked.given.outcome,
                "sources": row.asked.given.articles,
                "said": row.asked.given.text,
                "intents": [each.model_dump() for each in row.asked.intents[:3]],
                "score": row.asked.score,
            }
            for row in rows
        ],
    }


def _print(rows: list[Row]) -> None:
    for row in rows:
        if row.verdict != "right":
            _print_wrong(row)
    header = ("language", "split", "questions", "right source", "right answer", "rightly declined", "others")
    table([(language, split, *_shares(each)) for language, split, each in _groups(rows)], header)


def _print_wrong(row: Row) -> None:
    question, asked = row.question, row.asked
    best = ", ".join(f"{each.intent} {each.probability:.2f}" for each in asked.intents[:2])
    wanted = (
        f"{', '.join(question.articles)}: {' and '.join(question.says)}"
        if question.articles
        else question.expect
    )
    score = "" if asked.score is None else f", score {asked.score:.2f}"
    typer.echo(f"{row.verdict} [{row.language} {row.split}] {question.text}")
    typer.echo(f"  wanted {wanted}")
    typer.echo(f"  {asked.given.outcome} {', '.join(asked.given.articles)} ({best}{score})")
    typer.echo("".join(f"  | {line}\n" for line in asked.given.text.splitlines()))


def _shares(each: Report) -> tuple[str, ...]:
    return (
        str(each.questions),
        _share(each.sourced, each.answerable),
        _share(each.answered, each.answerable),
        _share(each.refusals, each.declinable),
        _share(each.others, each.other),
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%} ({part}/{whole})" if whole else "-"
