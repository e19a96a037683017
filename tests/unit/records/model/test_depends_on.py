"""A number is explained fact by fact: without a fact, the record counts less by the cells that depend on it."""

from datetime import date

import msgspec
import pytest

from contracts.codes import Activity, AdjustmentReason, Attendance, EndReason, WorkType
from contracts.events import (
    CaseMeetingHeld,
    ContactMade,
    FactWithdrawn,
    HoursAdjusted,
    OrderEnded,
    SessionRecorded,
    WorkCompleted,
)
from services.orders.contributions import COUNTING as ORDERS
from services.records.model.calendar import Calendar
from services.records.model.counting import Counted, Counting, merge
from services.records.model.deadlines import Cells
from services.records.model.record import Record
from services.records.model.summary import Standing, summary
from services.unpaid_work.contributions import COUNTING as UNPAID_WORK
from services.unpaid_work.ledger import credit_of
from tests.support.lives import imposed, record

CALENDAR = Calendar("test", frozenset())
START = date(2025, 3, 3)
WHOLE = record(
    imposed(START),
    ContactMade(made_on=date(2025, 3, 5)),
    CaseMeetingHeld(held_on=date(2025, 3, 6)),
    WorkCompleted(completed_on=date(2025, 5, 1)),
    OrderEnded(ended_on=date(2025, 6, 1), reason=EndReason.COMPLETED),
    *(
        SessionRecorded(
            ref=f"s{day}",
            session_on=date(2025, 4, day),
            attendance=Attendance.ATTENDED,
            activity=Activity.OTHER_ACTIVITY if day == 3 else Activity.UNPAID_WORK,
            work_type=WorkType.GARDENING,
            minutes_credited=60 * day,
        )
        for day in (1, 2, 3)
    ),
    HoursAdjusted(ref="a1", adjusted_on=date(2025, 4, 9), minutes=-30, reason=AdjustmentReason.TRAVEL),
)


def without_zero(cells: Cells) -> Cells:
    return {cell: value for cell, value in cells.items() if value}


@pytest.mark.parametrize("counting", [ORDERS, UNPAID_WORK], ids=["orders", "unpaid work"])
def test_what_depends_on_a_fact_is_what_the_record_counts_less_without_it(counting: Counting[object]) -> None:
    found = 0
    for key in WHOLE:
        rest = {name: entry for name, entry in WHOLE.items() if name != key}
        less = dict(counting.contributions(WHOLE, CALENDAR))
        merge(less, counting.contributions(rest, CALENDAR), -1)
        depending = counting.depends_on(WHOLE, key, CALENDAR)
        assert without_zero(depending) == without_zero(less)
        found += bool(without_zero(depending))
    assert found >= 4


def test_the_counting_of_one_measure_counts_it_as_the_whole_does_and_no_sessions_beside_it() -> None:
    whole = UNPAID_WORK.contributions(WHOLE, CALENDAR)
    for measure in ("unpaid_work_completed", "sessions"):
        counting = UNPAID_WORK.of_measure(measure)
        of_it = {cell: value for cell, value in whole.items() if cell[0] == measure}
        cells = counting.contributions(WHOLE, CALENDAR)
        assert of_it == {cell: value for cell, value in cells.items() if cell[0] == measure}
        assert bool(of_it)
    completed = UNPAID_WORK.of_measure("unpaid_work_completed")
    assert "sessions" not in {measure for measure, _, _ in completed.contributions(WHOLE, CALENDAR)}


def test_cells_are_added_and_taken_away() -> None:
    one, two = ("sessions", START, ""), ("sessions", START, "attendance=attended")
    total: Cells = {one: 2}
    merge(total, {one: 3, two: 1})
    merge(total, {two: 4}, -1)
    assert total == {one: 5, two: -3}


def test_credit_is_told_by_activity() -> None:
    assert credit_of(WHOLE) == {Activity.UNPAID_WORK: 180, Activity.OTHER_ACTIVITY: 180, "adjustment": -30}


def test_a_summary_holds_what_was_ordered_and_credited_so_far() -> None:
    standing = msgspec.json.decode(summary(counted(WHOLE)).standing or b"", type=Standing)
    assert standing.minutes == (6_000, 330)
    withdrawn = summary(counted(record(FactWithdrawn(fact="order"))))
    assert msgspec.json.decode(withdrawn.standing or b"", type=Standing) == Standing(withdrawn=True)
    assert (withdrawn.imposed_on, withdrawn.next_due, withdrawn.counts_from) == (None, None, None)


def counted(found: Record) -> Counted:
    return UNPAID_WORK.counted(found, CALENDAR)
