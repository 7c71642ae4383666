"""The generator that quotes is never refused: whatever it can take from an article stands in that article."""

from functools import lru_cache
from pathlib import Path

import pytest

from parley.backends.hybrid import HybridRetriever
from parley.backends.sqlite_index import SqliteIndex
from parley.backends.tenant_folder import TenantFolder, load
from parley.domain.chunking import chunks_of
from parley.domain.extraction import Block, Weights, blocks_of, extract, quote, shorten
from parley.domain.guard import check
from parley.ports.models import Query
from schemas.base import TenantId
from tests.support.passages import passages_of
from tests.support.streamed import streamed_from
from tests.support.vectors import NO_VECTORS

TENANTS = Path(__file__).resolve().parents[2] / "tenants"
EVERY = 12
"""All the examples take a quarter of a minute; each tenant's, language's and intent's are among every twelfth."""


@lru_cache
def tenant(name: str) -> TenantFolder:
    return load(TENANTS / name)


@pytest.mark.parametrize("name", ["bank", "mobile"])
def test_every_block_of_every_article_may_be_quoted_alone(name: str) -> None:
    refused = []
    for passage in passages_of(tenant(name).content.articles):
        nothing = Weights("", [passage.text])
        blocks = blocks_of(passage.text)
        quotes = [passage.text, *(shorten(block, nothing) for block in blocks)]
        quotes += [quote(Block(passage, block), nothing) for block in blocks]
        refused += [text for text in quotes if not check(text, [passage]).passed]
    assert refused == []


@pytest.mark.parametrize("name", ["bank", "mobile"])
def test_what_is_quoted_for_customers_questions_passes_streamed_and_finished(
    name: str, tmp_path: Path
) -> None:
    folder = tenant(name)
    retriever = HybridRetriever(SqliteIndex(tmp_path))
    retriever.sync(TenantId(name), folder.version, chunks_of(folder.content.articles), NO_VECTORS)
    asked = [
        Query(example, language, "2026-11-24", topic=folder.config.topic(intent, language))
        for intent, by_language in folder.content.examples.items()
        for language, examples in by_language.items()
        for example in examples
    ][::EVERY]
    answers = 0
    results = retriever.search(TenantId(name), folder.version, asked)
    for query, result in zip(asked, results, strict=True):
        found = [each.passage for each in result]
        answer = extract(query.text, found)
        if answer is not None:
            answers += 1
            assert check(answer.text, found).violations == (), query.text
            assert streamed_from(answer.text, found) == answer.text
    retriever.close()
    assert answers > 50
