"""Business hours: is somebody at the desk at a given moment?"""

from datetime import datetime
from zoneinfo import ZoneInfo

from schemas.tenant import BusinessHours, Weekday

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def is_open(hours: BusinessHours, at: datetime) -> bool:
    """True within one of the day's spans (begin included, end not), in the tenant's zone; never on a holiday."""
    local = at.astimezone(ZoneInfo(hours.timezone))
    if local.date() in hours.holidays:
        return False
    now = f"{local:%H:%M}"
    return any(
        begin <= now < end
        for begin, end in (span.split("-") for span in hours.weekly.get(WEEKDAYS[local.weekday()], ()))
    )
