"""How well retrieval finds, where `parley eval retrieval` alone does not say it: with intervals, beside plain BM25, on other texts of a question.

- `chinese.SET`: hit@1 and hit@5 with 95 % intervals (bootstrap over the questions, seed 7), and what they are above plain BM25, paired: over single
  characters and pairs of title and text together, of the question and the four turns before it, each as much as the other. By words alone: the
  shipped encoder was trained on these very questions (models/encoder_zh/README.md has what one scores that was not).
- `tau_bank`: recall@10 of the documents that a task needs, by the customer's whole instruction and by the first thing that the customer says
  (where the set has it), beside words alone.
- `bank.INDEX`: the bank's own questions that an article answers, on Weaviate and SQLite: how many have a right article among the articles of
  the first ten passages, and how many of the ten best passages by comparing everything are there.

Sets are looked for below `PARLEY_DATA`; one that is not there is skipped, and the line says so.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy import float64
from numpy.typing import NDArray

from benchmarks.reporting import DATA, report
from infra.dev.weaviate import WeaviatePorts, WeaviateServer
from parley.backends import question_files
from parley.backends.tenant_folder import load
from parley.cli import retrieval_scores
from parley.cli.evaluating_retrieval import ask, fill, open_lookup
from parley.cli.retrieval_files import RetrievalSet, read
from parley.cli.run import TENANTS
from parley.domain.chunking import Chunk, chunks_of
from parley.domain.fusing import Fused, Scored, fuse, share_of_words
from parley.domain.lexical import Fields, Statistics, asked, bm25, counts_of, fields_of, score
from parley.domain.words import grams
from parley.ports.models import Query
from schemas.base import TenantId
from workers.rag.lookup import Lookup
from workers.rag.vectors import text_of

CHINESE = ("zh_finfaq", "zh_insurance", "zh_kdconv_travel")
DRAWS, SEED = 10_000, 7
PLAIN_TURNS = 4
DEEP = 10
TENANT, VERSION = TenantId("eval"), "1"

Hits = NDArray[float64]  # (questions,), 0 or 1


def main() -> None:
    for name in CHINESE:
        folder = DATA / f"retrieval_{name}"
        if folder.is_dir():
            chinese(name, read(folder))
        else:
            report(f"chinese.{name}", skipped=f"{folder.name} is not below PARLEY_DATA")
    if (DATA / "tau_bank").is_dir():
        tau_bank(DATA / "tau_bank")
    else:
        report("tau_bank", skipped="tau_bank is not below PARLEY_DATA")
    bank()


def chinese(name: str, found: RetrievalSet) -> None:
    rankings = _ours(found, "zh", words_only=True)
    plain = _plain(found)
    figures: dict[str, object] = {"questions": len(found.queries)}
    for deep in (1, 5):
        ours, theirs = _hits(found, rankings, deep), _hits(found, plain, deep)
        figures[f"hit@{deep}"] = _interval(ours)
        figures[f"plain_hit@{deep}"] = round(float(theirs.mean()), 3)
        figures[f"above@{deep}"] = _interval(ours - theirs)
    report(f"chinese.{name}", **figures)


def _ours(found: RetrievalSet, language: str, *, words_only: bool) -> list[list[str]]:
    with open_lookup("sqlite:", words_only=words_only) as lookup:
        fill(lookup, found.chunks(language))
        rankings, _ = ask(lookup, found, language, with_history=True)
    return rankings


def _plain(found: RetrievalSet) -> list[list[str]]:
    fields = [Fields("", "", " ".join(grams(f"{title}\n{text}"))) for _, title, text in found.documents]
    statistics, counts = Statistics.of(fields), [counts_of(each) for each in fields]
    rankings = []
    for query in found.queries:
        terms = dict.fromkeys(grams("\n".join((query.text, *query.history[-PLAIN_TURNS:]))), 1.0)
        worth = statistics.worth(terms)
        scores = [bm25(worth, each, statistics) for each in counts]
        order = sorted(range(len(scores)), key=lambda at: -scores[at])
        rankings.append([found.documents[at][0] for at in order[:DEEP]])
    return rankings


def _hits(found: RetrievalSet, rankings: Sequence[Sequence[str]], deep: int) -> Hits:
    pairs = zip(rankings, found.queries, strict=True)
    return np.array([retrieval_scores.hit(ranking, query.right, deep) for ranking, query in pairs])


def _interval(values: Hits) -> list[float]:
    """The mean, and between what 95 % of the means of as many drawn with replacement lie."""
    draws = np.random.default_rng(SEED).integers(len(values), size=(DRAWS, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), (0.025, 0.975))
    return [round(float(each), 3) for each in (values.mean(), low, high)]


def tau_bank(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as made:
        for name, found in (
            ("instruction", read(folder)),
            ("opening", read(_openings(folder, Path(made)))),
        ):
            rights = [query.right for query in found.queries]
            recalls = {
                label: retrieval_scores.line(_ours(found, "en", words_only=words_only), rights)["recall@10"]
                for label, words_only in (("recall_at_10", False), ("by_words", True))
            }
            report(f"tau_bank.{name}", questions=len(rights), **recalls)


def _openings(folder: Path, made: Path) -> Path:
    """The same set with what the customer says first as the question."""
    rows = [json.loads(line) for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    lines = [
        json.dumps({"id": row["_id"], "text": row["metadata"]["opening"]})
        for row in rows
        if row["metadata"]["opening"]
    ]
    (made / "queries.jsonl").write_text("\n".join(lines), encoding="utf-8")
    for name in ("corpus.jsonl.gz", "qrels.tsv"):
        (made / name).write_bytes((folder / name).read_bytes())
    return made


def bank() -> None:
    with _weaviate() as weaviate:
        for name, url in (("weaviate", weaviate), ("sqlite", "sqlite:")):
            with open_lookup(url, words_only=False) as lookup:
                report(f"bank.{name}", **_bank_on(lookup))


def _bank_on(lookup: Lookup) -> dict[str, float]:
    folder = TENANTS / "bank"
    found = load(folder)
    fill(lookup, chunks_of(found.content.articles))
    right: list[bool] = []
    shares: list[float] = []
    for file in question_files.load(folder, found.content.articles, found.config.languages):
        own = [each for each in chunks_of(found.content.articles) if each.language == file.language]
        everything = _Everything(own, lookup)
        for question in (each for each in file.questions if each.expect == "answer"):
            query = Query(question.text, file.language, file.asked_on.isoformat(), DEEP)
            [passages] = lookup.find(TENANT, VERSION, [query])
            best = everything.best(query)
            right.append(not {each.passage.article_id for each in passages}.isdisjoint(question.articles))
            shares.append(len({each.passage.chunk_id for each in passages} & best) / len(best))
    return {
        "questions": len(right),
        "right_among_10": round(fmean(right), 4),
        "of_exact_10": round(fmean(shares), 4),
    }


@contextmanager
def _weaviate() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        server = WeaviateServer(Path(folder), WeaviatePorts.choose(), dies_with_parent=True)
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


class _Everything:
    """Every chunk compared with a question, without any index."""

    def __init__(self, chunks: Sequence[Chunk], lookup: Lookup) -> None:
        self._chunks = chunks
        self._counts = [counts_of(fields_of(each)) for each in chunks]
        self._statistics = Statistics.of(fields_of(each) for each in chunks)
        self._lookup = lookup
        self._vectors = lookup.vectors.of_questions([(each.language, text_of(each)) for each in chunks])

    def best(self, query: Query) -> set[str]:
        [vector] = self._lookup.vectors.of_questions([(query.language, query.text)])
        words = asked(query.text, language=query.language)
        worth = self._statistics.worth(words.weights)
        scored = [
            Scored(
                chunk.chunk_id,
                score(worth, words.said, counts, self._statistics),
                None if vector is None or own is None else float(own @ vector),
            )
            for chunk, counts, own in zip(self._chunks, self._counts, self._vectors, strict=True)
            if chunk.valid_from <= query.on and (chunk.valid_until is None or query.on <= chunk.valid_until)
        ]
        fused: list[Fused] = fuse(scored, query.candidates, query.limit, share_of_words(query.language))
        return {each.scored.chunk_id for each in fused}
