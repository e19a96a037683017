"""The rules that no schema states, at every edge: what is refused, for which reason, and where."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from msgspec import structs

from contracts.authorities import AUTHORITIES
from contracts.codes import ATTENDED, Activity, Attendance, Change, RequirementKind, WorkType
from contracts.decoding import rules
from contracts.decoding.rules import RULES, check_dates, check_in_force
from contracts.events import (
    BreachLodged,
    Compensation,
    ContactMade,
    Fact,
    FactWithdrawn,
    Heartbeat,
    Programme,
    RequirementVaried,
    SessionRecorded,
    Supervision,
    Topic,
    TransferReceived,
    TransferRequested,
    UnpaidWork,
)
from contracts.rejections import Reason, Unacceptable
from tests.support.lives import imposed

START = date(2025, 3, 3)
IMPOSED = imposed(START)
WORK, WATCHED = UnpaidWork(hours=100), Supervision(months=12)
Refused = tuple[Reason, str] | None


def refused(data: Fact, topic: Topic = Topic.ORDERS) -> Refused:
    return _said(lambda: RULES[type(data)](data, topic))


def refused_for_dates(data: Fact, time: datetime) -> Refused:
    return _said(lambda: check_dates(data, time))


def _said(check: Callable[[], object]) -> Refused:
    """Return the reason and the path of a refusal, which says in words what is wrong."""
    try:
        check()
    except Unacceptable as error:
        refusal = error
    else:
        return None
    assert refusal.message
    return refusal.reason, refusal.path


@pytest.mark.parametrize(
    ("requirements", "age", "expected"),
    [
        ((WORK,), 18, None),
        ((WATCHED,), 16, None),
        ((WORK, WATCHED, Compensation(months=3)), 17, None),
        ((WORK,), 17, Reason.UNDER_18_NEEDS_SUPERVISION),
        ((Compensation(months=3),), 30, Reason.NO_MAIN_REQUIREMENT),
        ((WORK, Programme(months=3)), 30, Reason.NEEDS_SUPERVISION),
        ((WORK, Programme(months=3)), 17, Reason.NEEDS_SUPERVISION),
        ((WATCHED, Programme(months=3), Programme(months=4)), 30, Reason.REPEATED_REQUIREMENT),
        ((WORK, UnpaidWork(hours=20)), 17, Reason.REPEATED_REQUIREMENT),
    ],
)
def test_the_requirements_of_an_order_go_together(
    requirements: tuple[UnpaidWork, ...], age: int, expected: Reason | None
) -> None:
    order = structs.replace(IMPOSED, requirements=requirements, age_at_imposition=age)
    assert refused(order) == (expected and (expected, "$.data.requirements"))


@pytest.mark.parametrize(
    ("complete_by", "expected"),
    [
        (START, None),
        (date(2099, 12, 31), None),
        (START - timedelta(days=1), Reason.COMPLETE_BY_BEFORE_IMPOSED),
        (date(2100, 1, 1), Reason.OUT_OF_RANGE),
        (date(1999, 12, 31), Reason.OUT_OF_RANGE),
    ],
)
def test_work_is_to_be_completed_on_or_after_the_imposition(complete_by: date, expected: Reason | None) -> None:
    work = structs.replace(WORK, complete_by=complete_by)
    for place, requirements in enumerate(((work, WATCHED), (WATCHED, work))):
        found = refused(structs.replace(IMPOSED, requirements=requirements))
        assert found == (expected and (expected, f"$.data.requirements[{place}].complete_by"))


@pytest.mark.parametrize("minutes", [0, 1])
@pytest.mark.parametrize("attendance", Attendance)
def test_only_who_attended_is_credited(attendance: Attendance, minutes: int) -> None:
    session = SessionRecorded(
        ref="s1",
        session_on=START,
        attendance=attendance,
        activity=Activity.UNPAID_WORK,
        work_type=WorkType.GARDENING,
        minutes_credited=minutes,
    )
    wanted = (
        (Reason.CREDIT_WITHOUT_ATTENDANCE, "$.data.minutes_credited")
        if minutes and attendance not in ATTENDED
        else None
    )
    assert refused(session, Topic.UNPAID_WORK) == wanted


@pytest.mark.parametrize(
    ("fact", "topic", "known"),
    [
        *(("order", Topic.ORDERS, True), ("order", Topic.UNPAID_WORK, False), ("first_contact", Topic.ORDERS, True)),
        *(("review/r1", Topic.ORDERS, True), ("review", Topic.ORDERS, False), ("session/s1", Topic.ORDERS, False)),
        *(("session/s1", Topic.UNPAID_WORK, True), ("period/2025-01", Topic.ORDERS, False)),
    ],
)
def test_only_a_fact_that_the_topic_holds_is_withdrawn(fact: str, topic: Topic, known: bool) -> None:
    assert refused(FactWithdrawn(fact=fact), topic) == (None if known else (Reason.UNKNOWN_FACT, "$.data.fact"))


@pytest.mark.parametrize(("code", "known"), [("S12000036", True), ("S12000024", True), ("S12999999", False)])
def test_the_other_authority_of_a_transfer_is_one_of_the_list(code: str, known: bool) -> None:
    asked = TransferRequested(ref="t", requested_on=START, to=code)
    came = TransferReceived(received_on=START, from_=code, from_subject="X")
    assert refused(asked) == (None if known else (Reason.BAD_CODE, "$.data.to"))
    assert refused(came) == (None if known else (Reason.BAD_CODE, "$.data.from"))


GIVEN = {"hours": 80, "complete_by": START, "months": 6}
ONLY_UNPAID, NOT_UNPAID = {Change.HOURS, Change.COMPLETE_BY}, {Change.MONTHS}


def expected_of(change: Change, unpaid: bool, given: set[str]) -> Refused:
    """Return the refusal of a variation in words of a table: which members each change takes."""
    if change in (NOT_UNPAID if unpaid else ONLY_UNPAID):
        return Reason.CHANGE_DOES_NOT_FIT, "$.data.change"
    hours = "hours" if unpaid else "months"
    needed = {Change.ADDED: {hours}, Change.REMOVED: set()}.get(change, {str(change)})
    allowed = needed | ({"complete_by"} if needed == {"hours"} else set())
    for member in ("hours", "complete_by", "months"):
        if member in needed and member not in given:
            return Reason.MISSING_MEMBER, f"$.data.{member}"
        if member in given and member not in allowed:
            return Reason.CHANGE_DOES_NOT_FIT, f"$.data.{member}"
    return None


def test_a_variation_has_the_members_of_its_change_and_no_others() -> None:
    kinds = (RequirementKind.UNPAID_WORK, RequirementKind.SUPERVISION, RequirementKind.PROGRAMME)
    seen = set()
    for change, kind, there in product(Change, kinds, product((True, False), repeat=3)):
        given = {name for name, is_there in zip(GIVEN, there, strict=True) if is_there}
        varied = RequirementVaried(ref="v", varied_on=START, change=change, kind=kind, **{n: GIVEN[n] for n in given})  # type: ignore[arg-type]
        wanted = expected_of(change, kind is RequirementKind.UNPAID_WORK, given)
        assert refused(varied) == wanted, (change, kind, given)
        seen.add(wanted)
    assert len(seen) == 8


@pytest.mark.parametrize(
    ("day", "known"), [(date(2000, 1, 1), True), (date(1999, 12, 31), False), (date(2100, 1, 1), False)]
)
def test_days_far_outside_are_typing_errors(day: date, known: bool) -> None:
    varied = RequirementVaried(
        ref="v", varied_on=START, change=Change.COMPLETE_BY, kind=RequirementKind.UNPAID_WORK, complete_by=day
    )
    assert refused(varied) == (None if known else (Reason.OUT_OF_RANGE, "$.data.complete_by"))
    quiet = Heartbeat(nothing_to_report_since=day)
    assert refused(quiet) == (None if known else (Reason.OUT_OF_RANGE, "$.data.nothing_to_report_since"))
    assert refused(Heartbeat()) is None


NOON = datetime(2025, 7, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("year", "expected"), [(1999, Reason.OUT_OF_RANGE), (2000, None), (2099, None), (2100, Reason.OUT_OF_RANGE)]
)
def test_an_event_was_recorded_in_a_year_that_can_be(year: int, expected: Reason | None) -> None:
    assert refused_for_dates(Heartbeat(), NOON.replace(year=year)) == (expected and (expected, "$.time"))


@pytest.mark.parametrize(
    ("made_on", "time", "expected"),
    [
        (date(2000, 1, 1), NOON, None),
        (date(1999, 12, 31), NOON, Reason.OUT_OF_RANGE),
        (date(2100, 1, 1), NOON, Reason.OUT_OF_RANGE),
        (date(2025, 7, 11), NOON, None),
        (date(2025, 7, 12), NOON, Reason.DATE_AFTER_TIME),
        (date(2025, 7, 12), NOON.replace(hour=23), None),  # it is the eleventh already, in summer
        (date(2025, 1, 12), NOON.replace(month=1, hour=23), Reason.DATE_AFTER_TIME),
    ],
)
def test_no_fact_is_dated_more_than_a_day_after_it_was_recorded(
    made_on: date, time: datetime, expected: Reason | None
) -> None:
    assert refused_for_dates(ContactMade(made_on=made_on), time) == (expected and (expected, "$.data.made_on"))


def test_every_date_of_a_fact_is_looked_at() -> None:
    late = BreachLodged(ref="b", decided_on=START, lodged_on=date(2026, 1, 1))
    assert refused_for_dates(late, NOON) == (Reason.DATE_AFTER_TIME, "$.data.lodged_on")


@pytest.mark.parametrize(
    ("time", "known"),
    [
        (datetime(2027, 3, 31, 22, 59, tzinfo=UTC), False),
        (datetime(2027, 3, 31, 23, 0, tzinfo=UTC), True),  # the first of April, in summer
        (datetime(2028, 3, 30, 22, 59, tzinfo=UTC), True),
        (datetime(2028, 3, 30, 23, 0, tzinfo=UTC), False),
    ],
)
def test_an_authority_records_only_while_it_is_one(
    time: datetime, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = structs.replace(
        AUTHORITIES["S12000005"], first_day=date(2027, 4, 1), last_day=date(2028, 3, 30), successor="S12000030"
    )
    monkeypatch.setattr(rules, "AUTHORITIES", AUTHORITIES | {"S12000005": one})
    if known:
        check_in_force("S12000005", time)
    else:
        words = "its first day is 2027-04-01, its last day is 2028-03-30, what came after belongs to S12000030"
        with pytest.raises(Unacceptable, match=words) as found:
            check_in_force("S12000005", time)
        assert (found.value.reason, found.value.path) == (Reason.WRONG_AUTHORITY, "$.time")
    check_in_force("S12000036", time)
    check_in_force("of no list", time)


@pytest.mark.parametrize(("life", "before", "after"), [("first_day", False, True), ("last_day", True, False)])
def test_one_that_only_began_or_only_ended_is_held_to_that_day(
    life: str, before: bool, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = structs.replace(AUTHORITIES["S12000005"], **{life: date(2027, 4, 1)})
    monkeypatch.setattr(rules, "AUTHORITIES", AUTHORITIES | {"S12000005": one})
    for time, known in ((NOON.replace(year=2026), before), (NOON.replace(year=2028), after)):
        if known:
            check_in_force("S12000005", time)
        else:
            with pytest.raises(Unacceptable, match=f"its {life.replace('_', ' ')} is 2027-04-01$"):
                check_in_force("S12000005", time)
