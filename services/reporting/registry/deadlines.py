"""Overdue orders as a category of their clock: which cells show them, and until when a month is provisional.

Cells show what has not been done yet by the day on which it is due, and in which month before that the clock counts: in that of the
imposition if it runs from there, else in that in which it is due. Only the service knows that month, since closed days are an authority's
own.
"""

from datetime import date
from functools import cache

from contracts.categories import MISSED, ClockState
from contracts.periods import last_day
from services.records.model.bank_holidays import scotland
from services.reporting.registry.indicators import Indicator

OVERDUE = ClockState.OVERDUE.value
NOT_DONE = (MISSED, OVERDUE)
"""Categories of duties that fell due and were not done."""
BEGINNING = date(2011, 2, 1)
"""The first month in which a court could impose a community payback order."""
FROM_IMPOSITION = ("first_contact", "case_meeting", "induction", "placement", "plan")
"""Measures that count by the month of imposition."""
AWAITED = {measure: f"awaited_{measure}" for measure in FROM_IMPOSITION} | {
    "reviews": "awaited_review",
    "transfer_answered": "awaited_transfer",
    "unpaid_work_completed": "awaited_completion",
}
"""By measure, the one that shows what has not been done yet, by its due date."""


_scotland = cache(scotland)


def is_provisional(indicator: Indicator, month: date, day: date) -> bool:
    """Return whether, on this day, the month can still change because something can still happen."""
    return indicator.open_for.after(last_day(month), _scotland()) >= day
