"""The clocks that run on unpaid work, pure."""

from collections.abc import Iterator

from contracts.events import InductionHeld, PlacementStarted, WorkCompleted
from contracts.periods import month_of
from services.records.model.calendar import Calendar
from services.records.model.deadlines import NOTHING, Counts, Reading, State, Stop, from_imposition, undone
from services.records.model.record import Record, fact
from services.unpaid_work.model import Order
from services.unpaid_work.rules import LATE, limits


def readings(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    """Yield every clock of the order's unpaid work, with its present state; none without unpaid work."""
    for read in (induction_of, placement_of):
        yield from read(record, order, calendar).notes
    completion = completion_of(record, order, calendar)
    if completion is not None:
        yield completion


def induction_of(record: Record, order: Order, calendar: Calendar) -> Counts[Reading]:
    """Count the clock of induction, for an order with unpaid work."""
    if order.unpaid_work is None:
        return NOTHING
    induction = fact(record, "induction", InductionHeld)
    stop = Stop(induction.held_on, induction.late_reason) if induction else None
    return from_imposition("induction", order, stop, calendar)


def placement_of(record: Record, order: Order, calendar: Calendar) -> Counts[Reading]:
    """Count the clock of the first placement, for an order with unpaid work."""
    if order.unpaid_work is None:
        return NOTHING
    placement = fact(record, "placement", PlacementStarted)
    stop = Stop(placement.started_on, placement.late_reason) if placement else None
    return from_imposition("placement", order, stop, calendar)


def completion_of(record: Record, order: Order, calendar: Calendar) -> Reading | None:
    """Return the clock of completion. It is due when the legal period ends, or on the later date that the court set; for an order from
    elsewhere, it starts with the receipt.
    """
    if order.unpaid_work is None:
        return None
    completed = fact(record, "work_completed", WorkCompleted)
    on, reason = (completed.completed_on, completed.late_reason) if completed else (None, None)
    closed = min((day for day in (on, order.ended_on) if day is not None), default=None)
    limit = limits(order, order.unpaid_work.hours, closed, calendar)
    month = month_of(order.imposed_on if on is None or order.excluded else on)
    band = "" if on is None else limit.class_of(on)
    state = undone(limit.due, order.ended_on) if on is None else State.LATE if band == LATE else State.MET
    if on is not None and on < order.imposed_on:
        state = State.IMPOSSIBLE
    if order.excluded or state is State.IMPOSSIBLE:
        band = ""
    return Reading(limit.standard, order.begun_on, state, month, limit.due, on, band, reason, taken_over=order.excluded)
