"""The clocks that run on an order, pure."""

from collections.abc import Iterator

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
from contracts.periods import month_of
from services.orders.model import Order
from services.orders.rules import matched_reviews
from services.records.model.calendar import Calendar
from services.records.model.deadlines import Reading, State, Stop, banded, from_imposition
from services.records.model.record import Record, fact, facts
from services.records.model.standards import in_force


def readings(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    """Every clock of the order, as it stands."""
    for read in (from_imposition_of, officer_of, reviews_of, breaches_of, transfers_of):
        yield from read(record, order, calendar)


def from_imposition_of(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    """First contact; with supervision, the first case management meeting and the plan."""
    contact = fact(record, "first_contact", ContactMade)
    stop = Stop(contact.made_on, contact.late_reason) if contact else None
    yield from_imposition("first_contact", order, stop, calendar)
    if order.supervision is not None:
        meeting = fact(record, "case_meeting", CaseMeetingHeld)
        stop = Stop(meeting.held_on, meeting.late_reason) if meeting else None
        yield from_imposition("case_meeting", order, stop, calendar)
        plan = fact(record, "plan", PlanAgreed)
        stop = Stop(plan.agreed_on, plan.late_reason) if plan else None
        yield from_imposition("plan", order, stop, calendar)


def officer_of(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    """Only where both facts are there: most authorities do not report when they received an order."""
    received, officer = fact(record, "received", OrderReceived), fact(record, "officer", OfficerNominated)
    if received is not None and officer is not None:
        standard = in_force("officer", order.imposed_on)
        stop = Stop(officer.nominated_on, officer.late_reason)
        yield banded(standard, received.received_on, stop, month_of(order.imposed_on), calendar)


def reviews_of(record: Record, order: Order, _calendar: Calendar) -> Iterator[Reading]:
    if order.supervision is None:
        return
    held = sorted(r.held_on for r in facts(record, ReviewHeld) if r.kind is ReviewKind.DEPARTMENTAL)
    dues = matched_reviews(order.imposed_on, order.supervision.months, order.ended_on, held)
    for number, (due, on) in enumerate(dues):
        variant = ("first", "second", "further")[min(number, 2)]
        if order.excluded:
            state = State.NOT_APPLICABLE
        elif on is not None:
            state = State.MET if on <= due else State.LATE
        else:
            state = State.PENDING if order.ended is None else State.MISSED
        yield Reading(in_force("review", order.imposed_on, variant), order.imposed_on, state, month_of(due), due, on)


def breaches_of(record: Record, _order: Order, calendar: Calendar) -> Iterator[Reading]:
    for breach in facts(record, BreachLodged):
        standard = in_force("breach", breach.decided_on)
        due = standard.limit.after(breach.decided_on, calendar)
        state = State.MET if breach.lodged_on <= due else State.LATE
        yield Reading(
            standard, breach.decided_on, state, month_of(due), due, breach.lodged_on, "", breach.late_reason, breach.ref
        )


def transfers_of(record: Record, order: Order, calendar: Calendar) -> Iterator[Reading]:
    requests = facts(record, TransferRequested)
    answers = {answer.ref: answer for answer in facts(record, TransferAnswered)} if requests else {}
    for request in requests:
        standard = in_force("transfer", request.requested_on)
        due = standard.limit.after(request.requested_on, calendar)
        answer = answers.get(request.ref)
        if answer is not None:
            state = State.MET if answer.answered_on <= due else State.LATE
        elif order.ended_on is None:
            state = State.PENDING
        else:
            state = State.NOT_APPLICABLE if order.ended_on <= due else State.MISSED
        on, reason = (answer.answered_on, answer.late_reason) if answer else (None, None)
        yield Reading(standard, request.requested_on, state, month_of(due), due, on, "", reason, request.ref)
