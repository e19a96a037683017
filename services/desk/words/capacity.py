"""Hours outstanding compared with hours credited a week, and what that leads to month by month."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from contracts.periods import add_months, month_of
from services.chassis.web import words
from services.desk.model import Capacity

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

    number: float
    label: str
    note: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The future at the present pace."""

    sentence: str
    basis: str
    """Which weeks the pace is measured over, and why."""
    tiles: Sequence[Tile]
    months: Sequence[Month]


def foreseen(held: Capacity) -> Foreseen:
    """Return when all hours are done at the pace of the last weeks, if none were ordered meanwhile."""
    pace, weeks = held.hours_credited_a_week, weeks_to_clear(held)
    tiles = [
        Tile(held.hours_outstanding, "Hours outstanding", f"on {words.counted(held.orders, 'open order')}"),
        Tile(pace, "Hours credited a week", f"in the {held.weeks} weeks to {words.long_date(held.until)}"),
        *([Tile(weeks, "Weeks to clear them", "at that pace, if none are ordered")] if weeks is not None else []),
    ]
    return Foreseen(_sentence(held, weeks), _basis(held), tiles, list(_months(held)) if weeks else [])


def weeks_to_clear(held: Capacity) -> int | None:
    """Return how many weeks the hours outstanding take, rounded up; None at a pace of 0.

    Both are first rounded to a tenth of an hour, as pages show them, so that anybody who divides them gets the same.
    """
    outstanding, pace = (round(hours * 10) for hours in (held.hours_outstanding, held.hours_credited_a_week))
    return None if pace <= 0 else -(-outstanding // pace)


def _sentence(held: Capacity, weeks: int | None) -> str:
    if not held.hours_outstanding:
        return "No hours are outstanding."
    if weeks is None:
        return "No hours were credited in the last weeks, so there is no forecast."
    ordered = held.hours_ordered_a_week
    trend = "more" if ordered > held.hours_credited_a_week else "no more"
    return (
        f"At the pace of the {held.weeks} weeks to {words.long_date(held.until)}, "
        f"{_hours(held.hours_credited_a_week)} a week, the hours outstanding take {words.counted(weeks, 'week')}. "
        f"Meanwhile courts ordered {_hours(ordered)} a week: {trend} than were credited."
    )


def _hours(number: float) -> str:
    return f"{words.number(number)} {'hour' if number == 1 else 'hours'}"


def _basis(held: Capacity) -> str:
    return (
        f"The {held.weeks} weeks are those of the last whole months, up to {words.long_date(held.until)}. "
        "The month that runs is left out, since it is not over and some of its hours may not have been reported yet."
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
