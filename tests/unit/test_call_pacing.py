"""Imports wait for calls on their way, and for nobody where no worker runs."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.calls import pacing
from connectors.calls.book import Taken
from connectors.calls.formats import read
from connectors.calls.pacing import Pacer
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
    return Pacer(book, book, on_their_way=3, **options)


def test_more_than_a_few_wait_for_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    book, waited = Book(), []

    def work(_: float) -> None:
        waited.append(len(book.taken))
        book.closed.add(book.taken[len(book.closed)])

    monkeypatch.setattr(pacing, "sleep", work)
    paced = pacer(book)
    for number in range(6):
        paced.take(replace(CALL, call_id=f"c{number}"))
    assert waited == [4, 5, 6]


def test_nobody_is_waited_for_where_nothing_moves(caplog: pytest.LogCaptureFixture) -> None:
    book = Book()
    paced = pacer(book, patience_s=0.05)
    for number in range(20):
        paced.take(replace(CALL, call_id=f"c{number}"))
    assert len(book.taken) == 20
    assert [record.message for record in caplog.records if "no worker" in record.message] == [
        "calls: no worker makes conversations of what is imported; they wait in the log"
    ]
