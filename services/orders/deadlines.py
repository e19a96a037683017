"""The clocks that run on an order, pure."""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from contracts.codes import ReviewKind
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
from services.records.model.deadlines import (
    NOTHING,
    REMEMBERED,
    Counts,
    Reading,
    State,
    Stop,
    banded,
    counted,
    from_imposition,
    taken_over,
    undone,
)
from services.records.model.record import Record, fact, facts
from services.records.model.standards import in_force


def readings(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    """Yield every clock of the order, with its present state."""
    for read in (contact_of, meeting_of, plan_of, officer_of, reviews_of, breaches_of, transfers_of):
        yield from read(record, order, calendar).notes


def contact_of(record: Record, order: Order | None, calendar: Calendar) -> Counts[Reading]:
    """Count the clock of first contact."""
    if order is None:
        return NOTHING
    contact = fact(record, "first_contact", ContactMade)
    stop = Stop(contact.made_on, contact.late_reason) if contact else None
    return from_imposition("first_contact", order, stop, calendar)


def meeting_of(record: Record, order: Order | None, calendar: Calendar) -> Counts[Reading]:
    """Count the clock of the first case management meeting, for an order with supervision."""
    if order is None or order.supervision is None:
        return NOTHING
    meeting = fact(record, "case_meeting", CaseMeetingHeld)
    stop = Stop(meeting.held_on, meeting.late_reason) if meeting else None
    return from_imposition("case_meeting", order, stop, calendar)


def plan_of(record: Record, order: Order | None, calendar: Calendar) -> Counts[Reading]:
    """Count the clock of the plan, for an order with supervision; for an order from elsewhere, it starts with the receipt."""
    if order is None or order.supervision is None:
        return NOTHING
    plan = fact(record, "plan", PlanAgreed)
    stop = Stop(plan.agreed_on, plan.late_reason) if plan else None
    if order.excluded:
        return counted([taken_over("plan", order, stop, calendar)])
    return from_imposition("plan", order, stop, calendar)


def officer_of(record: Record, order: Order | None, calendar: Calendar) -> Counts[Reading]:
    """Count the clock of nominating an officer, if both facts are there: most authorities do not report when they received an order."""
    received, officer = fact(record, "received", OrderReceived), fact(record, "officer", OfficerNominated)
    if order is None or received is None or officer is None:
        return NOTHING
    stop = Stop(officer.nominated_on, officer.late_reason)
    return _nomination(order.imposed_on, received.received_on, stop, calendar)


@lru_cache(maxsize=REMEMBERED)
def _nomination(imposed_on: date, received_on: date, stop: Stop, calendar: Calendar) -> Counts[Reading]:
    return counted([banded(in_force("officer", imposed_on), received_on, stop, imposed_on, calendar)])


def reviews_of(record: Record, order: Order | None, _calendar: Calendar) -> Counts[Reading]:
    """Count the clocks of reviews. For an order from elsewhere they continue from its receipt; supervision ends when it would have ended
    there.
    """
    if order is None or order.supervision is None:
        return NOTHING
    begun, last = order.begun_on, add_months(order.imposed_on, order.supervision.months)
    held = [r.held_on for r in facts(record, ReviewHeld) if r.kind is ReviewKind.DEPARTMENTAL and r.held_on >= begun]
    # More cannot fall due, and what is remembered must not grow with what a sender repeats.
    most = order.supervision.months
    return _reviews(begun, last, order.ended_on, tuple(sorted(held)[:most]), order.excluded)


@lru_cache(maxsize=REMEMBERED)
def _reviews(
    begun: date, last: date, ended: date | None, held: tuple[date, ...], is_taken_over: bool
) -> Counts[Reading]:
    return counted(
        Reading(
            in_force("review", begun, ("first", "second", "further")[min(number, 2)]),
            begun,
            _state(due, on, ended),
            month_of(due),
            due,
            on,
            taken_over=is_taken_over,
        )
        for number, (due, on) in enumerate(matched_reviews(reviews_due(begun, last, ended), held))
    )


def breaches_of(record: Record, order: Order | None, calendar: Calendar) -> Counts[Reading]:
    if order is None or not (breaches := facts(record, BreachLodged)):
        return NOTHING
    return counted(_breach(breach, order, calendar) for breach in breaches)


def _breach(breach: BreachLodged, order: Order, calendar: Calendar) -> Reading:
    standard = in_force("breach", breach.decided_on)
    due = standard.due(breach.decided_on, order.ended_on, calendar)
    state = State.MET if breach.lodged_on <= due else State.LATE
    if min(breach.decided_on, breach.lodged_on) < order.imposed_on:
        state = State.IMPOSSIBLE
    return Reading(
        standard, breach.decided_on, state, month_of(due), due, breach.lodged_on, "", breach.late_reason, breach.ref
    )


def transfers_of(record: Record, order: Order | None, calendar: Calendar) -> Counts[Reading]:
    if order is None or not (requests := facts(record, TransferRequested)):
        return NOTHING
    answers = {answer.ref: answer for answer in facts(record, TransferAnswered)}
    return counted(_transfer(request, answers.get(request.ref), order, calendar) for request in requests)


def _transfer(request: TransferRequested, answer: TransferAnswered | None, order: Order, calendar: Calendar) -> Reading:
    standard = in_force("transfer", request.requested_on)
    due = standard.due(request.requested_on, order.ended_on, calendar)
    on, reason = (answer.answered_on, answer.late_reason) if answer else (None, None)
    state = _state(due, on, order.ended_on)
    if request.requested_on < order.imposed_on or (on is not None and on < order.imposed_on):
        state = State.IMPOSSIBLE
    return Reading(standard, request.requested_on, state, month_of(due), due, on, "", reason, request.ref)


def _state(due: date, on: date | None, ended: date | None) -> State:
    """Return the state of a clock without bands, of an order that ended on that day, if it did."""
    if on is None:
        return undone(due, ended)
    return State.MET if on <= due else State.LATE
