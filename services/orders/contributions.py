"""The amounts that one order adds to the national cells, pure. A cell is always the sum of these over all records."""

from collections.abc import Collection
from datetime import date

from contracts.events import (
    FACTS,
    AssessmentCompleted,
    BreachDecided,
    ExitQuestionnaireReturned,
    OutcomeMeasured,
    kind_of,
)
from contracts.periods import month_of
from services.orders import deadlines
from services.orders.findings import break_nothing, findings_of
from services.orders.model import Order, age_band, length_band, level, order_of
from services.orders.rules import risk_change, score_changes
from services.records.model.calendar import Calendar
from services.records.model.control_totals import count_totals
from services.records.model.counting import Counting, Note, Part
from services.records.model.deadlines import NOTHING, Cells, Counts, add, clocks
from services.records.model.findings import counted_findings
from services.records.model.people import OPEN, Stay
from services.records.model.record import VOIDING, Record, fact, facts


def stay_of(order: Order | None) -> Stay | None:
    """Return the order as one of its person's, from the day on which it is managed here."""
    if order is None:
        return None
    is_new = order.transferred_in is None
    return Stay(
        order.imposed.person_ref, order.imposed_on if is_new else order.begun_on, order.ended_on or OPEN, is_new
    )


def _count_imposed(_record: Record, order: Order | None, _calendar: Calendar) -> Counts[Note]:
    if order is None:
        return NOTHING
    cells: Cells = {}
    add(cells, "orders_opened", month_of(order.imposed_on))
    if (
        order.transferred_in is None
    ):  # else the authority that it came from has counted it: each order counts once in Scotland
        _count_new(cells, order)
    return Counts.of(cells)


def _count_new(cells: Cells, order: Order) -> None:
    imposed, month = order.imposed, month_of(order.imposed_on)
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
    _count_requirements(cells, order, month)


def _count_requirements(cells: Cells, order: Order, month: date) -> None:
    for requirement in order.imposed.requirements:
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


def _count_breach_outcomes(record: Record, order: Order | None, _calendar: Calendar) -> Counts[Note]:
    decisions = [] if order is None else facts(record, BreachDecided)
    if not decisions:
        return NOTHING
    cells: Cells = {}
    for decision in decisions:
        add(cells, "breach_outcomes", month_of(decision.decided_on), f"breach_outcome={decision.outcome}")
    return Counts.of(cells)


def _count_ended(record: Record, order: Order | None, _calendar: Calendar) -> Counts[Note]:
    if order is None or order.ended is None:
        return NOTHING
    cells: Cells = {}
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
    return Counts.of(cells)


def _count_change(record: Record, order: Order | None, _calendar: Calendar) -> Counts[Note]:
    if order is None:
        return NOTHING
    assessed, measured = facts(record, AssessmentCompleted), facts(record, OutcomeMeasured)
    if len(assessed) < 2 and len(measured) < 2:
        return NOTHING
    cells: Cells = {}
    risk = risk_change(assessed)
    if risk is not None:
        on, change = risk
        add(cells, "risk_change", month_of(on), f"change={change}")
    for on, domain, change in score_changes(measured):
        add(cells, "outcome_change", month_of(on), f"change={change}")
        add(cells, "outcome_change", month_of(on), f"domain={domain}.{change}")
    return Counts.of(cells)


def _count_totals(record: Record, _order: Order | None, _calendar: Calendar) -> Counts[Note]:
    return count_totals(record, "orders_imposed", "orders_ended")


def _count_findings(record: Record, order: Order | None, _calendar: Calendar) -> Counts[Note]:
    return counted_findings(findings_of(record, order))


_ORDER = frozenset({"imposed", "transferred_in"}) | VOIDING
_LENGTHS = frozenset({"unpaid_work_minutes_imposed", "supervision_months_imposed"})
_VIEWED = _ORDER | {"received", "ended"}
_EVERY = frozenset(fact.KEY for fact in FACTS.values()) | VOIDING


def _renew(before: Order | None, _was: Record, now: Record, changed: Collection[str]) -> Order | None:
    return before if _VIEWED.isdisjoint(changed) else order_of(now)


COUNTING: Counting[Order | None] = Counting(
    order_of,
    (
        Part(
            _ORDER,
            _count_imposed,
            frozenset({"orders_opened", "orders_imposed", "requirements_imposed"}) | _LENGTHS,
        ),
        Part(_ORDER | {"ended", "received", "first_contact"}, deadlines.contact_of, clocks("first_contact")),
        Part(_ORDER | {"ended", "received", "case_meeting"}, deadlines.meeting_of, clocks("case_meeting")),
        Part(_ORDER | {"ended", "received", "plan"}, deadlines.plan_of, clocks("plan")),
        Part(_ORDER | {"received", "officer"}, deadlines.officer_of, clocks("officer")),
        Part(_ORDER | {"ended", "received", "review"}, deadlines.reviews_of, clocks("review")),
        Part(_ORDER | {"breach"}, deadlines.breaches_of, clocks("breach")),
        Part(_ORDER | {"breach_decision"}, _count_breach_outcomes, frozenset({"breach_outcomes"})),
        Part(_ORDER | {"ended", "transfer", "transfer_answer"}, deadlines.transfers_of, clocks("transfer")),
        Part(
            _ORDER | {"ended", "exit_questionnaire"},
            _count_ended,
            frozenset({"orders_closed", "orders_ended", "exit_questionnaires"}),
        ),
        Part(_ORDER | {"assessment", "outcome"}, _count_change, frozenset({"risk_change", "outcome_change"})),
        Part(frozenset({"period"}), _count_totals, frozenset({"control_totals"})),
        Part(_EVERY, _count_findings, frozenset({"findings"}), break_nothing),
    ),
    renew=_renew,
)
