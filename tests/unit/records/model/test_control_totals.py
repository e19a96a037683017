"""An authority's own totals count in the month that they are of."""

from datetime import date

import pytest

from contracts.events import PeriodClosed
from services.records.model.control_totals import TOTALS, count_totals
from tests.support.lives import record

CLOSED = PeriodClosed(month="2025-11", orders_imposed=3, orders_ended=2, minutes_credited=600)


def test_each_total_is_a_category_of_its_own() -> None:
    assert count_totals(record(CLOSED), *TOTALS).cells == {
        ("control_totals", date(2025, 11, 1), "total=orders_imposed"): 3,
        ("control_totals", date(2025, 11, 1), "total=orders_ended"): 2,
        ("control_totals", date(2025, 11, 1), "total=minutes_credited"): 600,
    }


@pytest.mark.parametrize("name", TOTALS)
def test_a_service_counts_only_the_totals_that_it_names(name: str) -> None:
    assert [category for _, _, category in count_totals(record(CLOSED), name).cells] == [f"total={name}"]


def test_two_months_are_counted_side_by_side() -> None:
    other = PeriodClosed(month="2025-12", orders_imposed=4, orders_ended=0, minutes_credited=0)
    cells = count_totals(record(CLOSED, other), "orders_imposed").cells
    assert {month: value for (_, month, _), value in cells.items()} == {date(2025, 11, 1): 3, date(2025, 12, 1): 4}
