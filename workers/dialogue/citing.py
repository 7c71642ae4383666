"""What a reply tells of the articles that it was written from."""

from schemas.parts import Citation, Passage


def cite(passages: tuple[Passage, ...], cited: tuple[str, ...]) -> tuple[Citation, ...]:
    """One citation an article, in the order in which the text first uses it."""
    by_chunk = {passage.chunk_id: passage for passage in passages}
    used = [by_chunk[chunk_id] for chunk_id in cited if chunk_id in by_chunk]
    by_article = {passage.article_id: passage for passage in reversed(used)}
    order = dict.fromkeys(passage.article_id for passage in used)
    return tuple(
        Citation(id=article_id, title=by_article[article_id].title, url=by_article[article_id].url)
        for article_id in order
    )
