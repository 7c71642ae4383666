"""What nothing can need any more is forgotten, once a day and a little at a time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event as Flag

import pytest

from parley.backends.memory_store import MemoryStore
from parley.codec import Codec
from parley.errors import StoreUnavailable
from parley.ids import named_id
from parley.ports.bus import TopicPartition
from parley.ports.store import Advance, Claim, Commit
from parley.runtime import tidying
from parley.runtime.tidying import KEPT, Tidying, tidy
from schemas.base import ConversationId, MessageId
from schemas.topics import DAY_MS, TOPICS
from tests.support.media import memory_media
from tests.support.platform import WAIT_S, DictKeys, ManualClock

P0 = TopicPartition("conversation.events", 0)
IDS = [named_id("test", str(number)) for number in range(7)]


def claim(name: str, at: datetime) -> Claim:
    return Claim(ConversationId("c-1"), name, MessageId(name), "digest", at)


@pytest.fixture
def store() -> MemoryStore:
    """Seven ids seen and two claims made just now, and a claim of the day before."""
    held, now = MemoryStore(), datetime.now(UTC)
    fence = held.raise_fence("dialogue", [P0])[P0].fence
    held.commit(Commit("dialogue", [Advance(P0, fence, None, 7)], seen=IDS))
    held.claim([claim("a", now), claim("b", now), claim("old", now - timedelta(days=1))])
    return held


def test_what_any_topic_may_still_hold_is_kept(store: MemoryStore) -> None:
    assert all(timedelta(days=(topic.retention_ms or 0) / DAY_MS) < KEPT for topic in TOPICS)
    done = tidy(store, datetime.now(UTC) + KEPT - timedelta(hours=1))
    assert (done.seen, done.claims) == (0, 1)
    assert store.seen("dialogue", IDS) == set(IDS)


def test_what_is_older_is_forgotten_a_little_at_a_time(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "AT_ONCE", 2)
    later = datetime.now(UTC) + KEPT
    done = tidy(store, later)
    assert (done.before, done.seen, done.claims) == (later - KEPT, 7, 3)
    assert store.seen("dialogue", IDS) == set()
    assert tidy(store, later).seen == 0


class Watched(MemoryStore):
    """Away at the first call; tells when it has been tidied."""

    def __init__(self) -> None:
        super().__init__()
        self.tidied = Flag()
        self._calls: Iterator[int] = iter(range(1_000_000))

    def forget_claims(self, before: datetime, at_most: int) -> int:
        if next(self._calls) == 0:
            raise StoreUnavailable("away")
        self.tidied.set()
        return super().forget_claims(before, at_most)


def test_it_is_done_by_itself_again_and_again_and_survives_an_outage() -> None:
    store = Watched()
    with Tidying(
        store, DictKeys(), memory_media(Codec(DictKeys())), ManualClock(), first_after_s=0.0, every_s=0.01
    ):
        assert store.tidied.wait(WAIT_S)
        store.tidied.clear()
        assert store.tidied.wait(WAIT_S)


def test_nothing_is_done_at_once_and_stopping_does_not_wait_for_the_day() -> None:
    store = Watched()
    with Tidying(store, DictKeys(), memory_media(Codec(DictKeys())), ManualClock()):
        pass
    assert not store.tidied.is_set()
