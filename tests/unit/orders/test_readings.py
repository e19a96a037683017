"""An order as the lists of a service show it: every clock that runs on it, whoever had it before."""

from datetime import date, timedelta

import pytest
from msgspec import structs

from contracts.codes import LateReason, ReviewKind
from contracts.events import (
    BreachLodged,
    Fact,
    OfficerNominated,
    OrderReceived,
    PlanAgreed,
    ReviewHeld,
    TransferReceived,
    TransferRequested,
)
from services.orders.deadlines import readings, reviews_of
from services.orders.model import order_of
from services.records.model.bank_holidays import scotland
from services.records.model.deadlines import Reading, State, taken_over
from services.records.model.standards import in_force
from services.unpaid_work import deadlines as unpaid_work
from services.unpaid_work.model import order_of as unpaid_work_of
from tests.support.lives import imposed, record

START, RECEIVED = date(2025, 3, 3), date(2025, 5, 6)
IMPOSED = imposed(START)
CAME = TransferReceived(received_on=RECEIVED, from_="S12000036", from_subject="X")
CALENDAR = scotland()


def clocks(*facts: Fact) -> list[Reading]:
    found = record(*facts)
    order = order_of(found)
    assert order is not None
    return list(readings(found, order, CALENDAR))


def clocks_of_unpaid_work(*facts: Fact) -> list[Reading]:
    found = record(*facts)
    order = unpaid_work_of(found)
    assert order is not None
    return list(unpaid_work.readings(found, order, CALENDAR))


def names(found: list[Reading]) -> list[str]:
    return [reading.standard.name for reading in found]


def test_every_clock_of_an_order_is_read_once() -> None:
    breach = BreachLodged(ref="b", decided_on=date(2025, 4, 1), lodged_on=date(2025, 4, 2))
    asked = TransferRequested(ref="t", requested_on=date(2025, 4, 1), to="S12000036")
    found = clocks(IMPOSED, breach, asked)
    assert names(found) == ["first_contact", "case_meeting", "plan", "review", "review", "review", "breach", "transfer"]
    assert [reading.ref for reading in found if reading.ref] == ["b", "t"]
    assert {reading.band for reading in found} == {""}, "none of these has a band"


def test_every_clock_of_unpaid_work_is_read_once() -> None:
    assert names(clocks_of_unpaid_work(IMPOSED)) == ["induction", "placement", "completion"]
    of_supervision = structs.replace(IMPOSED, requirements=IMPOSED.requirements[1:])
    assert clocks_of_unpaid_work(of_supervision) == []


@pytest.mark.parametrize(
    ("agreed", "reason", "state"),
    [
        (date(2025, 6, 4), None, State.MET),  # 26 May is a holiday, so the twentieth working day is this one
        (date(2025, 6, 5), None, State.LATE),
        (RECEIVED, None, State.MET),
        (START, None, State.MET),
        (date(2025, 3, 2), None, State.IMPOSSIBLE),
        (date(2025, 6, 5), LateReason.COULD_NOT_COMPLY, State.NOT_APPLICABLE),
    ],
)
def test_the_plan_of_an_order_from_elsewhere_runs_from_its_receipt(
    agreed: date, reason: LateReason | None, state: State
) -> None:
    plan = next(
        reading
        for reading in clocks(IMPOSED, CAME, PlanAgreed(agreed_on=agreed, late_reason=reason))
        if reading.standard.name == "plan"
    )
    assert (plan.state, plan.on, plan.reason, plan.taken_over) == (state, agreed, reason, True)
    assert (plan.start, plan.month) == (RECEIVED, date(2025, 3, 1))
    assert plan.counted_as is State.NOT_APPLICABLE


def test_a_review_before_the_receipt_of_an_order_meets_no_duty_here() -> None:
    early, late = (
        ReviewHeld(ref=ref, kind=ReviewKind.DEPARTMENTAL, held_on=on)
        for ref, on in (("r1", date(2025, 5, 5)), ("r2", date(2025, 7, 1)))
    )
    assert [reading.on for reading in clocks(IMPOSED, CAME, early, late) if reading.standard.name == "review"] == [
        date(2025, 7, 1),
        None,
    ]


def test_a_duty_that_nothing_met_is_pending_and_says_when_it_is_due() -> None:
    order = order_of(record(IMPOSED, CAME))
    assert order is not None
    reading = taken_over("plan", order, None, CALENDAR)
    assert (reading.state, reading.start, reading.due) == (State.PENDING, RECEIVED, date(2025, 6, 4))
    assert reading.standard is in_force("plan", RECEIVED)


def test_an_officer_whose_lateness_has_a_good_reason_was_nominated_all_the_same() -> None:
    received = OrderReceived(received_on=START)
    nominated = OfficerNominated(nominated_on=date(2025, 3, 20), late_reason=LateReason.COULD_NOT_COMPLY)
    officer = next(reading for reading in clocks(IMPOSED, received, nominated) if reading.standard.name == "officer")
    assert (officer.state, officer.start, officer.month) == (State.NOT_APPLICABLE, START, date(2025, 3, 1))
    assert (officer.on, officer.reason) == (date(2025, 3, 20), LateReason.COULD_NOT_COMPLY)


def test_what_is_remembered_of_reviews_does_not_grow_with_how_often_one_is_told() -> None:
    """Thousands of remembered orders with two thousand days each would be gigabytes."""
    days = [date(2025, 6, 3) + timedelta(days=number) for number in range(200)]
    held = [ReviewHeld(ref=f"r{n}", held_on=day, kind=ReviewKind.DEPARTMENTAL) for n, day in enumerate(days)]
    found = [record(IMPOSED, *held[:number]) for number in (12, 20, 200)]
    first, *others = [reviews_of(one, order_of(one), CALENDAR) for one in found]
    assert [reading.on for reading in first.notes] == days[: len(first.notes)]
    assert all(other is first for other in others), "the same is remembered of all of them"
