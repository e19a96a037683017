"""Every cell of a few orders' unpaid work, counted by hand; and what is outstanding ends at nothing."""

from datetime import date

from contracts.codes import Activity, AdjustmentReason, Attendance, EndReason, WorkType
from contracts.events import Fact, HoursAdjusted, OrderEnded, PeriodClosed, SessionRecorded, WorkCompleted
from services.records.model.bank_holidays import scotland
from services.unpaid_work.domain import domain
from tests.support.lives import imposed, record

WORK = domain(scotland())
IMPOSED = imposed(date(2025, 3, 3))
MARCH, APRIL, MAY = (date(2025, month, 1) for month in (3, 4, 5))
ENDED = OrderEnded(ended_on=date(2025, 5, 20), reason=EndReason.COMPLETED)
CLOCKS = {"induction", "placement"}
"""They have tests of their own."""
Counted = dict[tuple[str, date, str], int]


def session(ref: str, on: date, minutes: int, activity: Activity = Activity.UNPAID_WORK) -> SessionRecorded:
    attended = Attendance.ATTENDED if minutes else Attendance.ABSENT_UNACCEPTABLE
    return SessionRecorded(
        ref=ref,
        session_on=on,
        attendance=attended,
        activity=activity,
        work_type=WorkType.GARDENING,
        minutes_credited=minutes,
    )


def cells(*told: Fact) -> Counted:
    return {
        cell: number
        for cell, number in WORK.contributions(record(*told)).items()
        if cell[0] not in CLOCKS and not cell[0].startswith(("pending_", "awaited_")) and number
    }


ORDERED: Counted = {("minutes_outstanding_opened", MARCH, ""): 6000}
WORKED: Counted = {
    ("sessions", APRIL, ""): 1,
    ("sessions", APRIL, "attendance=attended"): 1,
    ("minutes_credited", APRIL, ""): 360,
    ("minutes_credited", APRIL, "activity=unpaid_work"): 360,
    ("minutes_credited", APRIL, "work_type=gardening"): 360,
}


def test_an_order_that_was_not_begun() -> None:
    assert cells(IMPOSED) == ORDERED


def test_a_session() -> None:
    assert cells(IMPOSED, session("s1", date(2025, 4, 8), 360)) == ORDERED | WORKED | {
        ("minutes_outstanding_closed", APRIL, ""): 360
    }


def test_a_session_of_an_order_that_nobody_has_imposed_credits_and_leaves_nothing_outstanding() -> None:
    found = cells(session("s1", date(2025, 4, 8), 360))
    assert {cell: number for cell, number in found.items() if cell[0] != "findings"} == WORKED


def test_a_session_that_nobody_came_to() -> None:
    assert cells(IMPOSED, session("s1", date(2025, 4, 8), 0)) == ORDERED | {
        ("sessions", APRIL, ""): 1,
        ("sessions", APRIL, f"attendance={Attendance.ABSENT_UNACCEPTABLE}"): 1,
    }


def test_an_adjustment_is_credit_without_a_session() -> None:
    adjusted = HoursAdjusted(ref="a1", adjusted_on=date(2025, 4, 9), minutes=-120, reason=AdjustmentReason.CORRECTION)
    assert cells(IMPOSED, session("s1", date(2025, 4, 8), 360), adjusted) == ORDERED | WORKED | {
        ("minutes_credited", APRIL, ""): 240,
        ("minutes_credited", APRIL, "activity=adjustment"): -120,
        ("minutes_outstanding_closed", APRIL, ""): 240,
    }


def by_month(found: Counted, measure: str) -> dict[date, int]:
    return {month: number for (name, month, category), number in found.items() if (name, category) == (measure, "")}


def test_an_order_that_ended_has_nothing_outstanding_however_much_was_done() -> None:
    sessions = [session("s1", date(2025, 4, 8), 360), session("s2", date(2025, 5, 6), 60)]
    for done in range(3):
        found = cells(IMPOSED, *sessions[:done], ENDED)
        closed, credited = by_month(found, "minutes_outstanding_closed"), by_month(found, "minutes_credited")
        assert by_month(found, "minutes_outstanding_opened") == {MARCH: 6000}
        assert sum(closed.values()) == 6000
        assert closed.get(APRIL, 0) == credited.get(APRIL, 0), "before the end, what was credited"


def test_work_that_was_completed() -> None:
    found = cells(IMPOSED, session("s1", date(2025, 4, 8), 360), WorkCompleted(completed_on=date(2025, 5, 6)))
    completed = {cell: number for cell, number in found.items() if cell[0].startswith("unpaid_work")}
    assert completed == {
        ("unpaid_work_completed", MAY, "class=within_period"): 1,
        ("unpaid_work_completed", MAY, "level=1"): 1,
        ("unpaid_work_completed", MAY, "days_band=to_3_months"): 1,
        ("unpaid_work_days", MAY, ""): 64,
        ("unpaid_work_days", MAY, "level=1"): 64,
    }


def test_an_authoritys_own_total_is_that_of_this_service() -> None:
    closed = PeriodClosed(month="2025-03", orders_imposed=3, orders_ended=2, minutes_credited=600)
    assert cells(closed) == {("control_totals", MARCH, "total=minutes_credited"): 600}
