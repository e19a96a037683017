"""Dates and numbers as people read them, pure."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from contracts.periods import LONDON

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def long_date(day: date | datetime) -> str:
    """Return a day as in 1 March 2026."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def short_date(day: date) -> str:
    """Return a day as in Mon 2 March."""
    return f"{day:%a} {day.day} {MONTHS[day.month - 1]}"


def local_time(moment: datetime) -> str:
    """Return a time as clocks in Scotland showed it, as in 1 March 2026, 14:05."""
    local = moment.astimezone(LONDON)
    return f"{long_date(local)}, {local:%H:%M}"


def rounded(value: float, places: int = 1) -> Decimal:
    """Return a number rounded once, half up, as UK official statistics are: 82.25 as 82.3."""
    return Decimal(repr(round(value, 9))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) + 0


def number(count: float) -> str:
    """Return a number with a comma for each thousand, and a decimal only if it has one."""
    return f"{count:,.0f}" if count == round(count) else f"{count:,.1f}"


def hours(count: float) -> str:
    """Return hours to a hundredth, with the decimals that they have: people work quarters of an hour."""
    whole, _, decimals = f"{count:,.2f}".partition(".")
    return ".".join(part for part in (whole, decimals.rstrip("0")) if part)


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun, as in 1 order or 2 orders."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def day_and_month(day: date) -> str:
    """Return a day as in 30 November."""
    return f"{day.day} {MONTHS[day.month - 1]}"


def month_name(day: date) -> str:
    """Return a month as in November 2026."""
    return f"{MONTHS[day.month - 1]} {day.year}"


def listed(parts: Sequence[str]) -> str:
    """Return a list in words: a, b and c."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def iso_date(text: str) -> str:
    """Return a day given as 2026-03-01 in the form 1 March 2026."""
    return long_date(date.fromisoformat(text))
