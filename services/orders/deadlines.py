"""The clocks that run on an order, pure."""

from collections.abc import Iterator
from datetime import date

from contracts.codes import NOT_APPLICABLE, ReviewKind
from contracts.events import (
    BreachLodged,
    CaseMeetingHeld,
    ContactMade,
    OfficerNominated,
    OrderReceived,
    PlanAgreed,
    ReviewHeld,
    TransferAnswered,
    TransferRequested,
)
from contracts.periods import add_months, month_of
from services.orders.model import Order
from services.orders.rules import matched_reviews, reviews_due
from services.records.model.calendar import Calendar
from services.records.model.deadlines import Reading, State, Stop, banded, from_imposition, taken_over, undone
from services.records.model.record import Record, fact, facts
from services.records.model.standards import in_force


def readings(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    """Yield every clock of the order, with its present state."""
    for read in (contact_of, meeting_of, plan_of, officer_of, reviews_of, breaches_of, transfers_of):
        yield from read(record, order, calendar)


def contact_of(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    """Yield the clock of first contact."""
    contact = fact(record, "first_contact", ContactMade)
    stop = Stop(contact.made_on, contact.late_reason) if contact else None
    yield from_imposition("first_contact", order, stop, calendar)


def meeting_of(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    """Yield the clock of the first case management meeting, for an order with supervision."""
    if order.supervision is not None:
        meeting = fact(record, "case_meeting", CaseMeetingHeld)
        stop = Stop(meeting.held_on, meeting.late_reason) if meeting else None
        yield from_imposition("case_meeting", order, stop, calendar)


def plan_of(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    """Yield the clock of the plan, for an order with supervision; for an order from elsewhere, it starts with the receipt."""
    if order.supervision is not None:
        plan = fact(record, "plan", PlanAgreed)
        stop = Stop(plan.agreed_on, plan.late_reason) if plan else None
        yield (taken_over if order.excluded else from_imposition)("plan", order, stop, calendar)


def officer_of(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    """Yield the clock of nominating an officer, if both facts are there: most authorities do not report when they received an order."""
    received, officer = fact(record, "received", OrderReceived), fact(record, "officer", OfficerNominated)
    if received is not None and officer is not None:
        standard, imposed_on = in_force("officer", order.imposed_on), order.imposed_on
        stop, begun, month = Stop(officer.nominated_on, officer.late_reason), received.received_on, month_of(imposed_on)
        if stop.reason in NOT_APPLICABLE:
            yield Reading(standard, begun, State.NOT_APPLICABLE, month, on=stop.on, reason=stop.reason)
        else:
            yield banded(standard, begun, stop, month, calendar, imposed_on)


def reviews_of(record: Record, order: Order, _calendar: Calendar) -> Iterator[Reading]:
    """Yield the clocks of reviews. For an order from elsewhere they continue from its receipt; supervision ends when it would have ended
    there.
    """
    if order.supervision is None:
        return
    begun, last = order.begun_on, add_months(order.imposed_on, order.supervision.months)
    held = sorted(
        r.held_on for r in facts(record, ReviewHeld) if r.kind is ReviewKind.DEPARTMENTAL and r.held_on >= begun
    )
    for number, (due, on) in enumerate(matched_reviews(reviews_due(begun, last, order.ended_on), held)):
        standard = in_force("review", begun, ("first", "second", "further")[min(number, 2)])
        state = _state(due, on, order)
        yield Reading(standard, begun, state, month_of(due), due, on, taken_over=order.excluded)


def breaches_of(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    for breach in facts(record, BreachLodged):
        standard = in_force("breach", breach.decided_on)
        due = standard.due(breach.decided_on, order.ended_on, calendar)
        state = State.MET if breach.lodged_on <= due else State.LATE
        if min(breach.decided_on, breach.lodged_on) < order.imposed_on:
            state = State.IMPOSSIBLE
        yield Reading(
            standard, breach.decided_on, state, month_of(due), due, breach.lodged_on, "", breach.late_reason, breach.ref
        )


def transfers_of(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    requests = facts(record, TransferRequested)
    answers = {answer.ref: answer for answer in facts(record, TransferAnswered)} if requests else {}
    for request in requests:
        standard = in_force("transfer", request.requested_on)
        due = standard.due(request.requested_on, order.ended_on, calendar)
        answer = answers.get(request.ref)
        on, reason = (answer.answered_on, answer.late_reason) if answer else (None, None)
        state = _state(due, on, order)
        if request.requested_on < order.imposed_on or (on is not None and on < order.imposed_on):
            state = State.IMPOSSIBLE
        yield Reading(standard, request.requested_on, state, month_of(due), due, on, "", reason, request.ref)


def _state(due: date, on: date | None, order: Order) -> State:
    """Return the state of a clock without bands."""
    if on is None:
        return undone(due, order)
    return State.MET if on <= due else State.LATE
