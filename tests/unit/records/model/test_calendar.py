"""Working days, held against counting the days one by one."""

import sys
from collections.abc import Callable
from datetime import date, timedelta
from types import FrameType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.records.model import calendar as ours
from services.records.model.calendar import Calendar

DAY = timedelta(days=1)
NEAR = st.dates(date(2024, 12, 1), date(2025, 3, 1))
CLOSED = st.frozensets(st.dates(date(2024, 12, 1), date(2025, 3, 1)), max_size=25)


def is_working(day: date, closed: frozenset[date]) -> bool:
    return day.weekday() < 5 and day not in closed


def days_between(start: date, end: date) -> list[date]:
    """Return the days after the start up to and including the end."""
    return [start + number * DAY for number in range(1, (end - start).days + 1)]


@given(NEAR, NEAR, CLOSED)
def test_working_days_are_counted_one_by_one_in_both_directions(
    start: date, end: date, closed: frozenset[date]
) -> None:
    calendar = Calendar("test", closed)
    first, last = sorted((start, end))
    number = sum(is_working(day, closed) for day in days_between(first, last))
    assert calendar.working_days(first, last) == number
    assert calendar.working_days(last, first) == -number


@given(NEAR, st.integers(1, 40), CLOSED)
def test_some_working_days_later_is_the_first_day_by_which_so_many_have_passed(
    start: date, number: int, closed: frozenset[date]
) -> None:
    found = Calendar("test", closed).after(start, number)
    passed = [day for day in days_between(start, found) if is_working(day, closed)]
    assert len(passed) == number
    assert passed[-1] == found


@given(NEAR, CLOSED)
def test_no_working_day_later_is_the_same_day(start: date, closed: frozenset[date]) -> None:
    assert Calendar("test", closed).after(start, 0) == start


@given(NEAR, NEAR, CLOSED)
def test_closed_weekdays_are_those_between(start: date, end: date, closed: frozenset[date]) -> None:
    wanted = [day for day in days_between(start, end) if day in closed and day.weekday() < 5]
    assert Calendar("test", closed).closed_weekdays(start, end) == wanted


@given(NEAR, NEAR, CLOSED, CLOSED)
def test_closed_days_of_an_authority_are_added_to_those_of_all(
    start: date, end: date, of_all: frozenset[date], own: frozenset[date]
) -> None:
    calendar = Calendar("all", of_all).without(own, "own")
    assert calendar == Calendar("own", of_all | own)
    assert calendar.working_days(start, end) == Calendar("own", of_all | own).working_days(start, end)


def lines_run(work: Callable[[], object]) -> int:
    """Return how many lines of the calendar's code a call runs."""
    number = 0

    def look(frame: FrameType, event: str, _: object) -> Any:
        nonlocal number
        number += event == "line" and frame.f_code.co_filename == ours.__file__
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        work()
    finally:
        sys.settrace(before)
    return number


def test_an_authority_that_closes_every_day_makes_no_more_work_than_one_that_closes_none() -> None:
    every = frozenset(date(2011, 1, 1) + number * DAY for number in range(18_000))
    open_, shut = (Calendar("test", closed) for closed in (frozenset[date](), every))
    assert shut.after(date(2025, 3, 3), 5) == date(2011, 1, 1) + 18_000 * DAY + 6 * DAY
    assert lines_run(lambda: shut.after(date(2025, 3, 3), 5)) == lines_run(lambda: open_.after(date(2025, 3, 3), 5)) > 0
