"""Clocks against cases written by hand with a paper calendar in front of one. `working_days.csv` is the reference for bank holidays."""

import csv
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from contracts.codes import LateReason
from contracts.periods import add_months
from services.orders.rules import reviews_due
from services.records.model.bank_holidays import scotland
from services.records.model.calendar import Calendar
from services.records.model.deadlines import Cells, Clocked, Stop, from_imposition
from services.records.model.standards import ROWS, in_force
from tests.support.lives import Plain

REFERENCE = Path(__file__).parents[2] / "reference" / "working_days.csv"
SCOTLAND = scotland()
LOCAL = SCOTLAND.without([date(2025, 9, 22), date(2025, 12, 24)], "test")
"""With a local holiday Monday, and closed on Christmas Eve."""


def day(text: str) -> date:
    return date.fromisoformat(text)


def bank_holidays() -> list[date]:
    with REFERENCE.open() as file:
        return [day(one) for row in csv.DictReader(file) for one in row["weekday_bank_holidays_scotland"].split()]


# imposed, done, band. 2025: 3 March is a Monday.
BANDS = {
    "first_contact": [
        ("2025-03-03", "2025-03-03", "within_1"),  # on the day itself
        ("2025-03-03", "2025-03-04", "within_1"),  # edge: 1
        ("2025-03-03", "2025-03-05", "2_to_5"),
        ("2025-03-03", "2025-03-10", "2_to_5"),  # edge: 5, over a weekend
        ("2025-03-03", "2025-03-11", "over_5"),
        ("2025-03-07", "2025-03-08", "within_1"),  # Friday to Saturday: no working day has passed
        ("2025-03-07", "2025-03-10", "within_1"),  # Friday to Monday
        ("2025-03-07", "2025-03-11", "2_to_5"),
        ("2025-03-08", "2025-03-10", "within_1"),  # imposed on a Saturday
        ("2025-03-09", "2025-03-10", "within_1"),  # imposed on a Sunday
        ("2025-04-17", "2025-04-21", "within_1"),  # Good Friday between; Easter Monday is no bank holiday here
        ("2025-04-17", "2025-04-22", "2_to_5"),
        ("2024-12-31", "2025-01-03", "within_1"),  # both New Year holidays between
        ("2024-12-31", "2025-01-06", "2_to_5"),
    ],
    "case_meeting": [
        ("2025-03-03", "2025-03-10", "within_5"),
        ("2025-03-03", "2025-03-11", "6_to_10"),
        ("2025-03-03", "2025-03-17", "6_to_10"),
        ("2025-03-03", "2025-03-18", "over_10"),
        ("2025-12-22", "2025-12-31", "within_5"),  # Christmas and Boxing Day between
        ("2025-12-22", "2026-01-05", "6_to_10"),
        ("2024-02-26", "2024-03-04", "within_5"),  # 29 February is a working day like any other
        ("2023-02-27", "2023-03-06", "within_5"),
        ("2025-03-08", "2025-03-14", "within_5"),  # imposed on a Saturday
        ("2025-03-08", "2025-03-15", "within_5"),  # held on a Saturday: as long as to the Friday
        ("2025-03-08", "2025-03-17", "6_to_10"),
        ("2025-03-09", "2025-03-21", "6_to_10"),
        ("2025-03-09", "2025-03-24", "over_10"),
    ],
    "induction": [
        ("2025-03-03", "2025-03-10", "within_5"),
        ("2025-03-03", "2025-03-11", "6_to_10"),
        ("2025-03-03", "2025-03-17", "6_to_10"),
        ("2025-03-03", "2025-03-18", "over_10"),
        ("2025-08-01", "2025-08-11", "within_5"),  # the August holiday between
        ("2025-08-01", "2025-08-12", "6_to_10"),
        ("2025-03-08", "2025-03-14", "within_5"),
        ("2025-03-08", "2025-03-17", "6_to_10"),
        ("2024-02-26", "2024-03-04", "within_5"),  # over 29 February and the end of a month
        ("2024-02-26", "2024-03-05", "6_to_10"),
    ],
    "placement": [
        ("2025-03-03", "2025-03-12", "within_7"),
        ("2025-03-03", "2025-03-13", "to_3_weeks"),
        ("2025-03-03", "2025-03-24", "to_3_weeks"),  # edge: 21 days
        ("2025-03-03", "2025-03-25", "to_1_month"),
        ("2025-03-03", "2025-04-03", "to_1_month"),  # edge: the same day of the next month
        ("2025-03-03", "2025-04-04", "to_2_months"),
        ("2025-03-03", "2025-05-03", "to_2_months"),
        ("2025-03-03", "2025-05-04", "over_2_months"),
        ("2025-01-31", "2025-02-28", "to_1_month"),  # the last day stands in for 31 February
        ("2025-01-31", "2025-03-01", "to_2_months"),
        ("2024-01-31", "2024-02-29", "to_1_month"),  # in a leap year it is the 29th
        ("2024-01-31", "2024-03-01", "to_2_months"),
        ("2024-02-29", "2024-03-29", "to_1_month"),
        ("2025-12-31", "2026-02-28", "to_2_months"),
        ("2025-12-31", "2026-03-01", "over_2_months"),
        ("2025-03-08", "2025-03-18", "within_7"),  # imposed on a Saturday
        ("2025-03-08", "2025-03-19", "to_3_weeks"),
        ("2025-03-05", "2025-03-15", "within_7"),  # started on a Saturday: as long as to the Friday
        ("2025-12-19", "2026-01-05", "within_7"),  # four bank holidays between
        ("2025-12-19", "2026-01-06", "to_3_weeks"),
        ("2025-12-19", "2026-01-09", "to_3_weeks"),
        ("2025-12-19", "2026-01-10", "to_1_month"),
    ],
    "plan": [
        ("2025-03-03", "2025-03-31", "within_20"),
        ("2025-03-03", "2025-04-01", "over_20"),
        ("2025-04-14", "2025-05-14", "within_20"),  # Good Friday and the May holiday between
        ("2025-04-14", "2025-05-15", "over_20"),
        ("2025-03-08", "2025-04-05", "within_20"),  # from a Saturday to a Saturday
        ("2025-03-08", "2025-04-07", "over_20"),
        ("2024-02-05", "2024-03-04", "within_20"),  # over 29 February
        ("2024-02-05", "2024-03-05", "over_20"),
    ],
}  # fmt: skip


def waiting(name: str, imposed: date, due: date) -> Cells:
    """Return what counts while it waits: by the day due, and by how many months before that the order was imposed."""
    before = f"months_before={(due.year - imposed.year) * 12 + due.month - imposed.month}"
    return {(f"pending_{name}", due, ""): 1, (f"awaited_{name}", due, before): 1}


def cells_of(name: str, order: Clocked, stop: Stop | None, calendar: Calendar = SCOTLAND) -> Cells:
    return dict(from_imposition(name, order, stop, calendar).cells)


@pytest.mark.parametrize(
    ("name", "imposed", "done", "band"), [(name, *case) for name, cases in BANDS.items() for case in cases]
)
def test_every_edge_of_every_band(name: str, imposed: str, done: str, band: str) -> None:
    start = day(imposed)
    expected: Cells = {(name, start.replace(day=1), f"band={band}"): 1}
    assert cells_of(name, Plain(start), Stop(day(done), None)) == expected
    if band != BANDS[name][0][2]:
        expected[name, start.replace(day=1), "reason=ill"] = 1
    assert cells_of(name, Plain(start), Stop(day(done), LateReason.ILL)) == expected


def test_the_hand_written_cases_reach_every_band() -> None:
    for name, cases in BANDS.items():
        standard = in_force(name, date(2025, 1, 1))
        assert {band for _, _, band in cases} == {band.name for band in standard.bands} | {standard.over}


@pytest.mark.parametrize("holiday", bank_holidays(), ids=str)
def test_no_bank_holiday_is_a_working_day(holiday: date) -> None:
    before = next(
        d for n in range(1, 9) if SCOTLAND.working_days((d := holiday - timedelta(days=n)) - timedelta(days=1), d)
    )
    after = next(
        d for n in range(1, 9) if SCOTLAND.working_days((d := holiday + timedelta(days=n)) - timedelta(days=1), d)
    )
    assert holiday.weekday() < 5
    assert SCOTLAND.working_days(holiday - timedelta(days=1), holiday) == 0
    assert SCOTLAND.working_days(before, after) == 1
    assert SCOTLAND.after(before, 1) == after
    month = before.replace(day=1)
    on_time = cells_of("first_contact", Plain(before), Stop(after, None))
    assert on_time == {("first_contact", month, "band=within_1"): 1}
    late = cells_of("first_contact", Plain(before), Stop(SCOTLAND.after(after, 1), None))
    assert late == {("first_contact", month, "band=2_to_5"): 1}
    assert cells_of("first_contact", Plain(before), None) == waiting("first_contact", before, after)


def test_the_reference_years_have_no_other_closed_weekdays() -> None:
    reference = set(bank_holidays())
    years = {one.year for one in reference}
    assert {d for d in SCOTLAND.closed if d.year in years and d.weekday() < 5} == reference


@pytest.mark.parametrize(
    ("imposed", "done", "with_local", "without"),
    [
        ("2025-09-19", "2025-09-23", "within_1", "2_to_5"),  # the local Monday holiday between
        ("2025-09-19", "2025-09-24", "2_to_5", "2_to_5"),
        ("2025-12-23", "2025-12-29", "within_1", "2_to_5"),  # Christmas Eve too
    ],
)
def test_local_closed_days(imposed: str, done: str, with_local: str, without: str) -> None:
    for calendar, band in ((LOCAL, with_local), (SCOTLAND, without)):
        cells = cells_of("first_contact", Plain(day(imposed)), Stop(day(done), None), calendar)
        assert list(cells) == [("first_contact", day(imposed).replace(day=1), f"band={band}")]


@pytest.mark.parametrize(
    ("name", "with_local", "without"),
    [
        ("first_contact", "2025-09-23", "2025-09-22"),
        ("case_meeting", "2025-09-29", "2025-09-26"),
        ("induction", "2025-09-29", "2025-09-26"),
        ("placement", "2025-10-01", "2025-09-30"),
        ("plan", "2025-10-20", "2025-10-17"),
    ],
)
def test_a_local_closed_day_moves_what_is_due(name: str, with_local: str, without: str) -> None:
    order = Plain(date(2025, 9, 19))
    assert cells_of(name, order, None, LOCAL) == waiting(name, order.imposed_on, day(with_local))
    assert cells_of(name, order, None, SCOTLAND) == waiting(name, order.imposed_on, day(without))


@pytest.mark.parametrize(
    ("name", "imposed", "due"),
    [
        ("first_contact", "2025-03-07", "2025-03-10"),
        ("first_contact", "2025-04-17", "2025-04-21"),
        ("case_meeting", "2025-12-22", "2025-12-31"),
        ("induction", "2025-08-01", "2025-08-11"),
        ("placement", "2025-03-03", "2025-03-12"),
        ("plan", "2025-04-14", "2025-05-14"),
    ],
)
def test_what_is_not_done_is_pending_on_its_due_date(name: str, imposed: str, due: str) -> None:
    pending = waiting(name, day(imposed), day(due))
    late = day(due) + timedelta(days=1)
    settled: Cells = {(name, day(imposed).replace(day=1), "not_applicable"): 1}
    assert cells_of(name, Plain(day(imposed)), None) == pending
    missed: Cells = {(name, day(imposed).replace(day=1), "missed"): 1}
    assert cells_of(name, Plain(day(imposed), ended_on=late), None) == missed
    assert cells_of(name, Plain(day(imposed), ended_on=day(due)), None) == settled  # ended on or before the due date


@pytest.mark.parametrize("name", BANDS)
def test_what_is_dated_before_the_imposition_meets_nothing(name: str) -> None:
    for done in (date(2024, 3, 3), date(2025, 3, 2)):
        assert cells_of(name, Plain(date(2025, 3, 3)), Stop(done, None)) == {}
        assert cells_of(name, Plain(date(2025, 3, 3)), Stop(done, LateReason.ILL)) == {}


def test_not_applicable() -> None:
    start = date(2025, 3, 3)
    settled: Cells = {("plan", date(2025, 3, 1), "not_applicable"): 1}
    for order, stop in (
        (Plain(start, excluded=True), None),
        (Plain(start, excluded=True), Stop(date(2025, 9, 1), None)),
        (Plain(start), Stop(date(2025, 9, 1), LateReason.COULD_NOT_COMPLY)),
        (Plain(start), Stop(date(2025, 3, 4), LateReason.TRANSFERRED_IN)),
    ):
        assert cells_of("plan", order, stop) == settled


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2025-01-31", 1, "2025-02-28"), ("2024-01-31", 1, "2024-02-29"), ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"), ("2025-08-31", 6, "2026-02-28"), ("2025-11-30", 3, "2026-02-28"),
        ("2025-12-15", 1, "2026-01-15"), ("2025-03-31", 3, "2025-06-30"),
    ],
)  # fmt: skip
def test_calendar_months(start: str, months: int, end: str) -> None:
    assert add_months(day(start), months) == day(end)


@pytest.mark.parametrize(
    ("imposed", "months", "ended", "dues"),
    [
        ("2025-03-31", 6, None, ["2025-06-30", "2025-09-30"]),
        ("2025-03-31", 24, None, ["2025-06-30", "2025-09-30", "2026-03-31", "2026-09-30", "2027-03-31"]),
        ("2025-03-31", 24, "2026-03-31", ["2025-06-30", "2025-09-30"]),  # none falls due on the day it ends
        ("2025-03-31", 2, None, []),
    ],
)
def test_reviews_fall_due(imposed: str, months: int, ended: str | None, dues: list[str]) -> None:
    last = add_months(day(imposed), months)
    assert reviews_due(day(imposed), last, day(ended) if ended else None) == [day(due) for due in dues]


def test_the_rows_of_a_standard_follow_each_other_without_a_gap() -> None:
    for name, variant in {(row.name, row.variant) for row in ROWS}:
        rows = [row for row in ROWS if (row.name, row.variant) == (name, variant)]
        for row, after in pairwise(rows):
            assert row.until is not None
            assert after.since == row.until + timedelta(days=1)
            assert in_force(name, row.until, variant) is row
            assert in_force(name, after.since, variant) is after
        assert rows[-1].until is None


@pytest.mark.parametrize(
    ("level", "begun", "closed", "due"),
    [
        (1, "2019-11-30", None, "2021-02-28"),  # 3 months and 12 more
        (2, "2019-11-30", None, "2021-05-30"),
        (1, "2020-04-06", None, "2021-07-06"),  # the last day before the law
        (1, "2020-04-07", None, "2021-04-07"),  # 12 months in all, at either level
        (2, "2020-04-07", None, "2021-04-07"),
        (1, "2022-09-30", None, "2023-09-30"),  # its last day
        (1, "2022-10-01", None, "2023-01-01"),
        (2, "2022-10-01", None, "2023-04-01"),
        (1, "2020-01-15", "2020-04-06", "2020-04-15"),  # closed before the law came
        (1, "2020-01-15", "2020-04-07", "2021-04-15"),  # on the day itself it was open
    ],
)
def test_the_law_gave_more_time_for_a_time(level: int, begun: str, closed: str | None, due: str) -> None:
    standard = in_force("completion", day(begun), f"level {level}")
    assert standard.due(day(begun), day(closed) if closed else None, SCOTLAND) == day(due)


def test_every_standard_says_whence_it_comes() -> None:
    for row in ROWS:
        assert row.source
        assert row.extension is None or row.extension.source
        assert row.verified == ("not verified" not in row.source and "set by this platform" not in row.source)


def test_orders_with_the_same_days_share_a_clock_and_calendars_do_not() -> None:
    """What was counted by a calendar counts for an equal one, and not for one of the same name with other closed days."""
    monday, tuesday = date(2024, 3, 4), date(2024, 3, 5)
    for stop in (None, Stop(date(2024, 3, 12), None)):
        clock = [
            from_imposition("first_contact", Plain(monday), stop, Calendar("one name", frozenset(closed)))
            for closed in ([], [tuesday], [])
        ]
        assert clock[0] is clock[2]
        assert clock[0] != clock[1]
