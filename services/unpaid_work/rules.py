"""Rules of unpaid work, pure: by when the law and the court require it, and in which class a completion falls."""

from datetime import date
from typing import NamedTuple

from contracts.categories import COMPLETION_CLASSES, DAYS_BANDS
from services.records.model.calendar import Calendar
from services.records.model.standards import Standard, in_force
from services.unpaid_work.model import Order, level

WITHIN_PERIOD, WITHIN_COURT_DATE, LATE = COMPLETION_CLASSES
_DAYS = (91, 183, 274, 365)


class Limits(NamedTuple):
    """The dates by which unpaid work must be completed."""

    standard: Standard
    legal: date
    """The end of the legal period."""
    court: date | None
    """The latest date that the court set, if it set one."""

    @property
    def due(self) -> date:
        return max(self.legal, self.court or self.legal)

    def class_of(self, completed: date) -> str:
        """Return the published class of a completion: within the legal period, within the court's later date, or late."""
        if completed <= self.legal:
            return WITHIN_PERIOD
        return WITHIN_COURT_DATE if completed <= self.due else LATE


def limits(order: Order, hours: int, closed: date | None, calendar: Calendar) -> Limits:
    """Return the limits: three months at level 1, six at level 2 (section 227L), longer while a law gave more time, or the later date of
    the court.

    `hours` are those first imposed; `closed` is the day on which the work was completed or the order ended, if it did.
    """
    start = order.begun_on
    standard = in_force("completion", start, f"level {level(hours)}")
    court = [standard.extended(by, set_on, closed, calendar) for set_on, by in order.court_dates()]
    return Limits(standard, standard.due(start, closed, calendar), max(court, default=None))


def days_band(days: int) -> str:
    return next((band for limit, band in zip(_DAYS, DAYS_BANDS, strict=False) if days <= limit), DAYS_BANDS[-1])
