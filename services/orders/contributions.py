"""What one order adds to the national cells, pure. A cell is the sum of this over all records, always."""

from collections.abc import Callable
from datetime import date

from contracts.codes import ReviewKind
from contracts.events import (
    AssessmentCompleted,
    BreachDecided,
    BreachLodged,
    CaseMeetingHeld,
    ContactMade,
    ExitQuestionnaireReturned,
    OfficerNominated,
    OrderReceived,
    OutcomeMeasured,
    PlanAgreed,
    ReviewHeld,
    TransferAnswered,
    TransferRequested,
    kind_of,
)
from services.orders.model import Order, age_band, length_band, level, order_of
from services.orders.rules import matched_reviews, risk_change, score_changes
from services.records.calendar import Calendar, month_of
from services.records.clocks import (
    BREACH_LIMIT,
    CASE_MEETING,
    FIRST_CONTACT,
    OFFICER_LIMIT,
    PLAN,
    TRANSFER_LIMIT,
    Cells,
    Stop,
    add,
    count_clock,
)
from services.records.record import Record, fact, facts


def contributions(record: Record, calendar: Calendar) -> Cells:
    """The cells that this record counts in."""
    cells: Cells = {}
    order = order_of(record)
    if order is not None:
        for count in _COUNTS:
            count(cells, record, order, calendar)
    return cells


def person_month(record: Record) -> tuple[str, date] | None:
    """The person and month for whom this record is a new order, which `persons_with_new_order` counts once."""
    order = order_of(record)
    if order is None or order.transferred_in is not None:
        return None
    return order.imposed.person_ref, month_of(order.imposed.imposed_on)


def _count_imposed(cells: Cells, _record: Record, order: Order, _calendar: Calendar) -> None:
    imposed, month = order.imposed, month_of(order.imposed.imposed_on)
    add(cells, "orders_opened", month)
    if order.transferred_in is not None:
        return  # the authority that it came from has counted it: each order counts once in Scotland
    band = age_band(imposed.age_at_imposition)
    for category in (
        "",
        f"sex={imposed.sex}",
        f"age_band={band}",
        f"ethnicity={imposed.ethnicity}",
        f"employment={imposed.employment}",
        f"court_type={imposed.court_type}",
    ):
        add(cells, "orders_imposed", month, category)
    if imposed.fine_default:
        add(cells, "orders_imposed", month, "fine_default=true")
    if imposed.progress_review_ordered:
        add(cells, "orders_imposed", month, "progress_review=true")
    for requirement in imposed.requirements:
        add(cells, "requirements_imposed", month, f"requirement={kind_of(requirement)}")
    if order.unpaid_work is not None:
        hours = order.unpaid_work.hours
        add(cells, "orders_imposed", month, f"level={level(hours)}")
        add(cells, "unpaid_work_minutes_imposed", month, "", hours * 60)
        add(cells, "unpaid_work_minutes_imposed", month, f"level={level(hours)}", hours * 60)
    if order.supervision is not None:
        months = order.supervision.months
        add(cells, "supervision_months_imposed", month, "", months)
        add(cells, "supervision_months_imposed", month, f"length_band={length_band(months)}", months)


def _count_clocks(cells: Cells, record: Record, order: Order, calendar: Calendar) -> None:
    contact = fact(record, "first_contact", ContactMade)
    stop = Stop(contact.made_on, contact.late_reason) if contact else None
    count_clock(cells, FIRST_CONTACT, order, stop, calendar)
    if order.supervision is not None:
        meeting = fact(record, "case_meeting", CaseMeetingHeld)
        stop = Stop(meeting.held_on, meeting.late_reason) if meeting else None
        count_clock(cells, CASE_MEETING, order, stop, calendar)
        plan = fact(record, "plan", PlanAgreed)
        stop = Stop(plan.agreed_on, plan.late_reason) if plan else None
        count_clock(cells, PLAN, order, stop, calendar)


def _count_officer(cells: Cells, record: Record, order: Order, _calendar: Calendar) -> None:
    received, officer = fact(record, "received", OrderReceived), fact(record, "officer", OfficerNominated)
    if received is None or officer is None:
        return
    month = month_of(order.imposed.imposed_on)
    within = (officer.nominated_on - received.received_on).days <= OFFICER_LIMIT
    add(cells, "officer", month, "band=within_2" if within else "band=over_2")
    if not within and officer.late_reason is not None:
        add(cells, "officer", month, f"reason={officer.late_reason}")


def _count_reviews(cells: Cells, record: Record, order: Order, _calendar: Calendar) -> None:
    if order.supervision is None:
        return
    held = sorted(r.held_on for r in facts(record, ReviewHeld) if r.kind is ReviewKind.DEPARTMENTAL)
    for due, on in matched_reviews(order.imposed.imposed_on, order.supervision.months, order.ended_on, held):
        if order.excluded:
            add(cells, "reviews", month_of(due), "not_applicable")
        elif on is not None:
            add(cells, "reviews", month_of(due), "on_time" if on <= due else "late")
        elif order.ended is not None:
            add(cells, "reviews", month_of(due), "missed")
        else:
            add(cells, "pending_review", due)


def _count_breaches(cells: Cells, record: Record, _order: Order, calendar: Calendar) -> None:
    for breach in facts(record, BreachLodged):
        due = calendar.after(breach.decided_on, BREACH_LIMIT)
        add(cells, "breach_lodged", month_of(due), "on_time" if breach.lodged_on <= due else "late")
    for decision in facts(record, BreachDecided):
        add(cells, "breach_outcomes", month_of(decision.decided_on), f"breach_outcome={decision.outcome}")


def _count_transfers(cells: Cells, record: Record, order: Order, calendar: Calendar) -> None:
    answers = {answer.ref: answer for answer in facts(record, TransferAnswered)}
    for request in facts(record, TransferRequested):
        due = calendar.after(request.requested_on, TRANSFER_LIMIT)
        answer = answers.get(request.ref)
        if answer is not None:
            add(cells, "transfer_answered", month_of(due), "on_time" if answer.answered_on <= due else "late")
        elif order.ended_on is None:
            add(cells, "pending_transfer", due)
        else:
            add(cells, "transfer_answered", month_of(due), "not_applicable" if order.ended_on <= due else "missed")


def _count_ended(cells: Cells, record: Record, order: Order, _calendar: Calendar) -> None:
    if order.ended is None:
        return
    month = month_of(order.ended.ended_on)
    add(cells, "orders_closed", month)
    for category in (
        "",
        f"end_reason={order.ended.reason}",
        f"age_band={age_band(order.imposed.age_at_imposition)}",
        f"sex={order.imposed.sex}",
        *(f"requirement={kind_of(requirement)}" for requirement in order.imposed.requirements),
    ):
        add(cells, "orders_ended", month, category)
    answers = fact(record, "exit_questionnaire", ExitQuestionnaireReturned)
    add(cells, "exit_questionnaires", month, "returned" if answers else "not_returned")
    if answers is not None:
        for question in ("helped", "treated_with_respect", "less_likely_to_offend"):
            add(cells, "exit_questionnaires", month, f"sum={question}", getattr(answers, question))


def _count_change(cells: Cells, record: Record, _order: Order, _calendar: Calendar) -> None:
    risk = risk_change(facts(record, AssessmentCompleted))
    if risk is not None:
        on, change = risk
        add(cells, "risk_change", month_of(on), f"change={change}")
    for on, domain, change in score_changes(facts(record, OutcomeMeasured)):
        add(cells, "outcome_change", month_of(on), f"change={change}")
        add(cells, "outcome_change", month_of(on), f"domain={domain}.{change}")


_COUNTS: tuple[Callable[[Cells, Record, Order, Calendar], None], ...] = (
    _count_imposed,
    _count_clocks,
    _count_officer,
    _count_reviews,
    _count_breaches,
    _count_transfers,
    _count_ended,
    _count_change,
)
