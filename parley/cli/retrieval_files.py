"""A retrieval set in a folder, in BEIR's form: `corpus.jsonl[.gz]`, `queries.jsonl[.gz]` with an optional history, `qrels.tsv`.

N. Thakur et al., "BEIR", NeurIPS 2021 (datasets track).
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parley.cli.json_lines import objects, text_of
from parley.domain.chunking import Chunk, pieces
from parley.domain.words import language_of
from parley.errors import ConfigurationError

ALWAYS = "0001-01-01"


@dataclass(frozen=True, slots=True)
class RetrievalQuery:
    """`history` is what was said before, oldest first; `right` are the ids of what answers it, with grades above 0."""

    id: str
    text: str
    history: tuple[str, ...]
    right: dict[str, int]


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """Documents as (id, title, text), and the questions that have at least one right answer."""

    documents: tuple[tuple[str, str, str], ...]
    queries: tuple[RetrievalQuery, ...]

    def language(self) -> str:
        """That of most questions: zh or en."""
        chinese = sum(language_of(query.text, ("en", "zh"), "en") == "zh" for query in self.queries)
        return "zh" if 2 * chinese > len(self.queries) else "en"

    def chunks(self, language: str) -> list[Chunk]:
        """Cut as articles are: a document's chunks have its id as their article's."""
        return [
            Chunk(f"{id_}#{number}", id_, title, "", (), language, piece, ALWAYS, None)
            for id_, title, text in self.documents
            for number, piece in enumerate(pieces(text) or [""])
        ]


def read(folder: Path) -> RetrievalSet:
    """Raises `ConfigurationError` with file, line and field."""
    if not folder.is_dir():
        raise ConfigurationError(f"--dir: {folder} is no folder")
    documents = tuple(_documents(_file(folder, "corpus.jsonl")))
    right = _right(folder / "qrels.tsv")
    _check(right, {id_ for id_, _, _ in documents}, folder / "qrels.tsv")
    queries = tuple(_queries(_file(folder, "queries.jsonl"), right))
    if not queries:
        raise ConfigurationError(f"{folder}: no question of queries.jsonl has a line in qrels.tsv")
    return RetrievalSet(documents, queries)


def _file(folder: Path, name: str) -> Path:
    """Plain where it is there, else gzipped."""
    plain, zipped = folder / name, folder / f"{name}.gz"
    return zipped if zipped.exists() and not plain.exists() else plain


def _documents(file: Path) -> Iterator[tuple[str, str, str]]:
    seen: set[str] = set()
    for where, row in objects(file, "`id`, `title` and `text`"):
        id_ = _id(row, where)
        if id_ in seen:
            raise ConfigurationError(f"{where}: id: {id_!r} stands there twice")
        seen.add(id_)
        title = row.get("title") or ""
        if not isinstance(title, str):
            raise ConfigurationError(f"{where}: title: must be a string")
        yield id_, title, text_of(row, where)


def _queries(file: Path, right: dict[str, dict[str, int]]) -> Iterator[RetrievalQuery]:
    for where, row in objects(file, "`id`, `text` and, where there is one, `history`"):
        id_, text, history = _id(row, where), text_of(row, where), _history(row, where)
        if id_ in right:
            yield RetrievalQuery(id_, text, history, right[id_])


def _id(row: dict[str, Any], where: str) -> str:
    """BEIR's own files call it `_id`."""
    return text_of(row, where, "_id" if "_id" in row else "id")


def _history(row: dict[str, Any], where: str) -> tuple[str, ...]:
    turns = row.get("history") or []
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise ConfigurationError(f"{where}: history: must be a list of objects with `role` and `text`")
    return tuple(text_of(turn, f"{where}: history") for turn in turns)


def _right(file: Path) -> dict[str, dict[str, int]]:
    """Grades above 0 by question and document. A first line without a number is a header."""
    found: dict[str, dict[str, int]] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            for number, row in enumerate(csv.reader(lines, delimiter="\t"), start=1):
                if not row or (number == 1 and len(row) == 3 and not row[2].lstrip("-").isdigit()):
                    continue
                query, document, grade = _grade(row, f"{file}:{number}")
                if grade > 0:
                    found.setdefault(query, {})[document] = grade
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{file}: {getattr(error, 'strerror', None) or error}") from error
    return found


def _grade(row: list[str], where: str) -> tuple[str, str, int]:
    if len(row) != 3:
        raise ConfigurationError(
            f"{where}: has {len(row)} columns; three are needed: query-id, corpus-id, score"
        )
    try:
        return row[0], row[1], int(row[2])
    except ValueError as error:
        raise ConfigurationError(f"{where}: score: {row[2]!r} is no whole number") from error


def _check(right: dict[str, dict[str, int]], documents: set[str], file: Path) -> None:
    for query, found in right.items():
        for document in found:
            if document not in documents:
                raise ConfigurationError(f"{file}: {query}: corpus-id: {document!r} is not in the corpus")
