"""Intervals agree with SciPy; limits and signals follow the rules that the pages state."""

import pytest
from scipy.stats import binomtest

from services.reporting.statistics.intervals import funnel, signals, wilson


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (10, 10), (1, 3), (79, 100), (5687, 7347), (1, 100_000)])
def test_intervals_agree_with_scipy(successes: int, trials: int) -> None:
    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    assert wilson(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_funnel_limits_narrow_with_size() -> None:
    small, large = funnel(0.8, 50), funnel(0.8, 5000)
    assert small.lower_998 < small.lower_95 < large.lower_95 < 0.8 < large.upper_95 < small.upper_95 < small.upper_998
    assert (funnel(0.99, 5).upper_998, funnel(0.01, 5).lower_998) == (1, 0)


def test_a_small_authority_is_not_called_out_for_what_chance_explains() -> None:
    assert funnel(0.8, 20).place(0.65) == "within"
    assert funnel(0.8, 80).place(0.70) == "alert"
    assert funnel(0.8, 2000).place(0.65) == "alarm"


def test_one_in_twenty_lies_outside_95_percent_limits() -> None:
    limits = funnel(0.5, 10_000)
    assert limits.upper_95 - 0.5 == pytest.approx(1.96 * 0.005, rel=1e-3)
    assert limits.upper_998 - 0.5 == pytest.approx(3.09 * 0.005, rel=1e-3)


def test_a_shift_is_eight_months_on_one_side_of_the_median() -> None:
    assert signals([1.0, 2.0] * 8) == []
    assert "shift" in signals([*([1.0, 0.9] * 4), *([2.0, 2.1] * 4)])
    assert "shift" not in signals([*([1.0, 0.9] * 3), 1.0, *([2.0, 2.1] * 3), 2.0])


def test_a_gap_ends_a_run() -> None:
    low, high = [1.0, 0.9] * 4, [2.0, 2.1] * 4
    assert "shift" not in signals([*low[:4], None, *low[4:], *high[:4], None, *high[4:]])


def test_a_trend_is_six_months_that_rise_or_fall() -> None:
    assert signals([3, 1, 2, 3, 4, 5, 6, 2]) == ["trend"]
    assert signals([3, 1, 2, 3, 4, 5, 2, 6]) == []
    assert signals([9, 8, 7, 6, 5, 4, 9, 9]) == ["trend"]


def test_nothing_known_is_no_signal() -> None:
    assert signals([]) == []
    assert signals([None, None]) == []
