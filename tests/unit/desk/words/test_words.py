"""Pages describe one order and its hours: due dates, ledgers, capacity, labels, and a year's workbook."""

import math
from datetime import UTC, date, datetime
from fractions import Fraction
from io import BytesIO
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook

from services.chassis.web import words
from services.desk import workbook
from services.desk.files import as_xlsx
from services.desk.model.hours import Capacity
from services.desk.model.orders import Clock, Fact, HoursStep, Ledger, NotCounted
from services.desk.model.returns import Agreement, Reconciliation, ReturnTable, YearlyReport
from services.desk.pages.returns import reports_up_to, years_up_to
from services.desk.words.capacity import foreseen, weeks_to_clear
from services.desk.words.deadlines import why
from services.desk.words.ledger import ledger_of

MONDAY = date(2026, 11, 23)


def clock(limit: int, unit: str, due_on: date, standard: str = "case_meeting", **more: Any) -> Clock:
    return Clock(standard, "", limit, unit, "due", MONDAY, due_on, None, None, "", True, "", **more)


def test_why_a_duty_is_due_when_it_is() -> None:
    holiday = NotCounted(date(2026, 11, 30), "St. Andrew's Day")
    assert why(clock(5, "working days", date(2026, 12, 1), not_counted=[holiday])) == (
        "5 working days from 23 November 2026; 30 November (St. Andrew's Day) was no working day"
    )
    two = [NotCounted(date(2026, 12, 25), "Christmas Day"), NotCounted(date(2026, 12, 28), "Boxing Day")]
    assert why(clock(20, "working days", date(2026, 12, 23), not_counted=two)).endswith(
        "; 25 December (Christmas Day) and 28 December (Boxing Day) were no working days"
    )
    assert why(clock(1, "working days", date(2026, 11, 24))) == "1 working day from 23 November 2026"
    assert why(clock(6, "months", date(2027, 5, 23), "review")) == "6 months from 23 November 2026"
    assert why(clock(6, "months", date(2027, 11, 23), "review")) == "every 6 months from 23 November 2026"


def fact(key: str, **data: Any) -> Fact:
    return Fact(key, key, datetime(2026, 1, 1, tzinfo=UTC), False, data)


def test_a_ledger_says_what_is_left_after_each_entry() -> None:
    session = {"attendance": "attended", "activity": "unpaid_work", "work_type": "gardening"}
    facts = [
        fact("session/b", session_on="2026-02-02", minutes_credited=390, **session),
        fact(
            "session/a",
            session_on="2026-01-05",
            minutes_credited=0,
            attendance="absent_unacceptable",
            activity="unpaid_work",
        ),
        fact("adjustment/x", adjusted_on="2026-02-03", minutes=-30, reason="travel"),
        fact("placement", started_on="2026-01-05"),
        Fact("session/c", "c", datetime(2026, 1, 1, tzinfo=UTC), True, None),
    ]
    steps = [HoursStep(date(2026, 1, 1), 100), HoursStep(date(2026, 2, 2), -20)]
    lines = ledger_of(Ledger("CPO/1", steps, 80, 6, {}, 74, None, None, [], [], [], facts))
    assert [(line.on.day, line.hours, line.left) for line in lines] == [
        (1, 100, 100), (5, 0, 100), (2, -20, 80), (2, 6.5, 73.5), (3, -0.5, 74),
    ]  # fmt: skip
    assert lines[-1].left == 74
    assert lines[3].what == "Unpaid work, gardening and grounds"


def held(outstanding: float, credited: float, since: date = date(2026, 8, 1)) -> Capacity:
    due = {"2026-11": 100.0, "2027-01": 300.0}
    return Capacity(date(2026, 11, 26), since, date(2026, 10, 31), 13, 10, outstanding, credited, 50.0, due)


def test_capacity_is_weeks_to_clear_and_what_is_left_by_month() -> None:
    assert weeks_to_clear(held(1000, 100)) == 10
    assert weeks_to_clear(held(1001, 100)) == 11
    assert weeks_to_clear(held(1000, 0)) is None
    months = foreseen(held(1000, 100)).months
    assert [(month.name, round(month.left), month.due) for month in months] == [
        ("November 2026", 943, 100), ("December 2026", 500, 100), ("January 2027", 57, 400), ("February 2027", 0, 400),
    ]  # fmt: skip
    assert foreseen(held(1000, 0)).months == []
    assert "there is no forecast" in foreseen(held(1000, 0)).sentence


@given(st.integers(0, 5_400_000), st.integers(1, 1_500_000), st.integers(1, 92))
@example(5_084_842, 4, 46)
@example(3_500_182, 1, 52)
def test_weeks_are_worked_out_from_minutes_as_they_are(outstanding: int, credited: int, days: int) -> None:
    """Whoever divides the hours shown finds them too, as far as two decimals reach."""
    pace = Fraction(credited * 7, 60 * days)
    exact = held(outstanding / 60, float(pace))
    weeks = weeks_to_clear(exact)
    assert weeks == math.ceil(Fraction(outstanding, 60) / pace)
    shown = [Fraction(words.hours(hours).replace(",", "")) for hours in (exact.hours_outstanding, float(pace))]
    near = Fraction(1, 200)
    assert math.ceil((shown[0] - near) / (shown[1] + near)) <= weeks
    if shown[1] > near:
        assert weeks <= math.ceil((shown[0] + near) / (shown[1] - near))


def test_a_tenth_of_an_hour_is_much_in_a_small_place() -> None:
    pace = 62.5 / 92 * 7
    assert [weeks_to_clear(held(hours, pace)) for hours in (2195, 2072.5)] == [462, 436]
    assert round(foreseen(held(2072.5, pace)).months[11].left) == 1842, "at the end of October 2027"
    tiles = [tile.number for tile in foreseen(held(2072.5, pace)).tiles]
    assert tiles == ["2,072.5", "4.76", "436"]


def test_the_pace_is_said_with_its_days_and_why_those() -> None:
    capacity = foreseen(held(1696, 5.3))
    assert "the 92 days to 31 October 2026, 5.3 hours a week, the hours outstanding take 320 weeks" in capacity.sentence
    assert "In the 13 weeks to 31 October 2026 courts ordered 50 hours a week" in capacity.sentence
    assert (
        "from 1 August 2026: no day before the first hours credited is among them. The current month" in capacity.basis
    )
    late = foreseen(held(1696, 5.3, since=date(2026, 10, 20)))
    assert late.tiles[1].note == "in the 12 days to 31 October 2026"


@pytest.mark.parametrize(
    ("count", "said"),
    [(4.25, "4.25"), (38.5, "38.5"), (1200, "1,200"), (0, "0"), (1 / 3, "0.33"), (10.999, "11"), (-4.25, "-4.25")],
)
def test_hours_have_the_decimals_that_they_have(count: float, said: str) -> None:
    """People work quarters of an hour, and a ledger that shows tenths does not add up."""
    assert words.hours(count) == said


def test_what_runs_is_offered_first_and_said_to_be_so_far() -> None:
    offered = reports_up_to(date(2026, 11, 27))
    assert [one.label for one in offered] == [
        *("2026-Q4", "2026-Q3", "2026-Q2", "2026-Q1", "2025-Q4"),
        *("2026-27", "2025-26", "2024-25", "2023-24"),
    ]
    assert [one.label for one in offered if one.so_far] == ["2026-Q4", "2026-27"]
    assert [one.months for one in offered if one.label in {"2026-Q3", "2025-26"}] == [
        "July to September 2026",
        "April 2025 to March 2026",
    ]
    assert [one.label for one in years_up_to(date(2027, 3, 31)) if one.so_far] == ["2026-27"]


def test_days_of_a_return_are_days() -> None:
    """A filter by month does nothing with text; a reference that looks like one stays text."""
    (row,) = workbook.of_units("cpo", "order_reference,imposed_on,ended_on\nCPO/1-2026-11-13,2026-11-13,\n").rows
    assert row == ["CPO/1-2026-11-13", date(2026, 11, 13), None]


def test_a_years_workbook_has_readable_sheets() -> None:
    units = {"cpo": "order_reference,hours\nCPO/1,100\n=x,\n", "unpaid-work": "order_reference\nCPO/1\n"}
    tables = {
        "Tables of orders": YearlyReport("", [ReturnTable("t1", "Orders by sex", "orders", {"": 2, "sex=male": 1})])
    }
    checks = [Reconciliation("2025-26", False, [Agreement("Orders", "orders_imposed", "sex=male", 1, 2, False)])]
    book = load_workbook(BytesIO(as_xlsx(*workbook.sheets("2025-26", "Fife", units, tables, checks))))
    assert book.sheetnames == [
        "About",
        "Orders, one a row",
        "Unpaid work, one a row",
        "Tables of orders",
        "Reconciliation",
    ]
    rows = {name: [[cell.value for cell in row] for row in book[name].iter_rows()] for name in book.sheetnames}
    assert rows["Orders, one a row"] == [["Order reference", "Hours"], ["CPO/1", 100], ["=x", None]]
    assert rows["Tables of orders"][1:] == [
        ["Orders by sex", "Total", 2, "orders"],
        ["Orders by sex", "Sex: Male", 1, "orders"],
    ]
    assert rows["Reconciliation"][1] == ["Orders", "Sex: Male", 1, 2, "DIFFERS"]
