"""What a reply tells of the articles that it was written from."""

from collections.abc import Sequence

from schemas.parts import Citation, Passage


def cite(passages: tuple[Passage, ...], cited: tuple[str, ...]) -> tuple[Citation, ...]:
    """One citation an article, in the order in which the text first uses it."""
    by_chunk = {passage.chunk_id: passage for passage in passages}
    return articles([by_chunk[chunk_id] for chunk_id in cited if chunk_id in by_chunk])


def articles(passages: Sequence[Passage]) -> tuple[Citation, ...]:
    """The articles that passages are of, each once, in the order of its first passage."""
    first = {passage.article_id: passage for passage in reversed(passages)}
    order = dict.fromkeys(passage.article_id for passage in passages)
    return tuple(Citation(id=each, title=first[each].title, url=first[each].url) for each in order)
