"""Moments are whole microseconds since 1970 wherever they are kept or compared."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(time: datetime) -> int:
    """Of an aware time."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """Aware, in UTC."""
    return _EPOCH + timedelta(microseconds=at)


def local_day(at: int) -> date:
    """The day on which it was then in Scotland."""
    return moment(at).astimezone(LONDON).date()


def in_words(at: int) -> str:
    """As in 2 March 2026."""
    day = local_day(at)
    return f"{day.day} {day:%B %Y}"
