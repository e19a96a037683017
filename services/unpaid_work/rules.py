"""Rules of unpaid work, pure: the legal period, and in which class a completion falls."""

from datetime import date

from contracts.periods import add_months
from services.records.model.standards import in_force
from services.unpaid_work.model import Order, level

DAYS_BANDS = ((91, "to_3_months"), (183, "to_6_months"), (274, "to_9_months"), (365, "to_12_months"))


def legal_period_ends(order: Order) -> date | None:
    """Three months from imposition at level 1, six at level 2 (section 227L); None without unpaid work."""
    if order.unpaid_work is None:
        return None
    standard = in_force("completion", order.imposed_on, f"level {level(order.unpaid_work.hours)}")
    return add_months(order.imposed_on, standard.limit.number)


def completion_class(order: Order, completed: date) -> str:
    """The published class of a completion: within the legal period, within the court's later date, or late."""
    legal, court = legal_period_ends(order), order.complete_by()
    if legal is not None and completed <= legal:
        return "within_period"
    return "within_court_date" if court is not None and completed <= court else "late"


def days_band(days: int) -> str:
    return next((band for limit, band in DAYS_BANDS if days <= limit), "over_12_months")
