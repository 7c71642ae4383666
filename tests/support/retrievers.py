"""The three indexes as the contract suite sees them, chunks to put in, and what comparing everything with everything would find."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from parley.domain.chunking import Chunk
from parley.domain.fusing import Found, Fused, Scored, fuse, share_of_words
from parley.domain.lexical import Fields, Statistics, asked, counts_of, fields_of, score
from parley.ports.models import Query, Retriever
from schemas.base import TenantId
from tests.support.vectors import HashedWords
from workers.rag.vectors import Vectors, text_of

TODAY = "2026-11-24"
ROUNDING = 1e-3


@dataclass
class RetrieverBackend:
    """One kind of index. `retriever` is this process's; `another` opens the same index as another process would."""

    kind: str
    open: Callable[[], Retriever]

    def __post_init__(self) -> None:
        self._opened: list[Retriever] = []
        self.retriever = self.another()

    def another(self) -> Retriever:
        self._opened.append(self.open())
        return self._opened[-1]

    def close(self) -> None:
        for each in self._opened:
            each.close()


def new_tenant() -> TenantId:
    """Named as no other: a server is shared by all tests."""
    return TenantId(f"t{uuid4().hex[:20]}")


def chunk(
    name: str,
    text: str,
    *,
    title: str = "Help",
    language: str = "en",
    valid_from: str = "2026-01-01",
    valid_until: str | None = None,
    asked_as: tuple[str, ...] = (),
) -> Chunk:
    return Chunk(
        chunk_id=f"{language}/{name}",
        article_id=name,
        title=title,
        url=f"/{name}",
        path=(),
        language=language,
        text=text,
        valid_from=valid_from,
        valid_until=valid_until,
        asked_as=asked_as,
    )


def query(text: str, vectors: Vectors, *, language: str = "en", limit: int = 5, on: str = TODAY) -> Query:
    """With the question's vector, where its language has one."""
    [vector] = vectors.of_questions([(language, text)])
    return Query(text, language, on, limit, vector=vector)


def names(found: Sequence[Found]) -> list[str]:
    return [each.passage.article_id for each in found]


class Exact:
    """What comparing every chunk with a query finds, without any index."""

    def __init__(self, chunks: Sequence[Chunk], encoder: HashedWords) -> None:
        self._chunks: dict[str, list[tuple[str, Fields]]] = {}
        for each in chunks:
            self._chunks.setdefault(each.language, []).append((each.chunk_id, fields_of(each)))
        self._statistics = {
            language: Statistics.of(fields for _, fields in found) for language, found in self._chunks.items()
        }
        rows = encoder.encode([text_of(each) for each in chunks])
        self._vectors = {each.chunk_id: row for each, row in zip(chunks, rows, strict=True)}

    def scores(self, wanted: Query) -> dict[str, Fused]:
        """By id, every chunk of the language that is among the best by either, in order."""
        statistics = self._statistics[wanted.language]
        words = asked(wanted.text, wanted.topic, wanted.history, wanted.language)
        worth = statistics.worth(words.weights)
        scored = [
            Scored(
                chunk_id,
                score(worth, words.said, counts_of(fields), statistics),
                self._cosine(chunk_id, wanted),
            )
            for chunk_id, fields in self._chunks[wanted.language]
        ]
        return {
            each.scored.chunk_id: each
            for each in fuse(scored, wanted.candidates, len(scored), share_of_words(wanted.language))
        }

    def _cosine(self, chunk_id: str, wanted: Query) -> float | None:
        return None if wanted.vector is None else float(self._vectors[chunk_id] @ wanted.vector)
