"""The values that a return may contain of an order's unpaid work besides its facts and clocks."""

from collections.abc import Callable
from datetime import date

from services.records.model.record import Record
from services.records.returns.yearly import Values
from services.unpaid_work.ledger import credit_of
from services.unpaid_work.model import Order, level, order_of


def values(first: date, last: date) -> Values:
    """Return the values by name, for a return of the year from `first` to `last`."""
    return {
        "imposed_in_year": _of(lambda order: first <= order.imposed_on <= last),
        "hours_first_imposed": _of(lambda order: order.unpaid_work.hours if order.unpaid_work else None),
        "hours_ordered": _of(_hours_ordered),
        "level": _of(lambda order: level(order.unpaid_work.hours) if order.unpaid_work else None),
        "complete_by": _of(lambda order: max((by for _, by in order.court_dates()), default=None)),
        "minutes_credited": lambda _subject, record: sum(credit_of(record).values()),
        "minutes_other_activity": lambda _subject, record: credit_of(record)["other_activity"],
    }


def _hours_ordered(order: Order) -> int | None:
    steps = order.minutes_ordered()
    return sum(minutes for _, minutes in steps) // 60 if steps else None


def _of(value: Callable[[Order], object]) -> Callable[[str, Record], object]:
    def of_record(_subject: str, record: Record) -> object:
        order = order_of(record)
        return None if order is None else value(order)

    return of_record
