"""The amounts that one order adds to the national cells, pure. A cell is always the sum of these over all records."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date

from contracts.events import (
    FACTS,
    WHOLE_ORDER,
    AssessmentCompleted,
    BreachDecided,
    ExitQuestionnaireReturned,
    OutcomeMeasured,
    kind_of,
)
from contracts.periods import month_of
from services.orders import deadlines
from services.orders.findings import findings_of
from services.orders.model import Order, age_band, length_band, level, order_of
from services.orders.rules import risk_change, score_changes
from services.records.model.calendar import Calendar
from services.records.model.control_totals import count_totals
from services.records.model.counting import Counting, Note, Part
from services.records.model.deadlines import Cells, Reading, add, clocks, count_clock
from services.records.model.findings import count_findings
from services.records.model.people import OPEN, Stay
from services.records.model.record import Record, fact, facts


def stay_of(record: Record) -> Stay | None:
    """Return the order as one of its person's, from the day on which it is managed here."""
    order = order_of(record)
    if order is None:
        return None
    is_new = order.transferred_in is None
    return Stay(
        order.imposed.person_ref, order.imposed_on if is_new else order.begun_on, order.ended_on or OPEN, is_new
    )


def _count_imposed(cells: Cells, _record: Record, order: Order | None, _calendar: Calendar) -> None:
    if order is None:
        return
    imposed, month = order.imposed, month_of(order.imposed.imposed_on)
    add(cells, "orders_opened", month)
    if order.transferred_in is not None:
        return  # the authority that it came from has counted it, and each order counts once in Scotland
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


def _counted(
    read: Callable[[Record, Order, Calendar], Iterable[Reading]],
) -> Callable[[Cells, Record, Order | None, Calendar], Sequence[Note]]:
    def count(cells: Cells, record: Record, order: Order | None, calendar: Calendar) -> Sequence[Note]:
        readings = () if order is None else tuple(read(record, order, calendar))
        for reading in readings:
            count_clock(cells, reading)
        return readings

    return count


def _count_breach_outcomes(cells: Cells, record: Record, order: Order | None, _calendar: Calendar) -> None:
    if order is None:
        return
    for decision in facts(record, BreachDecided):
        add(cells, "breach_outcomes", month_of(decision.decided_on), f"breach_outcome={decision.outcome}")


def _count_ended(cells: Cells, record: Record, order: Order | None, _calendar: Calendar) -> None:
    if order is None or order.ended is None:
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


def _count_change(cells: Cells, record: Record, order: Order | None, _calendar: Calendar) -> None:
    if order is None:
        return
    risk = risk_change(facts(record, AssessmentCompleted))
    if risk is not None:
        on, change = risk
        add(cells, "risk_change", month_of(on), f"change={change}")
    for on, domain, change in score_changes(facts(record, OutcomeMeasured)):
        add(cells, "outcome_change", month_of(on), f"change={change}")
        add(cells, "outcome_change", month_of(on), f"domain={domain}.{change}")


def _count_totals(cells: Cells, record: Record, _order: Order | None, _calendar: Calendar) -> None:
    count_totals(cells, record, "orders_imposed", "orders_ended")


def _count_findings(cells: Cells, record: Record, order: Order | None, _calendar: Calendar) -> Sequence[Note]:
    broken = findings_of(record, order)
    count_findings(cells, broken)
    return broken


_ORDER = frozenset({"imposed", "transferred_in", WHOLE_ORDER})
_LENGTHS = frozenset({"unpaid_work_minutes_imposed", "supervision_months_imposed"})
_VIEWED = _ORDER | {"received", "ended"}
_EVERY = frozenset(fact.KEY for fact in FACTS.values()) | {WHOLE_ORDER}


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
        Part(_ORDER | {"ended", "received", "first_contact"}, _counted(deadlines.contact_of), clocks("first_contact")),
        Part(_ORDER | {"ended", "received", "case_meeting"}, _counted(deadlines.meeting_of), clocks("case_meeting")),
        Part(_ORDER | {"ended", "received", "plan"}, _counted(deadlines.plan_of), clocks("plan")),
        Part(_ORDER | {"received", "officer"}, _counted(deadlines.officer_of), clocks("officer")),
        Part(_ORDER | {"ended", "received", "review"}, _counted(deadlines.reviews_of), clocks("review")),
        Part(_ORDER | {"breach"}, _counted(deadlines.breaches_of), clocks("breach")),
        Part(_ORDER | {"breach_decision"}, _count_breach_outcomes, frozenset({"breach_outcomes"})),
        Part(_ORDER | {"ended", "transfer", "transfer_answer"}, _counted(deadlines.transfers_of), clocks("transfer")),
        Part(
            _ORDER | {"ended", "exit_questionnaire"},
            _count_ended,
            frozenset({"orders_closed", "orders_ended", "exit_questionnaires"}),
        ),
        Part(_ORDER | {"assessment", "outcome"}, _count_change, frozenset({"risk_change", "outcome_change"})),
        Part(frozenset({"period"}), _count_totals, frozenset({"control_totals"})),
        Part(_EVERY, _count_findings, frozenset({"findings"})),
    ),
    renew=_renew,
)
