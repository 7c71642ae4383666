"""Business hours in the tenant's own time zone."""

from datetime import UTC, date, datetime

import pytest

from parley.domain.hours import is_open
from schemas.tenant import BusinessHours

HOURS = BusinessHours(
    timezone="Europe/Dublin",
    weekly={"mon": ("09:00-12:30", "13:30-17:00"), "sat": ("10:00-24:00",)},
    holidays=(date(2026, 10, 26),),
)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23 09:00", True),
        ("2026-11-23 08:59", False),
        ("2026-11-23 12:29", True),
        ("2026-11-23 12:30", False),
        ("2026-11-23 13:30", True),
        ("2026-11-24 10:00", False),  # a Tuesday
        ("2026-11-28 23:59", True),
        ("2026-07-06 08:00", True),  # nine o'clock in Dublin's summer
        ("2026-07-06 16:30", False),
        ("2026-10-26 10:00", False),  # a Monday that is a holiday
        ("2026-10-25 23:30", False),  # Sunday still, in Dublin as in UTC: its summer time ended that morning
    ],
)
def test_somebody_is_there_within_the_spans_of_the_day(moment: str, expected: bool) -> None:
    assert is_open(HOURS, datetime.fromisoformat(moment).replace(tzinfo=UTC)) is expected


def test_a_holiday_begins_and_ends_at_the_tenants_midnight() -> None:
    hours = HOURS.model_copy(
        update={"timezone": "Asia/Shanghai", "weekly": {"mon": ("00:00-24:00",), "tue": ("00:00-24:00",)}}
    )
    assert not is_open(hours, datetime(2026, 10, 25, 16, 0, tzinfo=UTC))
    assert is_open(hours, datetime(2026, 10, 26, 16, 0, tzinfo=UTC))
