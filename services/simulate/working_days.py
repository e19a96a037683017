"""Working days in Scotland, computed independently of the platform, so that each can be checked against the other."""

from datetime import date, timedelta
from functools import cache

import holidays

_DAY = timedelta(days=1)


@cache
def _closed(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv="SCT", years=year))


@cache
def is_working(day: date) -> bool:
    """Return whether the day is from Monday to Friday and not a bank holiday in Scotland (St Andrew's Day is one)."""
    return day.weekday() < 5 and day not in _closed(day.year)


@cache
def nth_after(day: date, n: int) -> date:
    """Return the nth working day after `day`, which is itself day 0."""
    if n == 0:
        return day
    day = nth_after(day, n - 1) + _DAY
    while not is_working(day):
        day += _DAY
    return day


def next_from(day: date) -> date:
    """Return `day` itself if it is a working day, else the next one."""
    return day if is_working(day) else nth_after(day, 1)


@cache
def months_after(day: date, months: int) -> date:
    """Return the same day of a later month; the last day of a shorter month stands in for a missing day."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - _DAY
    return first.replace(day=min(day.day, last.day))
