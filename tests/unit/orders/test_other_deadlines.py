"""The clocks that do not begin with the imposition or end in bands of working days, against cases written by hand."""

from datetime import date, timedelta

import msgspec
import pytest
from msgspec import structs

from contracts.codes import NOT_APPLICABLE, Change, EndReason, LateReason, RequirementKind, ReviewKind
from contracts.events import (
    BreachLodged,
    CaseMeetingHeld,
    ContactMade,
    Fact,
    InductionHeld,
    OfficerNominated,
    OrderEnded,
    OrderReceived,
    PlacementStarted,
    PlanAgreed,
    RequirementVaried,
    ReviewHeld,
    TransferAnswered,
    TransferReceived,
    TransferRequested,
    UnpaidWork,
    WorkCompleted,
)
from services.orders.contributions import COUNTING as ORDERS
from services.records.model.bank_holidays import scotland
from services.unpaid_work.contributions import COUNTING as UNPAID_WORK
from tests.support.lives import imposed, record

SCOTLAND = scotland()
START = date(2025, 3, 3)
"""A Monday."""
IMPOSED = imposed(START)


def day(text: str) -> date:
    return date.fromisoformat(text)


def told(measure: str, *facts: Fact) -> dict[tuple[str, str], int]:
    """Return what the facts count in the measure, by period and category, in whichever service counts it."""
    both = [counting.contributions(record(*facts), SCOTLAND) for counting in (ORDERS, UNPAID_WORK)]
    return {(f"{p}", c): n for cells in both for (m, p, c), n in cells.items() if m == measure}


def ended(on: str) -> OrderEnded:
    return OrderEnded(ended_on=day(on), reason=EndReason.REVOKED_REVIEW)


@pytest.mark.parametrize(
    ("received", "nominated", "band"),
    [
        ("2025-03-03", "2025-03-03", "within_2"),
        ("2025-03-03", "2025-03-05", "within_2"),  # edge: two days
        ("2025-03-03", "2025-03-06", "over_2"),
        ("2025-03-07", "2025-03-09", "within_2"),  # calendar days: Friday to Sunday
        ("2025-03-07", "2025-03-10", "over_2"),  # a weekend does not stop it
        ("2024-02-28", "2024-03-01", "within_2"),  # over 29 February
        ("2024-02-27", "2024-03-01", "over_2"),
        ("2023-02-27", "2023-03-01", "within_2"),
        ("2025-12-31", "2026-01-02", "within_2"),  # nor do bank holidays
        ("2025-12-31", "2026-01-03", "over_2"),
        ("2025-04-30", "2025-05-02", "within_2"),  # over the end of a month
    ],
)
def test_officer(received: str, nominated: str, band: str) -> None:
    facts = OrderReceived(received_on=day(received)), OfficerNominated(nominated_on=day(nominated))
    order = imposed(day(received))
    assert told("officer", order, *facts) == {(f"{received[:7]}-01", f"band={band}"): 1}


@pytest.mark.parametrize("reason", sorted(NOT_APPLICABLE))
@pytest.mark.parametrize("days", [1, 9])
def test_officer_with_a_reason_that_takes_the_standard_away(reason: LateReason, days: int) -> None:
    officer = OfficerNominated(nominated_on=START + timedelta(days=days), late_reason=reason)
    assert told("officer", IMPOSED, OrderReceived(received_on=START), officer) == {("2025-03-01", "not_applicable"): 1}


def test_officer_only_where_both_are_known() -> None:
    assert told("officer", IMPOSED, OrderReceived(received_on=START)) == {}
    assert told("officer", IMPOSED, OfficerNominated(nominated_on=START)) == {}


FIVE_WORKING_DAYS = [
    ("2025-03-03", "2025-03-10", True, "2025-03"),  # edge
    ("2025-03-03", "2025-03-11", False, "2025-03"),
    ("2025-03-08", "2025-03-14", True, "2025-03"),  # from a Saturday
    ("2025-03-08", "2025-03-17", False, "2025-03"),
    ("2025-12-22", "2025-12-31", True, "2025-12"),  # Christmas and Boxing Day between
    ("2025-12-22", "2026-01-05", False, "2025-12"),
    ("2024-02-26", "2024-03-04", True, "2024-03"),  # 29 February is a working day like any other
    ("2024-02-26", "2024-03-05", False, "2024-03"),
    ("2025-04-16", "2025-04-24", True, "2025-04"),  # Good Friday between; Easter Monday is a working day
    ("2025-04-16", "2025-04-25", False, "2025-04"),
    ("2025-01-31", "2025-02-07", True, "2025-02"),  # counted in the month in which it is due
    ("2025-03-31", "2025-04-08", False, "2025-04"),
]


@pytest.mark.parametrize(("begun", "done", "in_time", "month"), FIVE_WORKING_DAYS)
def test_breach_applications_and_answers_to_transfers(begun: str, done: str, in_time: bool, month: str) -> None:
    expected = {(f"{month}-01", "on_time" if in_time else "late"): 1}
    order = imposed(day(begun))
    lodged = BreachLodged(ref="b", decided_on=day(begun), lodged_on=day(done))
    assert told("breach_lodged", order, lodged) == expected
    asked = TransferRequested(ref="t", requested_on=day(begun), to="S12000036")
    answer = TransferAnswered(ref="t", answered_on=day(done), accepted=False)
    assert told("transfer_answered", order, asked, answer) == expected
    if not in_time:
        expected[f"{month}-01", "reason=other_service"] = 1
    why = LateReason.OTHER_SERVICE
    assert told("breach_lodged", order, structs.replace(lodged, late_reason=why)) == expected
    assert told("transfer_answered", order, asked, structs.replace(answer, late_reason=why)) == expected


def test_requests_that_nobody_answers() -> None:
    asked = TransferRequested(ref="t", requested_on=START, to="S12000036")
    assert told("pending_transfer", IMPOSED, asked) == {("2025-03-10", ""): 1}
    assert told("transfer_answered", IMPOSED, asked, ended("2025-03-10")) == {("2025-03-01", "not_applicable"): 1}
    assert told("transfer_answered", IMPOSED, asked, ended("2025-03-11")) == {("2025-03-01", "missed"): 1}
    assert told("pending_transfer", IMPOSED, asked, ended("2025-03-11")) == {}


def review(on: str, ref: str = "r") -> ReviewHeld:
    return ReviewHeld(ref=ref, held_on=day(on), kind=ReviewKind.DEPARTMENTAL)


@pytest.mark.parametrize(
    ("begun", "held", "counted"),
    [
        ("2025-03-03", ["2025-06-03"], {("2025-06-01", "on_time"): 1}),  # edge
        ("2025-03-03", ["2025-06-04"], {("2025-06-01", "late"): 1}),
        ("2025-11-30", ["2026-02-28"], {("2026-02-01", "on_time"): 1}),  # a shorter month
        ("2025-11-30", ["2026-03-01"], {("2026-02-01", "late"): 1}),
        ("2023-11-30", ["2024-02-29"], {("2024-02-01", "on_time"): 1}),
        ("2025-03-03", ["2025-09-03", "2025-06-03"], {("2025-06-01", "on_time"): 1, ("2025-09-01", "on_time"): 1}),
        ("2025-03-03", ["2025-06-10", "2025-09-04"], {("2025-06-01", "late"): 1, ("2025-09-01", "late"): 1}),
    ],
)
def test_reviews(begun: str, held: list[str], counted: dict[tuple[str, str], int]) -> None:
    reviews = [review(on, f"r{number}") for number, on in enumerate(held)]
    assert told("reviews", imposed(day(begun)), *reviews) == counted


def test_reviews_that_are_not_held() -> None:
    assert told("pending_review", IMPOSED) == {("2025-06-03", ""): 1, ("2025-09-03", ""): 1, ("2026-03-03", ""): 1}
    assert told("reviews", IMPOSED, ended("2025-06-03")) == {}  # none falls due on the day it ends, nor later
    assert told("reviews", IMPOSED, ended("2025-06-04")) == {("2025-06-01", "missed"): 1}
    work_only = structs.replace(IMPOSED, requirements=(UnpaidWork(hours=100),))
    assert told("pending_review", work_only) == {}


def work(begun: str, hours: int, complete_by: str | None = None) -> Fact:
    requirement = UnpaidWork(hours=hours, complete_by=day(complete_by) if complete_by else None)
    return structs.replace(imposed(day(begun)), requirements=(requirement,))


@pytest.mark.parametrize(
    ("order", "done", "expected", "level", "days"),
    [
        (work("2025-03-03", 100), "2025-06-03", "within_period", 1, 92),  # edge of three months
        (work("2025-03-03", 100), "2025-06-04", "late", 1, 93),
        (work("2025-03-03", 101), "2025-09-03", "within_period", 2, 184),  # above 100 hours, edge of six months
        (work("2025-03-03", 101), "2025-09-04", "late", 2, 185),
        (work("2025-03-03", 20), "2025-03-03", "within_period", 1, 0),
        (work("2025-11-30", 50), "2026-02-28", "within_period", 1, 90),  # a shorter month
        (work("2025-11-30", 50), "2026-03-01", "late", 1, 91),
        (work("2023-11-30", 50), "2024-02-29", "within_period", 1, 91),  # in a leap year
        (work("2023-11-30", 50), "2024-03-01", "late", 1, 92),
        (work("2024-02-29", 300), "2024-08-29", "within_period", 2, 182),
        (work("2025-08-31", 300), "2026-02-28", "within_period", 2, 181),
        (work("2025-03-03", 100, "2025-07-01"), "2025-07-01", "within_court_date", 1, 120),  # edge of the court's date
        (work("2025-03-03", 100, "2025-07-01"), "2025-07-02", "late", 1, 121),
        (work("2025-03-03", 100, "2025-04-01"), "2025-06-03", "within_period", 1, 92),  # an earlier one changes nothing
        (work("2025-03-03", 100, "2025-04-01"), "2025-06-04", "late", 1, 93),
    ],
)
def test_completion(order: Fact, done: str, expected: str, level: int, days: int) -> None:
    completed = WorkCompleted(completed_on=day(done))
    counted = told("unpaid_work_completed", order, completed)
    month = f"{done[:7]}-01"
    assert counted.pop((month, f"class={expected}")) == counted.pop((month, f"level={level}")) == 1
    assert [category.partition("=")[0] for _, category in counted] == ["days_band"]
    assert told("unpaid_work_days", order, completed) == {(month, ""): days, (month, f"level={level}"): days}


@pytest.mark.parametrize(
    ("days", "band"),
    [
        (91, "to_3_months"), (92, "to_6_months"), (183, "to_6_months"), (184, "to_9_months"), (274, "to_9_months"),
        (275, "to_12_months"), (365, "to_12_months"), (366, "over_12_months"),
    ],
)  # fmt: skip
def test_days_to_completion(days: int, band: str) -> None:
    completed = WorkCompleted(completed_on=date.fromordinal(START.toordinal() + days))
    assert f"days_band={band}" in {category for _, category in told("unpaid_work_completed", IMPOSED, completed)}


def varied(ref: str, complete_by: str) -> RequirementVaried:
    return RequirementVaried(
        ref=ref,
        varied_on=date(2025, 5, 1),
        change=Change.COMPLETE_BY,
        kind=RequirementKind.UNPAID_WORK,
        complete_by=day(complete_by),
    )


def test_the_latest_date_of_the_court_holds() -> None:
    order, later = work("2025-03-03", 100, "2025-07-01"), [varied("v1", "2025-10-01"), varied("v2", "2025-09-01")]
    for done, expected in (("2025-10-01", "within_court_date"), ("2025-10-02", "late")):
        completed = WorkCompleted(completed_on=day(done))
        assert f"class={expected}" in {c for _, c in told("unpaid_work_completed", order, *later, completed)}
    assert told("pending_completion", order) == {("2025-07-01", ""): 1}
    assert told("pending_completion", order, *later) == {("2025-10-01", ""): 1}
    assert told("pending_completion", work("2025-03-03", 100)) == {("2025-06-03", ""): 1}
    assert told("pending_completion", order, ended("2025-05-01")) == {}
    assert told("unpaid_work_completed", order, ended("2025-07-01")) == {("2025-03-01", "not_applicable"): 1}
    assert told("unpaid_work_completed", order, ended("2025-07-02")) == {("2025-03-01", "missed"): 1}
    assert told("pending_completion", order, ended("2025-07-02")) == {}


def test_reasons_for_late_completion() -> None:
    order = work("2025-03-03", 100)
    for reason in LateReason:  # this clock asks for the reason alone: what could not comply was still late
        late = WorkCompleted(completed_on=day("2025-09-02"), late_reason=reason)
        assert told("unpaid_work_completed", order, late)["2025-09-01", f"reason={reason}"] == 1
        in_time = WorkCompleted(completed_on=day("2025-06-03"), late_reason=reason)
        assert not [c for _, c in told("unpaid_work_completed", order, in_time) if c.startswith("reason")]


def test_more_time_by_law_is_within_the_legal_period() -> None:
    for begun, done, expected in (
        ("2020-01-15", "2021-04-15", "within_period"),
        ("2020-01-15", "2021-04-16", "late"),
        ("2020-06-01", "2021-06-01", "within_period"),
        ("2020-06-01", "2021-06-02", "late"),
        ("2022-10-01", "2023-01-02", "late"),
    ):
        completed = WorkCompleted(completed_on=day(done))
        assert f"class={expected}" in {c for _, c in told("unpaid_work_completed", work(begun, 100), completed)}
    done_late_before = WorkCompleted(completed_on=day("2020-04-06"))
    assert "class=late" in {c for _, c in told("unpaid_work_completed", work("2020-01-02", 100), done_late_before)}
    assert told("pending_completion", work("2020-01-15", 100)) == {("2021-04-15", ""): 1}
    assert told("pending_completion", work("2020-01-15", 100, "2020-06-01")) == {("2021-06-01", ""): 1}
    set_later = varied("v1", "2021-09-01")
    assert told("pending_completion", work("2020-01-15", 100, "2020-06-01"), set_later) == {("2021-09-01", ""): 1}


def cut(ref: str, hours: int) -> RequirementVaried:
    return RequirementVaried(
        ref=ref, varied_on=date(2025, 5, 1), change=Change.HOURS, kind=RequirementKind.UNPAID_WORK, hours=hours
    )


@pytest.mark.parametrize("hours", [0, 1, 16, 19, 20])
def test_hours_may_be_cut_to_nothing(hours: int) -> None:
    order = work("2025-03-03", 24)
    opened = {("2025-03-01", ""): 1440, ("2025-05-01", ""): (hours - 24) * 60}
    assert told("minutes_outstanding_opened", order, cut("v1", hours)) == opened
    closed = told("minutes_outstanding_closed", order, cut("v1", hours), ended("2025-06-01"))
    assert closed == {("2025-06-01", ""): hours * 60}
    assert told("pending_completion", order, cut("v1", hours)) == {("2025-06-03", ""): 1}


BEFORE = day("2024-03-03")


def test_what_is_dated_before_the_imposition_meets_nothing_and_adds_no_days() -> None:
    """Not even a day that is out by one."""
    order = imposed(START, hours=100, months=6)
    for on in (BEFORE, date(2025, 3, 2)):
        completed = WorkCompleted(completed_on=on, late_reason=LateReason.ILL)
        assert told("unpaid_work_completed", order, completed) == told("unpaid_work_days", order, completed) == {}
        assert told("pending_completion", order, completed) == {}
        held = ReviewHeld(ref="r", held_on=on, kind=ReviewKind.DEPARTMENTAL)
        assert told("pending_review", order, held) == told("pending_review", order)
        officer = OrderReceived(received_on=on), OfficerNominated(nominated_on=START)
        assert told("officer", order, *officer) == {}
        assert told("officer", order, OrderReceived(received_on=START), OfficerNominated(nominated_on=on)) == {}
        assert told("breach_lodged", order, BreachLodged(ref="b", decided_on=on, lodged_on=START)) == {}
        asked = TransferRequested(ref="t", requested_on=on, to="S12000036")
        assert told("transfer_answered", order, asked) | told("pending_transfer", order, asked) == {}


RECEIVED = day("2025-05-06")


@pytest.mark.parametrize(
    "facts",
    [
        (IMPOSED, TransferReceived(received_on=RECEIVED, from_="S12000036", from_subject="X")),
        (structs.replace(IMPOSED, outside_jurisdiction=True), OrderReceived(received_on=RECEIVED)),
    ],
    ids=["transferred in", "from outside Scotland"],
)
def test_duties_of_an_order_from_elsewhere_go_on_from_its_receipt(facts: tuple[Fact, ...]) -> None:
    """The nation's clocks from imposition stay not applicable, whatever becomes of the duties."""
    reviews = {("2025-08-06", ""): 1, ("2025-11-06", ""): 1}
    assert told("pending_review", *facts) == reviews  # the one in May 2026 would be after the supervision
    assert told("pending_plan", *facts) == {("2025-06-04", ""): 1}  # 26 May is a holiday
    assert told("pending_completion", *facts) == {("2025-08-06", ""): 1}
    for standard in ("first_contact", "case_meeting", "induction", "placement"):
        assert told(f"pending_{standard}", *facts) == {}
    plan, completed = PlanAgreed(agreed_on=day("2025-06-20")), WorkCompleted(completed_on=day("2025-09-01"))
    done = (*facts, plan, completed, review("2025-08-20", "r1"), ended("2025-12-01"))
    for standard in ("plan", "review", "completion"):
        assert told(f"pending_{standard}", *done) == {}
    for told_of in (facts, done, (*facts, ended("2025-12-01"))):
        assert told("plan", *told_of) == told("unpaid_work_completed", *told_of) == SETTLED
        assert {category for _, category in told("reviews", *told_of)} == {"not_applicable"}
        assert told("unpaid_work_days", *told_of) == {}


DONE: dict[str, type[Fact]] = {
    "first_contact": ContactMade,
    "case_meeting": CaseMeetingHeld,
    "plan": PlanAgreed,
    "induction": InductionHeld,
    "placement": PlacementStarted,
}


def done(standard: str, reason: LateReason | None = None) -> Fact:
    kind = DONE[standard]
    return msgspec.convert({kind.DATES[0]: date(2025, 9, 1), "late_reason": reason}, kind)


OUTSIDE = structs.replace(IMPOSED, outside_jurisdiction=True)
CAME = TransferReceived(received_on=START, from_="S12000036", from_subject="X")
SETTLED = {("2025-03-01", "not_applicable"): 1}


@pytest.mark.parametrize("standard", DONE)
def test_not_applicable_in_every_way(standard: str) -> None:
    for facts in ((OUTSIDE,), (IMPOSED, CAME), (OUTSIDE, done(standard)), (IMPOSED, CAME, done(standard))):
        assert told(standard, *facts) == SETTLED
    for reason in NOT_APPLICABLE:
        assert told(standard, IMPOSED, done(standard, reason)) == SETTLED
    for reason in set(LateReason) - NOT_APPLICABLE:
        assert f"reason={reason}" in {category for _, category in told(standard, IMPOSED, done(standard, reason))}


@pytest.mark.parametrize("standard", DONE)
def test_without_the_requirement_there_is_no_clock(standard: str) -> None:
    requirements = IMPOSED.requirements[1:] if standard in ("induction", "placement") else IMPOSED.requirements[:1]
    order = structs.replace(IMPOSED, requirements=requirements)
    counted = told(standard, order, done(standard)) | told(f"pending_{standard}", order)
    assert bool(counted) == (standard == "first_contact")
