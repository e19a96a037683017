"""What is overdue, as a category of the clock that it belongs to: which cells tell of it, and in which month it counts.

Cells tell what has not been done yet by the day on which it is due. A clock that runs from the imposition counts by the month of
imposition, and so does what is overdue on it: what is due on one day was imposed before the days that lead to later ones. An order
imposed at a weekend at the turn of a month has its day due in common with those of the working day before, and counts with them.
Every other clock counts what is overdue in the month in which it was due.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from typing import NamedTuple

from contracts.categories import MISSED, ClockState
from contracts.periods import add_months, last_day, months_between
from services.records.model.bank_holidays import scotland
from services.records.model.standards import in_force
from services.reporting.registry.indicators import Indicator

OVERDUE = ClockState.OVERDUE.value
NOT_DONE = (MISSED, OVERDUE)
"""Categories of what fell due and was not done."""
BEGINNING = date(2011, 2, 1)
"""The first month in which a court could impose a community payback order."""
FROM_IMPOSITION = ("first_contact", "case_meeting", "induction", "placement", "plan")
"""Measures that count by the month of imposition."""
PENDING = {measure: f"pending_{measure}" for measure in FROM_IMPOSITION} | {
    "reviews": "pending_review",
    "transfer_answered": "pending_transfer",
    "unpaid_work_completed": "pending_completion",
}
"""By measure, the one that tells what has not been done yet, by the date that it is due."""


_scotland = cache(scotland)


def is_provisional(indicator: Indicator, month: date, day: date) -> bool:
    """Whether, as known on this day, something that would count in the month can still happen."""
    return indicator.open_for.after(last_day(month), _scotland()) >= day


class Window(NamedTuple):
    """Days due, after the first and up to the last, that count in one month."""

    measure: str
    pending: str
    month: date
    after: date
    upto: date


def windows(measures: Iterable[str], first: date, last: date) -> Iterator[Window]:
    """Of the months from first to last, both included."""
    for measure in measures:
        for month in months_between(first, last):
            yield Window(
                measure, PENDING[measure], month, _last_due(measure, add_months(month, -1)), _last_due(measure, month)
            )


def _last_due(measure: str, month: date) -> date:
    """The last day due that counts in the month."""
    end = last_day(month)
    return in_force(measure, end).limit.after(end, _scotland()) if measure in FROM_IMPOSITION else end
