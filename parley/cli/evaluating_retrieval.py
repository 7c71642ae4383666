"""`parley eval retrieval`: how well questions find what answers them, on a folder in BEIR's form."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Annotated

import typer

from parley.backends.index import open_retriever
from parley.cli import retrieval_scores
from parley.cli.common import JsonOption, print_json, step
from parley.cli.retrieval_files import RetrievalQuery, RetrievalSet, read
from parley.domain.chunking import Chunk
from parley.domain.ranking import Ranked
from parley.ports.models import Query
from schemas.base import TenantId
from workers import wiring
from workers.rag.lookup import Lookup

TENANT, VERSION = TenantId("eval"), "1"
CHUNKS = 40
"""So many are looked up for the ten documents that are judged."""


def retrieval(
    folder: Annotated[Path, typer.Option("--dir", help="corpus.jsonl[.gz], queries.jsonl[.gz], qrels.tsv.")],
    words_only: Annotated[
        bool, typer.Option("--words-only", help="BM25 alone: no vectors, no re-ranker.")
    ] = False,
    history: Annotated[
        bool, typer.Option("--history/--no-history", help="Whether what was said before is looked at.")
    ] = True,
    index: Annotated[
        str, typer.Option(help="sqlite:, chroma: or weaviate://HOST:PORT?grpc=PORT.")
    ] = "sqlite:",
    language: Annotated[str | None, typer.Option(help="en or zh; without it, told by the questions.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Index a folder's corpus, ask its questions, print hit@1, hit@5, recall@10, MRR@10, nDCG@10 and how long it took."""
    found = read(folder)
    spoken = language or found.language()
    with open_lookup(index, words_only=words_only) as lookup:
        chunks = found.chunks(spoken)
        with step(f"indexing {len(chunks)} chunks"):
            indexed_in = fill(lookup, chunks)
        with step(f"asking {len(found.queries)} questions"):
            rankings, ms = ask(lookup, found, spoken, with_history=history)
    figures = retrieval_scores.line(rankings, [query.right for query in found.queries])
    figures |= {"ms_per_query": round(ms, 2), "index_s": round(indexed_in, 2)}
    if as_json:
        print_json({**figures, "queries": len(found.queries), "documents": len(found.documents)})
        return
    for name, figure in figures.items():
        typer.echo(f"{name:14}{figure:g}")


@contextmanager
def open_lookup(index: str, *, words_only: bool) -> Iterator[Lookup]:
    """On an index of its own, which is gone afterwards."""
    with TemporaryDirectory() as folder:
        retriever = open_retriever(index, Path(folder))
        try:
            yield wiring.lookup(retriever, words_only=words_only)
        finally:
            retriever.close()


def fill(lookup: Lookup, chunks: list[Chunk]) -> float:
    """Seconds."""
    began = perf_counter()
    lookup.sync(TENANT, VERSION, chunks)
    return perf_counter() - began


def ask(
    lookup: Lookup, found: RetrievalSet, language: str, *, with_history: bool
) -> tuple[list[list[str]], float]:
    """The documents of each question, best first, and the milliseconds of one; asked one by one, as customers do."""
    queries = [_query(query, language, with_history=with_history) for query in found.queries]
    _documents(lookup, queries[0])  # Opens what is opened when first needed.
    began = perf_counter()
    rankings = [_documents(lookup, query) for query in queries]
    return rankings, (perf_counter() - began) * 1000 / len(queries)


def _query(query: RetrievalQuery, language: str, *, with_history: bool) -> Query:
    said = query.history if with_history else ()
    return Query(query.text, language, date.today().isoformat(), limit=CHUNKS, history=said)


def _documents(lookup: Lookup, query: Query) -> list[str]:
    [found] = lookup.find(TENANT, VERSION, [query])
    read = lookup.read(query, [Ranked(each.score, each.passage) for each in found])
    return list(dict.fromkeys(each.passage.article_id for each in read))
