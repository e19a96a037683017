"""Hours outstanding compared with hours credited a week, and what that leads to month by month."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import NamedTuple

from contracts.periods import add_months, month_of
from services.chassis.web import words
from services.desk.model.hours import Capacity

MONTHS_AHEAD = 12
DAYS_OF_A_WEEK = 7


class Month(NamedTuple):
    """The state at the end of a month."""

    name: str
    left: float
    """Hours, at the pace so far."""
    due: float
    """Hours due from now until then."""


class Tile(NamedTuple):
    """A number, and what it counts."""

    number: str
    label: str
    note: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The future at the present pace."""

    sentence: str
    basis: str
    """Which days the pace is measured over, and why."""
    tiles: Sequence[Tile]
    months: Sequence[Month]


def foreseen(held: Capacity) -> Foreseen:
    """Return when all hours are done at the pace of the last weeks, if none were ordered meanwhile."""
    pace, weeks = words.hours(held.hours_credited_a_week), weeks_to_clear(held)
    clear = [] if weeks is None else [Tile(f"{weeks:,}", "Weeks to clear them", "at that pace, if none are ordered")]
    tiles = [
        Tile(
            words.hours(held.hours_outstanding), "Hours outstanding", f"on {words.counted(held.orders, 'open order')}"
        ),
        Tile(pace, "Hours credited a week", f"in {_days(held)}"),
        *clear,
    ]
    return Foreseen(_sentence(held, weeks), _basis(held), tiles, list(_months(held)) if weeks else [])


_AS_A_FLOAT = 1 - 1e-12
"""By how much a whole number of weeks may come out too large, so that it would be rounded up to one more."""


def weeks_to_clear(held: Capacity) -> int | None:
    """Return how many weeks the hours outstanding take, rounded up; None at a pace of 0. Both are taken as they are, not as they are shown:
    a tenth of an hour a week is much in a small place.
    """
    pace = held.hours_credited_a_week
    return None if pace <= 0 else ceil(held.hours_outstanding / pace * _AS_A_FLOAT)


def _sentence(held: Capacity, weeks: int | None) -> str:
    if not held.hours_outstanding:
        return "No hours are outstanding."
    if weeks is None:
        return f"No hours were credited in {_days(held)}, so there is no forecast."
    ordered = held.hours_ordered_a_week
    trend = "more" if ordered > held.hours_credited_a_week else "no more"
    return (
        f"At the pace of {_days(held)}, "
        f"{_hours(held.hours_credited_a_week)} a week, the hours outstanding take {words.counted(weeks, 'week')}. "
        f"In the {held.weeks} weeks to {words.long_date(held.until)} courts ordered {_hours(ordered)} a week: "
        f"{trend} than were credited."
    )


def _hours(number: float) -> str:
    return f"{words.hours(number)} {'hour' if number == 1 else 'hours'}"


def _days(held: Capacity) -> str:
    return f"the {words.counted((held.until - held.since).days + 1, 'day')} to {words.long_date(held.until)}"


def _basis(held: Capacity) -> str:
    return (
        f"These are the days of the last whole months, from {words.long_date(held.since)}: no day before the first hours credited is among "
        "them. The current month is left out, since it is not over and some of its hours may not have been reported yet."
    )


def _months(held: Capacity) -> Iterator[Month]:
    for number in range(1, MONTHS_AHEAD + 1):
        end = add_months(month_of(held.today), number) - timedelta(days=1)
        left = held.hours_outstanding - held.hours_credited_a_week * (end - held.today).days / DAYS_OF_A_WEEK
        yield Month(f"{words.MONTHS[end.month - 1]} {end.year}", max(0.0, left), _due_by(held, end))
        if left <= 0:
            return


def _due_by(held: Capacity, end: date) -> float:
    return sum(hours for month, hours in held.due_by_month.items() if date.fromisoformat(f"{month}-01") <= end)
