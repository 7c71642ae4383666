"""What is remembered of chunks is never out of date, and never another tenant's."""

from collections.abc import Collection

import pytest

from parley.backends.chunk_index import Content, entry_of
from parley.backends.known_chunks import KnownChunks
from schemas.base import TenantId
from tests.support.retrievers import chunk
from tests.support.vectors import HashedWords

BANK, OTHER = TenantId("bank"), TenantId("other")


class Shelf:
    """Contents by tenant and key, and what was asked for."""

    def __init__(self) -> None:
        self.contents: dict[tuple[TenantId, str], Content] = {}
        self.asked: list[set[str]] = []

    def put(self, tenant: TenantId, key: str, text: str, encoder: str = "one") -> None:
        vector = HashedWords().encode([f"{text} {encoder}"])[0]
        entry = entry_of(chunk(f"id-{key}", text), encoder, vector)
        self.contents[tenant, key] = Content(entry.chunk_id, entry.fields, entry.body, encoder, vector)

    def read(self, tenant: TenantId, keys: Collection[str]) -> dict[str, Content]:
        self.asked.append({*keys})
        return {key: self.contents[tenant, key] for key in keys if (tenant, key) in self.contents}


@pytest.fixture
def shelf() -> Shelf:
    made = Shelf()
    for key in ("a", "b", "c"):
        made.put(BANK, key, f"fee {key} fee")
    return made


def test_each_is_read_once_and_counted(shelf: Shelf) -> None:
    known = KnownChunks(shelf.read)
    found = known.get(BANK, ["a", "b", "a"], "one")
    assert known.get(BANK, ["b", "c"], "one").keys() == {"b", "c"}
    assert shelf.asked == [{"a", "b"}, {"c"}]
    assert found["a"].counts.often == {"fee": 2}
    assert (found["a"].chunk_id, found["a"].passage.text) == ("en/id-a", "fee a fee")


def test_one_that_the_index_has_forgotten_is_left_out_and_asked_for_again(shelf: Shelf) -> None:
    known = KnownChunks(shelf.read)
    assert known.get(BANK, ["a", "gone"], "one").keys() == {"a"}
    shelf.put(BANK, "gone", "back")
    assert known.get(BANK, ["gone"], "one")["gone"].passage.text == "back"


def test_one_with_another_encoders_vector_is_read_again(shelf: Shelf) -> None:
    known = KnownChunks(shelf.read)
    before = known.get(BANK, ["a"], "one")["a"].vector
    shelf.put(BANK, "a", "fee a fee", encoder="two")
    after = known.get(BANK, ["a"], "two")["a"]
    assert after.encoder == "two" and before is not None and after.vector is not None
    assert before.tolist() != after.vector.tolist()


def test_tenants_do_not_see_each_others_under_the_same_key(shelf: Shelf) -> None:
    known = KnownChunks(shelf.read)
    known.get(BANK, ["a"], "one")
    assert known.get(OTHER, ["a"], "one") == {}


def test_no_more_are_kept_than_allowed_and_those_asked_for_last_stay(shelf: Shelf) -> None:
    known = KnownChunks(shelf.read, most=2)
    for keys in (["a"], ["b"], ["a"], ["c"], ["a"], ["b"]):
        known.get(BANK, keys, "one")
    assert shelf.asked == [{"a"}, {"b"}, {"c"}, {"b"}]


def test_after_clear_all_is_read_again(shelf: Shelf) -> None:
    known = KnownChunks(shelf.read)
    known.get(BANK, ["a"], "one")
    known.clear()
    known.get(BANK, ["a"], "one")
    assert shelf.asked == [{"a"}, {"a"}]
