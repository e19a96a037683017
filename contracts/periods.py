"""Months, quarters and years. A quarter is named like 2026-Q1. A year runs from April to March and is named like 2025-26."""

import re
from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_MONTH = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")


LONDON = ZoneInfo("Europe/London")
"""The time zone of every date in the contract."""


@lru_cache(maxsize=100_000)
def month_of(day: date) -> date:
    """Return the first day of the month, which is the period of most cells."""
    return day.replace(day=1)


@lru_cache(maxsize=100_000)
def add_months(day: date, months: int) -> date:
    """Return the same day of a later month; the last day of a shorter month stands in for a missing day."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def last_day(day: date) -> date:
    """Return the last day of the month in which `day` lies."""
    return add_months(month_of(day), 1) - timedelta(days=1)


@lru_cache(maxsize=4096)
def months_between(first: date, last: date) -> tuple[date, ...]:
    """Return the first days of the months from `first` to `last`, both included."""
    return tuple(add_months(month_of(first), n) for n in range(months_from(first, last) + 1))


def months_from(first: date, last: date) -> int:
    """Return by how many months the month of `last` is later than that of `first`."""
    return (last.year - first.year) * 12 + last.month - first.month


def year_of(month: date) -> str:
    start = month.year if month.month >= 4 else month.year - 1
    return f"{start}-{(start + 1) % 100:02d}"


def year_months(label: str) -> tuple[date, ...]:
    """Return the twelve months of a year. Raises ValueError if the label is not that of a year."""
    start = int(label[:4])
    first = date(start, 4, 1)
    if year_of(first) != label:
        raise ValueError(f"{label} is not a year: write it like 2025-26")
    return months_between(first, add_months(first, 11))


def quarter_of(month: date) -> str:
    return f"{month.year}-Q{(month.month + 2) // 3}"


def quarter_months(label: str) -> tuple[date, ...]:
    """Return the three months of a quarter."""
    first = date(int(label[:4]), 3 * int(label[-1]) - 2, 1)
    return months_between(first, add_months(first, 2))


def days_of(label: str) -> tuple[date, date]:
    """Return the first and last day of a month, quarter, year, or `first/last` of these, by its label.

    2000-01 to 2011-12 may be a month or a year: they are read as months.
    """
    first, _, last = label.partition("/")
    months = _months_of(last or first)
    return _months_of(first)[0], last_day(months[-1])


def _months_of(label: str) -> tuple[date, ...]:
    if "Q" in label:
        return quarter_months(label)
    year, month = int(label[:4]), int(label[5:])
    return (date(year, month, 1),) if 1 <= month <= 12 else year_months(label)


def parse_first(words: str) -> date:
    """Read the first day of a span: a date, or a month like `2026-03`. Raises ValueError."""
    return _parse(words)[0]


def parse_last(words: str) -> date:
    """Read the last day of a span: a date, or a month like `2026-03`, which stands for its last day. Raises ValueError."""
    return _parse(words)[1]


def _parse(words: str) -> tuple[date, date]:
    found = _MONTH.fullmatch(words)
    if found is None:
        raise ValueError("write a month like 2026-03 or a date like 2026-03-31")
    if found[3]:
        day = date.fromisoformat(words)
        return day, day
    first = date(int(found[1]), int(found[2]), 1)
    return first, last_day(first)
