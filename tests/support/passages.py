"""Passages without a retriever."""

from collections.abc import Iterable

from parley.domain.chunking import chunks_of
from parley.domain.fusing import Found
from schemas.parts import Passage
from schemas.tenant import Article


def passages_of(articles: Iterable[Article], score: float = 1.0) -> list[Passage]:
    """Every chunk of the articles as a passage, all of one score."""
    return [
        Passage(
            chunk_id=chunk.chunk_id,
            article_id=chunk.article_id,
            title=chunk.title,
            url=chunk.url,
            path=chunk.path,
            language=chunk.language,
            text=chunk.text,
            score=score,
        )
        for chunk in chunks_of(articles)
    ]


def found(passages: Iterable[Passage]) -> list[Found]:
    """As a retriever gives them, of whatever score."""
    return [Found(passage, 0.0, 0.0, None) for passage in passages]
