"""Times as whole microseconds since 1970, as they are kept and compared."""

from datetime import UTC, date, datetime, timedelta

from contracts.periods import LONDON

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(time: datetime) -> int:
    """Return the microseconds of an aware time."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """Return the time, aware and in UTC."""
    return _EPOCH + timedelta(microseconds=at)


def local_day(at: int) -> date:
    """Return the day in Scotland at that time."""
    return moment(at).astimezone(LONDON).date()


def in_words(at: int) -> str:
    """Return the day in words, as in 2 March 2026."""
    day = local_day(at)
    return f"{day.day} {day:%B %Y}"
