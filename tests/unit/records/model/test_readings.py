"""A clock as people see it: its state on a day, when it is due, and what it counts as."""

from datetime import date, timedelta

import pytest

from contracts.categories import ClockState
from services.records.model.calendar import Calendar
from services.records.model.deadlines import Reading, State
from services.records.model.standards import ROWS, Standard, in_force

CALENDAR = Calendar("test", frozenset())
START, DUE = date(2025, 3, 3), date(2025, 3, 10)
DAY = timedelta(days=1)
FIRST_CONTACT = in_force("first_contact", START)


def reading(state: State, due: date | None = DUE, *, taken_over: bool = False) -> Reading:
    return Reading(FIRST_CONTACT, START, state, date(2025, 3, 1), due, taken_over=taken_over)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (State.MET, ClockState.MET),
        (State.LATE, ClockState.MET_LATE),
        (State.MISSED, ClockState.MISSED),
        (State.NOT_APPLICABLE, ClockState.NOT_APPLICABLE),
        (State.IMPOSSIBLE, ClockState.NOT_APPLICABLE),
    ],
)
def test_what_is_decided_is_shown_as_that_on_every_day(state: State, shown: ClockState) -> None:
    assert {reading(state).state_on(day) for day in (DUE - DAY, DUE, DUE + DAY)} == {shown}


def test_what_is_pending_is_overdue_from_the_day_after_it_was_due() -> None:
    states = [reading(State.PENDING).state_on(day) for day in (DUE - DAY, DUE, DUE + DAY)]
    assert states == [ClockState.DUE, ClockState.DUE, ClockState.OVERDUE]
    assert reading(State.PENDING, None).state_on(DUE + DAY) is ClockState.DUE


def test_a_clock_that_was_stopped_was_due_by_the_limit_of_its_standard() -> None:
    assert reading(State.MET).due_on(CALENDAR) == DUE
    assert reading(State.MET, None).due_on(CALENDAR) == date(2025, 3, 4)


@pytest.mark.parametrize("state", State)
def test_the_duty_of_an_order_from_elsewhere_counts_as_none_for_the_nation(state: State) -> None:
    assert reading(state).counted_as is state
    assert reading(state, taken_over=True).counted_as is State.NOT_APPLICABLE


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.name} {row.variant} {row.since}")
def test_a_row_is_in_force_from_its_first_to_its_last_day(row: Standard) -> None:
    assert in_force(row.name, row.since, row.variant) is row
    assert in_force(row.name, row.until or date.max, row.variant) is row


def test_before_the_first_row_the_oldest_is_in_force() -> None:
    assert in_force("completion", date(2000, 1, 1), "level 2") is in_force("completion", date(2011, 2, 1), "level 2")
