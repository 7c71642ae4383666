"""An erasure: in the right order, as often as one likes, half-way and again, and after a backup was restored."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from parley.backends.memory_store import MemoryStore
from parley.codec import Codec
from parley.errors import KeyErased, StoreUnavailable
from parley.ports.keys import KEY_HELD_S, Erasure
from parley.ports.store import Commit
from parley.runtime.erasing import SETTLE_S, ErasedCustomer, erase, everybody, is_known, reapply
from schemas.base import CustomerId, TenantId
from tests.contract.test_store import conversation
from tests.support.media import memory_media
from tests.support.platform import DictKeys

BANK, X, Y = TenantId("bank"), CustomerId("x"), CustomerId("y")
NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)


class Erasing:
    """Store and keys with customer `x`, one conversation of whom is stored; `told` is what was done, in order."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.keys = DictKeys()
        self.media = memory_media(Codec(self.keys))
        self.told: list[str] = []
        self.waited: list[float] = []
        self.keys.create(BANK, X)
        self.keys.create(BANK, Y)
        self.store.commit(Commit("dialogue", [], projections=[conversation("c-1")]))

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        self.told.append(what)
        yield

    def run(self, customer: CustomerId = X, at: datetime = NOW) -> ErasedCustomer:
        return erase(
            self.store,
            self.keys,
            self.media,
            BANK,
            customer,
            now=at,
            actor="test",
            wait=self.wait,
            step=self.step,
        )

    def wait(self, seconds: float) -> None:
        """The world as others see it in the middle: the key is gone, and rows are only purged once nobody can write them."""
        with pytest.raises(KeyErased):
            self.keys.get(BANK, X)
        assert self.store.conversations_of(BANK, X) or self.waited
        self.waited.append(seconds)


def test_the_key_goes_first_and_the_rows_once_nobody_can_hold_it() -> None:
    on = Erasing()
    done = on.run()
    assert [what.split()[0] for what in on.told] == ["the", "waiting", "files", "rows", "the"]
    assert on.waited == [SETTLE_S] and SETTLE_S > KEY_HELD_S
    assert (done.first_at, done.rows["conversations"], done.left) == (NOW, 1, None)
    assert on.store.conversations_of(BANK, X) == [] and len(on.keys.get(BANK, Y)) == 32


def test_it_is_noted_by_ids_and_numbers() -> None:
    on = Erasing()
    on.run()
    (entry,) = on.store.noted(BANK)
    assert (entry.at, entry.actor, entry.action, entry.customer_id) == (NOW, "test", "privacy.erase", X)
    assert entry.details == {"rows": {"conversations": 1}, "files": 0, "left": None}


def test_a_second_time_does_no_harm_and_tells_of_the_first() -> None:
    on = Erasing()
    on.run()
    done = on.run(at=NOW + timedelta(days=1))
    assert done.first_at == NOW and not any(done.rows.values())
    assert len(on.store.noted(BANK)) == 2


def test_one_that_was_interrupted_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    on = Erasing()

    def away(*_: object) -> None:
        raise StoreUnavailable("away")

    for part, name in (
        (on.keys, "erase"),
        (on, "wait"),
        (on.media, "erase"),
        (on.store, "purge"),
        (on.keys, "wipe"),
    ):
        with monkeypatch.context() as broken, pytest.raises(StoreUnavailable):
            broken.setattr(part, name, away)
            on.run()
        assert is_known(on.store, on.keys, BANK, X), "or it could not be named again"
    assert on.run().first_at == NOW
    assert [entry.action for entry in on.store.noted()] == ["privacy.erase"]


def test_whose_key_could_not_be_erased_is_listed_and_erased_by_the_next_upgrade() -> None:
    on = Erasing()
    on.store.list_erasures([Erasure(BANK, X, NOW)])  # and then the keys' database was away
    assert reapply(on.store, on.keys, on.media).keys == 1
    with pytest.raises(KeyErased):
        on.keys.get(BANK, X)


def test_either_list_tells_a_restored_database_who_was_erased() -> None:
    before, after = Erasing(), Erasing()
    after.run()
    done = reapply(after.store, before.keys, after.media)  # the keys' backup
    assert (done.listed, done.keys) == (1, 1) and before.keys.erasures() == after.store.erasures()
    before = Erasing()
    done = reapply(before.store, after.keys, before.media)  # the store's
    assert (done.keys, done.rows["conversations"]) == (0, 1)
    assert [each.customer_id for each in before.store.erasures()] == [X]


def test_where_both_were_restored_a_list_from_outside_tells() -> None:
    before, after = Erasing(), Erasing()
    after.run()
    assert reapply(before.store, before.keys, before.media).keys == 0
    done = reapply(before.store, before.keys, before.media, everybody(after.store, after.keys))
    assert (done.listed, done.keys, done.rows["conversations"]) == (1, 1, 1)


def test_files_go_with_the_customer_and_again_after_a_backup_was_restored() -> None:
    on = Erasing()
    for customer in (X, Y):
        on.media.put(BANK, customer, b"a picture")
    assert on.run().files == 1
    assert on.store.noted()[0].details["files"] == 1
    restored = Erasing()
    restored.media.put(BANK, X, b"a picture")
    assert reapply(restored.store, on.keys, restored.media).files == 1
    assert on.media.held(BANK, X) == restored.media.held(BANK, X) == {} and on.media.held(BANK, Y) != {}


def test_who_was_never_there_is_not_known() -> None:
    on = Erasing()
    assert is_known(on.store, on.keys, BANK, X) and is_known(on.store, on.keys, BANK, Y)
    assert not is_known(on.store, on.keys, BANK, CustomerId("z"))
    assert not is_known(on.store, on.keys, TenantId("mobile"), X)
