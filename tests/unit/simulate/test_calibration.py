"""The pretend nation is near what has been published of the real one."""

from datetime import date

import pytest

from services.simulate.calibration import LEFT_OUT, ROWS, Comparison, compare, published
from services.simulate.marginals import tally


@pytest.fixture(scope="module")
def comparisons() -> list[Comparison]:
    return compare(tally(seed=1, end=date(2026, 6, 1)))


def test_every_marginal_is_within_its_tolerance(comparisons: list[Comparison]) -> None:
    assert [c for c in comparisons if not c.holds] == []


def test_every_published_figure_of_the_nation_is_compared_or_left_out_with_a_reason() -> None:
    rows = {(row["measure"], row["period"]) for row in published() if row["area"] == "S92000003"}
    assert set(ROWS) <= rows
    assert {measure for measure, _ in rows - set(ROWS)} == set(LEFT_OUT)


def test_a_figure_beyond_its_tolerance_is_told() -> None:
    assert not Comparison("m", "2024-25", "percent", published=70, tolerance=2, simulated=72.5).holds
    assert Comparison("m", "2024-25", "percent", published=70, tolerance=2, simulated=68).holds
