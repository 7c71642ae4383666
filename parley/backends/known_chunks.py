"""Chunks in the form in which they are scored, remembered: questions ask for the same few, and reading one costs more than scoring a hundred.

What stands under a key never changes but for its vector, and a chunk with another encoder's vector than is asked for is read again, so
nothing here can be out of date.
"""

from collections.abc import Callable, Collection, Iterable
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from cachetools import LRUCache

from parley.backends.chunk_index import Content, passage_of
from parley.domain.lexical import Counts, counts_of
from schemas.base import TenantId
from schemas.parts import Passage

if TYPE_CHECKING:
    from parley.ports.models import Vector

REMEMBERED = 4_096
"""Those asked for last, of all tenants: about 7 kB each."""


class Known(NamedTuple):
    """A chunk with its terms counted, as it is quoted."""

    chunk_id: str
    counts: Counts
    passage: Passage
    encoder: str
    vector: "Vector | None"

    @classmethod
    def of(cls, content: Content) -> "Known":
        passage = passage_of(content.body)
        return cls(content.chunk_id, counts_of(content.fields), passage, content.encoder, content.vector)


class KnownChunks:
    """Of an index, by its `read`. Thread-safe."""

    def __init__(
        self, read: Callable[[TenantId, Collection[str]], dict[str, Content]], most: int = REMEMBERED
    ) -> None:
        self._read = read
        self._kept: LRUCache[tuple[TenantId, str], Known] = LRUCache(most)
        self._lock = Lock()

    def get(self, tenant: TenantId, keys: Iterable[str], encoder: str) -> dict[str, Known]:
        """By key; one that the index has forgotten is left out. Raises what the index raises."""
        wanted = dict.fromkeys(keys)
        with self._lock:
            held = {key: self._kept.get((tenant, key)) for key in wanted}
        found = {key: known for key, known in held.items() if known is not None and known.encoder == encoder}
        missing = wanted.keys() - found.keys()
        if missing:
            read = {key: Known.of(content) for key, content in self._read(tenant, missing).items()}
            with self._lock:
                self._kept.update({(tenant, key): known for key, known in read.items()})
            found |= read
        return found

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
