"""The forecast, on days that can be counted on paper."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.records.model.bank_holidays import scotland
from services.unpaid_work.ledger import forecast, is_too_early, will_be_in_time

CALENDAR = scotland()
MONDAY = date(2025, 3, 3)
FRIDAY = date(2025, 3, 14)
"""Nine working days later."""
DEADLINE = date(2025, 6, 3)


@pytest.mark.parametrize(
    ("ordered", "credited", "deadline", "done_on", "in_time"),
    [
        (100, 45, DEADLINE, "2025-03-31", True),  # 5 hours a day leave 11 days
        (100, 45, date(2025, 3, 31), "2025-03-31", True),
        (100, 45, date(2025, 3, 30), "2025-03-31", False),
        (100, 100, DEADLINE, "2025-03-14", True),  # nothing is left
        (100, 110, DEADLINE, "2025-03-14", True),
        (100, 0, DEADLINE, None, False),  # no pace yet
        (1, 0, date(2034, 1, 1), None, False),  # nor with years left for an hour
        (300, 0.01, DEADLINE, None, False),  # not in ten years
    ],
)
def test_forecast(ordered: int, credited: float, deadline: date, done_on: str | None, in_time: bool) -> None:
    minutes = (ordered * 60, round(credited * 60))
    found = forecast(minutes, MONDAY, deadline, FRIDAY, scotland())
    assert will_be_in_time(minutes, MONDAY, deadline, FRIDAY, scotland()) == in_time
    assert (found.done_on and f"{found.done_on}", found.in_time) == (done_on, in_time)


def test_what_is_needed() -> None:
    found = forecast((6000, 2700), MONDAY, date(2025, 3, 28), FRIDAY, scotland())
    assert (found.minutes_left, found.working_days_left) == (3300, 10)
    assert (found.minutes_a_day, found.minutes_a_day_needed) == (300, 330)
    past = forecast((6000, 2700), MONDAY, date(2025, 3, 13), FRIDAY, scotland())
    assert (past.working_days_left, past.minutes_a_day_needed, past.in_time) == (-1, None, False)


@given(
    st.integers(1, 300),
    st.integers(-600, 20_000),
    st.dates(date(2024, 6, 1), FRIDAY),
    st.dates(FRIDAY, date(2027, 1, 1)),
)
def test_the_short_question_has_the_long_answer(hours: int, credited: int, begun: date, deadline: date) -> None:
    asked = (hours * 60, credited), begun, deadline, FRIDAY, CALENDAR
    assert will_be_in_time(*asked) == forecast(*asked).in_time


def test_nothing_is_foreseen_before_a_first_placement_is_due() -> None:
    """Seven working days after the imposition; as soon as anything is credited there is a pace."""
    last = CALENDAR.after(MONDAY, 7)
    days = [MONDAY, FRIDAY, last, last + timedelta(days=1)]
    assert [is_too_early(0, MONDAY, day, CALENDAR) for day in days] == [True, False, True, False]
    assert not is_too_early(15, MONDAY, MONDAY, CALENDAR)
    assert forecast((6000, 0), MONDAY, DEADLINE, last, CALENDAR).too_early
    assert not forecast((6000, 15), MONDAY, DEADLINE, last, CALENDAR).too_early
