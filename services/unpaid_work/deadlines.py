"""The clocks that run on unpaid work, pure."""

from collections.abc import Iterator

from contracts.events import InductionHeld, PlacementStarted, WorkCompleted
from contracts.periods import month_of
from services.records.model.calendar import Calendar
from services.records.model.deadlines import Reading, State, Stop, from_imposition
from services.records.model.record import Record, fact
from services.records.model.standards import in_force
from services.unpaid_work.model import Order, level
from services.unpaid_work.rules import completion_class, legal_period_ends


def readings(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    """Every clock of the order's unpaid work, as it stands; none without unpaid work."""
    yield from from_imposition_of(record, order, calendar)
    completion = completion_of(record, order)
    if completion is not None:
        yield completion


def from_imposition_of(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    """Induction and first placement."""
    if order.unpaid_work is None:
        return
    induction = fact(record, "induction", InductionHeld)
    stop = Stop(induction.held_on, induction.late_reason) if induction else None
    yield from_imposition("induction", order, stop, calendar)
    placement = fact(record, "placement", PlacementStarted)
    stop = Stop(placement.started_on, placement.late_reason) if placement else None
    yield from_imposition("placement", order, stop, calendar)


def completion_of(record: Record, order: Order) -> Reading | None:
    """Due when the legal period ends, or on the later date that the court set."""
    legal = legal_period_ends(order)
    if order.unpaid_work is None or legal is None:
        return None
    start = order.imposed_on
    standard = in_force("completion", start, f"level {level(order.unpaid_work.hours)}")
    due = max(legal, order.complete_by() or legal)
    completed = fact(record, "work_completed", WorkCompleted)
    if completed is None:
        state = State.PENDING if order.ended is None else State.NOT_APPLICABLE
        return Reading(standard, start, state, month_of(due), due)
    on, band = completed.completed_on, completion_class(order, completed.completed_on)
    state = State.LATE if band == "late" else State.MET
    return Reading(standard, start, state, month_of(on), due, on, band, completed.late_reason)
