"""The values that a return may contain of an order besides its facts and clocks."""

from collections.abc import Callable
from datetime import date

from contracts.codes import RequirementKind
from contracts.events import UnpaidWork, kind_of
from services.orders.model import Order, age_band, length_band, level, order_of
from services.records.model.record import Record
from services.records.returns.yearly import Values


def values(first: date, last: date) -> Values:
    """Return the values by name, for a return of the year from `first` to `last`."""
    requirements: Values = {f"requirement.{kind}": _of(_length(kind)) for kind in RequirementKind}
    return {
        **requirements,
        "age_band": _of(lambda order: age_band(order.imposed.age_at_imposition)),
        "level": _of(lambda order: level(order.unpaid_work.hours) if order.unpaid_work else None),
        "length_band": _of(lambda order: length_band(order.supervision.months) if order.supervision else None),
        "counts_as_imposed": _of(lambda order: order.transferred_in is None),
        "imposed_in_year": _of(lambda order: first <= order.imposed_on <= last),
        "ended_in_year": _of(lambda order: order.ended_on is not None and first <= order.ended_on <= last),
    }


def _of(value: Callable[[Order], object]) -> Callable[[str, Record], object]:
    def of_record(_subject: str, record: Record) -> object:
        order = order_of(record)
        return None if order is None else value(order)

    return of_record


def _length(kind: RequirementKind) -> Callable[[Order], object]:
    def length(order: Order) -> object:
        found = next((r for r in order.imposed.requirements if kind_of(r) == kind), None)
        if found is None:
            return None
        return found.hours if isinstance(found, UnpaidWork) else found.months

    return length
