"""Every cell of a few orders, counted by hand: nothing that they state is left out, counted twice, or counted elsewhere."""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import (
    BreachOutcome,
    CourtType,
    Employment,
    EndReason,
    Ethnicity,
    OutcomeDomain,
    OutcomeStage,
    RiskLevel,
    Sex,
)
from contracts.events import (
    AssessmentCompleted,
    BreachDecided,
    ExitQuestionnaireReturned,
    Fact,
    OrderEnded,
    OutcomeMeasured,
    PeriodClosed,
    Supervision,
    TransferReceived,
    UnpaidWork,
)
from services.orders.domain import domain
from services.records.model.bank_holidays import scotland
from services.records.model.deadlines import Cells
from tests.support.lives import imposed, record

ORDERS = domain(scotland())
MARCH, SEPTEMBER = date(2025, 3, 1), date(2025, 9, 1)
IMPOSED = imposed(date(2025, 3, 3))
ENDED = OrderEnded(ended_on=date(2025, 9, 15), reason=EndReason.REVOKED_BREACH)
CLOCKS = {"first_contact", "case_meeting", "plan", "reviews"}
"""They have tests of their own."""


def cells(*told: Fact) -> dict[tuple[str, str], int]:
    """Return the cells of an order by measure and category, each of which is in one month only."""
    found: Cells = ORDERS.contributions(record(*told))
    counted = {
        (measure, category): number
        for (measure, _, category), number in found.items()
        if measure not in CLOCKS and not measure.startswith(("pending_", "awaited_"))
    }
    assert len(counted) <= len(found)
    return counted


def months(*told: Fact) -> dict[str, set[date]]:
    """Return by measure the months in which it counts."""
    by_measure: dict[str, set[date]] = {}
    for measure, month, _ in ORDERS.contributions(record(*told)):
        by_measure.setdefault(measure, set()).add(month)
    return by_measure


OPENED = {
    ("orders_opened", ""): 1,
    ("orders_imposed", ""): 1,
    ("orders_imposed", "sex=female"): 1,
    ("orders_imposed", "age_band=26_30"): 1,
    ("orders_imposed", "ethnicity=white"): 1,
    ("orders_imposed", "employment=employed"): 1,
    ("orders_imposed", "court_type=sheriff_summary"): 1,
    ("orders_imposed", "level=1"): 1,
    ("requirements_imposed", "requirement=unpaid_work"): 1,
    ("requirements_imposed", "requirement=supervision"): 1,
    ("unpaid_work_minutes_imposed", ""): 6000,
    ("unpaid_work_minutes_imposed", "level=1"): 6000,
    ("supervision_months_imposed", ""): 12,
    ("supervision_months_imposed", "length_band=to_12"): 12,
}
CLOSED = {
    ("orders_closed", ""): 1,
    ("orders_ended", ""): 1,
    ("orders_ended", "end_reason=revoked_breach"): 1,
    ("orders_ended", "age_band=26_30"): 1,
    ("orders_ended", "sex=female"): 1,
    ("orders_ended", "requirement=unpaid_work"): 1,
    ("orders_ended", "requirement=supervision"): 1,
    ("exit_questionnaires", "not_returned"): 1,
}


def test_an_open_order() -> None:
    assert cells(IMPOSED) == OPENED


def test_an_order_that_ended_without_a_questionnaire() -> None:
    assert cells(IMPOSED, ENDED) == OPENED | CLOSED


def test_an_order_that_ended_with_one() -> None:
    answers = ExitQuestionnaireReturned(
        returned_on=date(2025, 10, 2), helped=4, treated_with_respect=5, less_likely_to_offend=3
    )
    returned = {
        ("exit_questionnaires", "returned"): 1,
        ("exit_questionnaires", "sum=helped"): 4,
        ("exit_questionnaires", "sum=treated_with_respect"): 5,
        ("exit_questionnaires", "sum=less_likely_to_offend"): 3,
    }
    closed = {cell: number for cell, number in CLOSED.items() if cell[0] != "exit_questionnaires"}
    assert cells(IMPOSED, ENDED, answers) == OPENED | closed | returned
    assert cells(IMPOSED, answers) == OPENED, "it counts with the end"


def test_everything_that_a_court_may_say() -> None:
    order = replace(
        IMPOSED,
        fine_default=True,
        progress_review_ordered=True,
        age_at_imposition=17,
        sex=Sex.MALE,
        court_type=CourtType.HIGH,
        employment=Employment.UNEMPLOYED,
        ethnicity=Ethnicity.ASIAN,
        requirements=(UnpaidWork(hours=101), Supervision(months=13)),
    )
    assert cells(order) == {
        ("orders_opened", ""): 1,
        ("orders_imposed", ""): 1,
        ("orders_imposed", "fine_default=true"): 1,
        ("orders_imposed", "progress_review=true"): 1,
        ("orders_imposed", "sex=male"): 1,
        ("orders_imposed", "age_band=16_17"): 1,
        ("orders_imposed", "ethnicity=asian"): 1,
        ("orders_imposed", "employment=unemployed"): 1,
        ("orders_imposed", "court_type=high"): 1,
        ("orders_imposed", "level=2"): 1,
        ("requirements_imposed", "requirement=unpaid_work"): 1,
        ("requirements_imposed", "requirement=supervision"): 1,
        ("unpaid_work_minutes_imposed", ""): 6060,
        ("unpaid_work_minutes_imposed", "level=2"): 6060,
        ("supervision_months_imposed", ""): 13,
        ("supervision_months_imposed", "length_band=to_18"): 13,
    }


@pytest.mark.parametrize("one", [UnpaidWork(hours=20), Supervision(months=6)])
def test_one_requirement_counts_nothing_of_the_other(one: UnpaidWork | Supervision) -> None:
    measures = {measure for measure, _ in cells(replace(IMPOSED, requirements=(one,)))}
    own, other = "unpaid_work_minutes_imposed", "supervision_months_imposed"
    assert (own in measures, other in measures) == (isinstance(one, UnpaidWork), isinstance(one, Supervision))


def test_an_order_from_another_authority_is_open_here_and_imposed_there() -> None:
    arrived = TransferReceived(received_on=date(2025, 4, 7), from_="S12000036", from_subject="E/1")
    assert cells(IMPOSED, arrived) == {("orders_opened", ""): 1}


def test_each_measure_counts_in_the_month_of_what_it_counts() -> None:
    found = months(IMPOSED, ENDED)
    assert {found[measure] == {MARCH} for measure, _ in OPENED} == {True}
    assert {found[measure] == {SEPTEMBER} for measure, _ in CLOSED} == {True}


def test_decisions_and_changes() -> None:
    decided = BreachDecided(ref="b1", decided_on=date(2025, 5, 2), outcome=BreachOutcome.WARRANT)
    risks = [
        AssessmentCompleted(
            ref=f"a{month}",
            completed_on=date(2025, month, 4),
            tool="LS/CMI",
            level=level,
            rule_version="1",
            overridden=False,
        )
        for month, level in ((4, RiskLevel.HIGH), (6, RiskLevel.LOW))
    ]
    started: dict[str, Any] = {"stage": OutcomeStage.START, "domain": OutcomeDomain.DRUGS, "tool": "star"}
    scores = [
        OutcomeMeasured(ref=f"m{month}", measured_on=date(2025, month, 5), score=score, **started)
        for month, score in ((4, 3), (7, 2))
    ]
    assert cells(IMPOSED, decided, *risks, *scores) == OPENED | {
        ("breach_outcomes", f"breach_outcome={BreachOutcome.WARRANT}"): 1,
        ("findings", "rule=decision_without_application"): 1,
        ("risk_change", "change=improved"): 1,
        ("outcome_change", "change=worse"): 1,
        ("outcome_change", f"domain={OutcomeDomain.DRUGS}.worse"): 1,
    }
    found = months(IMPOSED, decided, *risks, *scores)
    assert found["breach_outcomes"] == {date(2025, 5, 1)}
    assert (found["risk_change"], found["outcome_change"]) == ({date(2025, 6, 1)}, {date(2025, 7, 1)})


def test_an_authoritys_own_totals_are_those_of_this_service() -> None:
    closed = PeriodClosed(month="2025-03", orders_imposed=3, orders_ended=2, minutes_credited=600)
    assert cells(closed) == {("control_totals", "total=orders_imposed"): 3, ("control_totals", "total=orders_ended"): 2}
