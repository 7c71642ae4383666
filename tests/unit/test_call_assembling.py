"""The common form of a call: times that no calendar has are refused by their field."""

from datetime import UTC, datetime

import pytest

from connectors.calls.assembling import assemble
from connectors.calls.draft import Draft, Heard
from connectors.calls.transcript import MOST_MS, CallEvent, TranscriptRefused


def draft(year: int = 2026, *, end_ms: int = 900, at_ms: int = 900) -> Draft:
    return Draft(
        form="test",
        heard=[Heard("customer", "What are the fees?", 0, end_ms)],
        started_at=datetime(year, 6, 1, tzinfo=UTC),
        events=(CallEvent("hang_up", at_ms),),
    )


@pytest.mark.parametrize("year", [1900, 2200])
def test_a_call_of_some_century_is_taken(year: int) -> None:
    started_at = assemble(draft(year, end_ms=MOST_MS, at_ms=MOST_MS)).started_at
    assert started_at is not None and started_at.year == year


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (draft(9999), "started_at: the year 9999; allowed: 1900 to 2200"),
        (draft(1), "started_at: the year 1; allowed: 1900 to 2200"),
        (draft(end_ms=MOST_MS + 1), f"end_ms: {MOST_MS + 1}; allowed: 0 to {MOST_MS}"),
        (draft(at_ms=MOST_MS + 1), f"at_ms: {MOST_MS + 1}; allowed: 0 to {MOST_MS}"),
    ],
)
def test_times_beyond_the_calendar_are_refused_by_their_field(refused: Draft, why: str) -> None:
    with pytest.raises(TranscriptRefused) as error:
        assemble(refused)
    assert why in str(error.value)
