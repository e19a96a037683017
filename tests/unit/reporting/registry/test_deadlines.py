"""Overdue clocks are told, and until when a month is provisional."""

from datetime import date, timedelta

import pytest

from contracts.cells import MEASURES
from contracts.periods import add_months
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.deadlines import AWAITED, is_provisional


def test_it_is_read_from_measures_of_the_contract() -> None:
    assert {*AWAITED, *AWAITED.values()} <= MEASURES.keys()


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
