"""Imports wait for calls on their way, and for nobody where no worker runs."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.calls import pacing
from connectors.calls.book import Taken
from connectors.calls.formats import read
from connectors.calls.pacing import OnTheirWay, Pacer
from connectors.calls.transcript import Transcript
from schemas.base import ConversationId

CALL = read(b"Agent: Hello, how can I help?\nCustomer: I lost my card.")[0]


@dataclass
class Book:
    """Also the read model: `closed` is what the workers have made."""

    taken: list[str] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)

    def take(self, call: Any, language: str | None = None) -> Taken:
        self.taken.append(call.call_id)
        return Taken(call.call_id, ConversationId(call.call_id), 2, "accepted")

    def conversation(self, conversation_id: str) -> Any:
        return SimpleNamespace(status="closed") if conversation_id in self.closed else None


def pacer(book: Any, **options: Any) -> Pacer:
    """Of calls of two turns each."""
    return Pacer(book, OnTheirWay(book, most=6, **options))


def calls(count: int) -> list[Transcript]:
    return [replace(CALL, call_id=f"c{number}") for number in range(count)]


def test_more_than_some_turns_wait_for_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    book, waited = Book(), []

    def work(_: float) -> None:
        waited.append(len(book.taken))
        book.closed.add(book.taken[len(book.closed)])

    monkeypatch.setattr(pacing, "sleep", work)
    paced = pacer(book)
    for call in calls(7):
        paced.take(call)
    assert waited == [4, 5, 6]


def test_a_long_call_is_waited_for_alone() -> None:
    book = Book()
    way = OnTheirWay(book, most=6)  # type: ignore[arg-type]
    way.add(Taken("long", ConversationId("long"), 20_000, "accepted"))
    assert way.too_many()
    book.closed.add("long")
    assert not way.too_many()


def test_what_was_imported_twice_or_heard_live_is_not_counted() -> None:
    way = OnTheirWay(Book(), most=6)  # type: ignore[arg-type]
    for _ in range(4):
        way.add(Taken("c", ConversationId("c"), 3, "known"))
    way.add(Taken("live", ConversationId("live"), 300, "heard_live"))
    assert not way.too_many()


def test_nobody_is_waited_for_where_nothing_moves(caplog: pytest.LogCaptureFixture) -> None:
    book = Book()
    paced = pacer(book, patience_s=0.05)
    for call in calls(20):
        paced.take(call)
    assert len(book.taken) == 20
    assert [record.message for record in caplog.records if "no worker" in record.message] == [
        "calls: no worker makes conversations of what is imported; they wait in the log"
    ]


def test_a_call_that_is_never_made_is_not_waited_for_by_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its customer was erased meanwhile."""
    book = Book()
    monkeypatch.setattr(pacing, "sleep", lambda _: book.closed.update(book.taken[1:]))
    paced = pacer(book, patience_s=0.05)
    for call in calls(20):
        paced.take(call)
    assert len(book.taken) == 20
    assert "no worker" not in caplog.text
