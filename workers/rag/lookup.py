"""Looking up: a question with what was said before it becomes a vector, candidates are found, and those that are close are read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from parley.domain.chunking import Chunk
from parley.domain.fusing import Found
from parley.domain.ranking import Ranked
from parley.domain.reranking import reordered, to_read
from parley.ports.models import Query, Reranker, Retriever
from schemas.base import TenantId
from workers.rag.vectors import Vectors, text_of_passage

SEPARATOR = " [SEP] "
"""Between a question and what was said before it, newest first, as encoder and re-ranker were trained (`workers/retrain/encoder/tasks.py`)."""
TURNS = 4
READ = "en"
"""The language that the re-ranker was trained for."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """The one way from articles to an index and from a question to passages, for the worker, for imports and for measurements.

    `reranker` is asked for when something has to be read; None where there is none.
    """

    retriever: Retriever
    vectors: Vectors
    reranker: Callable[[], Reranker] | None = None

    def ready(self, tenant: TenantId, version: str) -> bool:
        return self.retriever.ready(tenant, version, self.vectors.name)

    def sync(self, tenant: TenantId, version: str, chunks: Sequence[Chunk]) -> int:
        """How many were written anew."""
        return self.retriever.sync(tenant, version, chunks, self.vectors)

    def find(self, tenant: TenantId, version: str, queries: Sequence[Query]) -> list[tuple[Found, ...]]:
        """The candidates of each query, best first. Vectors are made here: those of the queries are not looked at."""
        texts = [(query.language, in_one(query)) for query in queries]
        vectors = self.vectors.of_questions(texts)
        asked = [query.with_vector(vector) for query, vector in zip(queries, vectors, strict=True)]
        return self.retriever.search(tenant, version, asked)

    def read(self, query: Query, ranked: Sequence[Ranked]) -> Sequence[Ranked]:
        """The closest ones read and put in order; as they were where nothing is close, or in a language that the re-ranker cannot read."""
        if self.reranker is None or query.language != READ:
            return ranked
        close = to_read(ranked)
        if not close:
            return ranked
        scores = self.reranker().score(in_one(query), [text_of_passage(each.passage) for each in close])
        return reordered(ranked, close, scores.tolist())


def in_one(query: Query) -> str:
    """The question with the last of what was said before it, as one text."""
    return SEPARATOR.join((query.text, *reversed(query.history[-TURNS:])))
