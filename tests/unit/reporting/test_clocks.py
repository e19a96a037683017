"""In which month what is overdue counts, and until when a month is provisional."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.cells import MEASURES
from contracts.periods import add_months, last_day, month_of
from services.records.model.bank_holidays import scotland
from services.records.model.standards import in_force
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.clocks import FROM_IMPOSITION, PENDING, is_provisional, windows

SCOTLAND = scotland()
FIRST, LAST = date(2024, 1, 1), date(2026, 12, 1)


def test_it_is_read_from_measures_of_the_contract() -> None:
    assert {*PENDING, *PENDING.values()} <= MEASURES.keys()


@given(st.dates(FIRST, last_day(LAST)), st.sampled_from(FROM_IMPOSITION))
def test_what_is_overdue_counts_in_the_month_of_imposition(imposed: date, measure: str) -> None:
    due = in_force(measure, imposed).limit.after(imposed, SCOTLAND)
    found = [each.month for each in windows([measure], add_months(FIRST, -1), LAST) if each.after < due <= each.upto]
    working_day = imposed
    while SCOTLAND.working_days(working_day - timedelta(days=1), working_day) == 0:
        working_day -= timedelta(days=1)
    assert found in ([month_of(imposed)], [month_of(working_day)])
    assert working_day != imposed or found == [month_of(imposed)]


@given(st.dates(FIRST, last_day(LAST)), st.sampled_from(sorted(PENDING.keys() - set(FROM_IMPOSITION))))
def test_other_clocks_count_it_in_the_month_in_which_it_was_due(due: date, measure: str) -> None:
    assert [each.month for each in windows([measure], FIRST, LAST) if each.after < due <= each.upto] == [month_of(due)]


@pytest.mark.parametrize(
    ("indicator", "settled_on"),
    [
        ("orders_imposed", date(2026, 4, 1)),
        ("first_contact_within_1", date(2026, 4, 2)),
        ("placement_within_7", date(2026, 4, 11)),
        ("plan_within_20", date(2026, 4, 30)),
        ("placement_within_7_of_those_begun", date(2026, 6, 1)),
        ("reviews_on_time", date(2026, 4, 1)),
        ("unpaid_work_completed_in_time", date(2026, 4, 1)),
    ],
)
def test_a_month_is_provisional_until_nothing_in_it_can_still_fall_due(indicator: str, settled_on: date) -> None:
    """Of March 2026, whose last day is the Tuesday before Good Friday."""
    found = INDICATORS[indicator]
    assert is_provisional(found, date(2026, 3, 1), settled_on - timedelta(days=1))
    assert not is_provisional(found, date(2026, 3, 1), settled_on)
    assert is_provisional(found, add_months(date(2026, 3, 1), 1), settled_on)
