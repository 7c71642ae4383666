"""The search index with 10,000 synthetic chunks of one tenant, on each backend: writing, importing again, searching, and what is missed.

- `retrieval.encoding`: chunks of about 128 tokens to vectors, by the encoder that is shipped, on one core.
- `retrieval.BACKEND`: their import with vectors that are there, the import of the next version with one chunk changed, that of an unchanged
  one, and the latency of one hybrid search at a time; a question's encoding is not in it.
- its `recall_at_10`: how many of the ten nearest by comparing all vectors a search by vector alone finds.

Words are invented and as unevenly frequent as those of a language; the vectors of the searched chunks are random directions around 200
centres, which are harder to tell apart than those of texts. For the encoder a chunk of 48 such words has about 128 tokens.
"""

import itertools
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from benchmarks.reporting import percentile, report
from infra.dev.weaviate import WeaviatePorts, WeaviateServer
from parley.backends.index import open_retriever
from parley.backends.onnx_encoder import FOLDER, WIDTH, OnnxEncoder
from parley.domain.chunking import Chunk
from parley.ports.models import Query, Retriever
from schemas.base import TenantId
from workers.rag.vectors import Vectors

CHUNKS = 10_000
SEARCHES = 300
ENCODED = 120
TODAY = "2026-11-24"
TENANT = TenantId("bench")
SYLLABLES = (
    "ba",
    "do",
    "fi",
    "gu",
    "ke",
    "lo",
    "mi",
    "na",
    "pe",
    "ro",
    "su",
    "ta",
    "vo",
    "wi",
    "ze",
    "cha",
    "sto",
)
WORDS = ["".join(each) for each in itertools.product(SYLLABLES, repeat=3)]
"""Invented, and drawn as often as words of a language are: the one at place n has a share in proportion to 1/n."""
SHARES = list(itertools.accumulate(1 / place for place in range(1, len(WORDS) + 1)))


class Directions:
    """Implements `parley.ports.models.Embed` without computing anything: a chunk's vector follows from its number."""

    name = "random-directions-1"

    def __init__(self, vectors: NDArray[float32]) -> None:
        self._vectors = vectors

    def __call__(self, chunks: Sequence[Chunk]) -> list[NDArray[float32] | None]:
        return [self._vectors[int(chunk.article_id)] for chunk in chunks]


def main() -> None:
    encoding()
    rng = random.Random(7)
    chunks = [_chunk(number, rng) for number in range(CHUNKS)]
    vectors = _directions(CHUNKS + SEARCHES)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("sqlite", "weaviate", "chroma"):
            with _opened(name, Path(folder)) as retriever:
                searching(name, retriever, chunks, vectors)


def encoding() -> None:
    rng = random.Random(7)
    encoder = OnnxEncoder(FOLDER)
    embed = Vectors(encoder.name, {"en": lambda: encoder})
    chunks = [_chunk(number, rng) for number in range(ENCODED)]
    embed(chunks[:8])
    began, began_working = perf_counter(), process_time()
    embed(chunks)
    report(
        "retrieval.encoding",
        chunks_per_s=round(ENCODED / (perf_counter() - began), 1),
        chunks_per_processor_s=round(ENCODED / (process_time() - began_working), 1),
    )


def searching(name: str, retriever: Retriever, chunks: Sequence[Chunk], vectors: NDArray[float32]) -> None:
    embed = Directions(vectors)
    changed = [replace(chunks[0], chunk_id="en/changed/0", text="Something else."), *chunks[1:]]
    write_s = _timed(lambda: retriever.sync(TENANT, "v1", chunks, embed))
    unchanged_s = _timed(lambda: retriever.sync(TENANT, "v1", chunks, embed))
    change_s = _timed(lambda: retriever.sync(TENANT, "v2", changed, embed))
    queries = _queries(vectors[CHUNKS:])
    retriever.search(TENANT, "v2", queries[:5])
    took = [1000 * _timed(partial(retriever.search, TENANT, "v2", [query])) for query in queries]
    report(
        f"retrieval.{name}",
        chunks=CHUNKS,
        written_per_s=round(CHUNKS / write_s),
        import_unchanged_s=round(unchanged_s, 3),
        import_one_changed_s=round(change_s, 1),
        search_p50_ms=round(percentile(took, 0.5), 1),
        search_p99_ms=round(percentile(took, 0.99), 1),
        recall_at_10=_recall(retriever, queries, vectors[1:CHUNKS]),
    )


def _recall(retriever: Retriever, queries: Sequence[Query], vectors: NDArray[float32]) -> float:
    """`vectors` are those of the chunks from number 1: the first has changed."""
    found = hits = 0
    for query in queries[:100]:
        assert query.vector is not None
        nearest = {str(place + 1) for place in np.argsort(-(vectors @ query.vector))[:10]}
        [result] = retriever.search(TENANT, "v2", [replace(query, text="", topic="", limit=10)])
        hits += len(nearest & {each.passage.article_id for each in result})
        found += 10
    return round(hits / found, 4)


def _timed(call: Callable[[], object]) -> float:
    began = perf_counter()
    call()
    return perf_counter() - began


def _chunk(number: int, rng: random.Random) -> Chunk:
    return Chunk(
        chunk_id=f"en/{number}/0",
        article_id=str(number),
        title=_said(5, rng),
        url=f"/{number}",
        path=(_said(3, rng),),
        language="en",
        text=" ".join(f"{_said(10, rng).capitalize()}." for _ in range(4)),
        valid_from="2026-01-01",
        valid_until=None,
    )


def _said(words: int, rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, cum_weights=SHARES, k=words))


def _directions(count: int) -> NDArray[float32]:
    rng = np.random.default_rng(7)
    centres = rng.standard_normal((200, WIDTH))
    rows = centres[rng.integers(0, len(centres), count)] + 0.8 * rng.standard_normal((count, WIDTH))
    unit: NDArray[float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(float32)
    return unit


def _queries(vectors: NDArray[float32]) -> list[Query]:
    rng = random.Random(8)
    return [
        Query(_said(9, rng), "en", TODAY, limit=25, topic=_said(3, rng), vector=vector) for vector in vectors
    ]


@contextmanager
def _opened(name: str, folder: Path) -> Iterator[Retriever]:
    with ExitStack() as stack:
        url = f"{name}:"
        if name == "weaviate":
            server = WeaviateServer(folder / name, WeaviatePorts.choose(), dies_with_parent=True)
            server.start()
            stack.callback(server.stop)
            url = server.url
        retriever = open_retriever(url, folder)
        stack.callback(retriever.close)
        yield retriever
