"""Intervals and tails agree with SciPy; limits and signals follow the rules that the pages state."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.statistics.funnel import TAIL_95, TAIL_998, Funnel, Place, by_chance
from services.reporting.statistics.intervals import difference, wilson
from services.reporting.statistics.runs import Signal, middle, signals


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (10, 10), (1, 3), (79, 100), (5687, 7347), (1, 100_000)])
def test_intervals_agree_with_scipy(successes: int, trials: int) -> None:
    from scipy.stats import binomtest

    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    assert wilson(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


sizes = st.integers(10, 3000)
shares = st.floats(0.001, 0.999)


@given(shares, sizes)
def test_limits_are_the_quantiles_of_the_binomial(share: float, trials: int) -> None:
    from scipy.stats import binom

    limits = Funnel(share, trials).limits
    found = np.array([limits.lower_95, limits.upper_95, limits.lower_998, limits.upper_998]) * trials
    expected = binom.ppf([TAIL_95, 1 - TAIL_95, TAIL_998, 1 - TAIL_998], trials, share)
    assert np.abs(found - expected).max() < 1e-6


@given(shares, sizes, st.data())
def test_an_authority_is_placed_by_exact_tails(share: float, trials: int, data: st.DataObject) -> None:
    from scipy.stats import binom

    successes = data.draw(st.integers(0, trials))
    tail = min(binom.cdf(successes, trials, share), binom.sf(successes - 1, trials, share))
    expected = Place.ALARM if tail < TAIL_998 else Place.ALERT if tail < TAIL_95 else Place.WITHIN
    funnel = Funnel(share, trials)
    assert funnel.place(successes) is expected
    within = funnel.limits.lower_95 <= successes / trials <= funnel.limits.upper_95
    assert within is (expected is Place.WITHIN), "the drawing and the word never differ"


@given(shares, sizes)
def test_chance_alone_puts_no_more_outside_than_the_limits_say(share: float, trials: int) -> None:
    from scipy.stats import binom

    funnel = Funnel(share, trials)
    limits = funnel.limits
    low, high = (round(each * trials) for each in (limits.lower_95, limits.upper_95))
    assert funnel.beyond(TAIL_95) == pytest.approx(binom.cdf(low - 1, trials, share) + binom.sf(high, trials, share))
    assert funnel.beyond(TAIL_998) <= funnel.beyond(TAIL_95) < 2 * TAIL_95


def test_at_the_ends_everybody_is_like_scotland_or_outside() -> None:
    assert (Funnel(1.0, 20).place(20), Funnel(1.0, 20).place(19)) == (Place.WITHIN, Place.ALARM)
    assert (Funnel(0.0, 20).place(0), Funnel(0.0, 20).place(1)) == (Place.WITHIN, Place.ALARM)


def test_the_normal_approximation_would_call_out_a_small_authority_wrongly() -> None:
    """9 of 10 where Scotland has 99 in 100: 3 standard errors below, and what one in ten such authorities has."""
    assert Funnel(0.99, 10).place(9) is Place.WITHIN
    assert 10 * (0.99 - 0.9) > 1.96 * (10 * 0.99 * 0.01) ** 0.5


def test_how_many_of_32_lie_outside_is_told_beside_how_many_would_by_chance() -> None:
    rng = np.random.default_rng(3)
    trials = rng.integers(50, 900, 32)
    alike = [(int(rng.binomial(n, 0.7)), int(n)) for n in trials]
    found = by_chance(0.7, alike)
    assert found.compared == 32
    assert 1.0 < found.beyond_95_by_chance < 1.6
    assert found.beyond_95 < 6
    assert found.dispersion == pytest.approx(1, abs=0.5)
    assert not found.overdispersed
    unlike = [(int(rng.binomial(n, rng.uniform(0.5, 0.9))), int(n)) for n in trials]
    varied = by_chance(0.7, unlike)
    assert varied.beyond_95_by_chance == found.beyond_95_by_chance
    assert varied.overdispersed
    assert (varied.dispersion or 0) > 5


def test_nobody_compared_is_nothing_to_say() -> None:
    found = by_chance(0.7, [])
    assert (found.compared, found.beyond_95_by_chance, found.dispersion, found.overdispersed) == (0, 0, None, False)


def test_a_shift_is_eight_months_on_one_side_of_the_median_and_says_when_and_which_way() -> None:
    assert signals([1.0, 2.0] * 8) == []
    assert signals([*([1.0, 0.9] * 4), *([2.0, 2.1] * 4)]) == [
        Signal("shift", "below", 0, 7, 8),
        Signal("shift", "above", 8, 15, 8),
    ]
    assert signals([*([1.0, 0.9] * 3), 1.0, *([2.0, 2.1] * 3), 2.0]) == []


def test_a_month_on_the_median_neither_ends_nor_lengthens_a_run() -> None:
    low, high = [1.0, 0.9] * 4, [2.0, 2.1] * 4
    found = signals([*low[:4], 1.5, *low[4:], *high])
    assert [each.kind for each in found] == ["shift", "shift"]
    assert found[0] == Signal("shift", "below", 0, 8, 8)


def test_a_gap_ends_a_run() -> None:
    low, high = [1.0, 0.9] * 4, [2.0, 2.1] * 4
    assert signals([*low[:4], None, *low[4:], *high[:4], None, *high[4:]]) == []


def test_a_trend_is_five_rises_or_falls_in_a_row() -> None:
    assert signals([3, 1, 2, 3, 4, 5, 6, 2]) == [Signal("trend", "up", 1, 6, 5)]
    assert signals([3, 1, 2, 3, 4, 5, 2, 6]) == []
    assert signals([9, 8, 7, 6, 5, 4, 9, 9]) == [Signal("trend", "down", 0, 5, 5)]


PUBLISHED = [86.81, 84.50, 84.52, 84.76, 85.03, 86.45, 86.79]


def test_a_rise_that_rounding_explains_is_none() -> None:
    assert signals(PUBLISHED) == [Signal("trend", "up", 1, 6, 5)]
    assert signals(PUBLISHED, [0.4] * 7) == []
    assert signals([1, 2, 3, 4, 5, 6], [0.4] * 6) == [Signal("trend", "up", 0, 5, 5)]


def test_a_month_as_near_to_the_median_as_rounding_puts_it_is_on_neither_side() -> None:
    low, high = [1.0, 0.9] * 4, [2.0, 2.1] * 4
    assert signals([*low, *high], [0.6] * 16) == []
    assert signals([*low[:4], 1.45, *low[4:], *high], [0.4] * 17)[0] == Signal("shift", "below", 0, 8, 8)


def test_of_series_that_do_not_change_no_more_have_a_signal_for_being_rounded() -> None:
    rng = np.random.default_rng(5)
    exact, published = 0, 0
    for trials in [40] * 150 + [400] * 150:
        counts = rng.binomial(trials, 0.8, 24)
        rounded = counts // 5 * 5 + 5 * (rng.random(24) < counts % 5 / 5)
        exact += bool(signals((100 * counts / trials).tolist()))
        published += bool(signals((100 * rounded / trials).tolist(), [500 / trials] * 24))
    assert published <= exact < 300 * 0.1


def test_nothing_known_is_no_signal_and_has_no_median() -> None:
    assert signals([]) == []
    assert signals([None, None]) == []
    assert middle([None]) is None
    assert middle([None, 3, 1]) == 2


@pytest.mark.parametrize(
    ("successes", "trials", "expected"),
    [
        ((48, 56), (80, 70), (0.0524, 0.3339)),
        ((3, 9), (10, 10), (0.1705, 0.8090)),
        ((0, 5), (29, 56), (-0.0381, 0.1926)),
    ],
)
def test_intervals_of_differences_are_those_of_newcombe(
    successes: tuple[int, int], trials: tuple[int, int], expected: tuple[float, float]
) -> None:
    """The examples of Table II of Newcombe (1998), by his method 10; the second less the first."""
    assert difference(successes, trials) == pytest.approx(expected, abs=6e-4)


def test_what_rounding_alone_can_make_is_no_change() -> None:
    """Of 12 and 11 orders, 8 and 8 may be published as 10 of 15 and 10 of 10."""
    published = (10, 10), (15, 10)
    assert difference(*published)[0] > 0
    assert difference(*published, off_by=5)[0] < 0 < difference(*published, off_by=5)[1]


@given(st.data(), st.integers(10, 60), st.integers(10, 60), st.sampled_from([0, 5]))
def test_no_change_of_a_share_is_more_than_all(data: st.DataObject, first: int, second: int, off_by: int) -> None:
    successes = data.draw(st.integers(0, first)), data.draw(st.integers(0, second))
    lower, upper = difference(successes, (first, second), off_by)
    assert -1 <= lower <= successes[1] / second - successes[0] / first + 1e-9
    assert lower <= upper <= 1


def test_rounding_says_little_of_many() -> None:
    of_scotland = (6100, 6300), (10_000, 10_000)
    assert difference(*of_scotland, off_by=5) == pytest.approx(difference(*of_scotland), abs=2e-4)
    assert difference(*of_scotland, off_by=5)[0] > 0


@given(st.integers(10, 300), st.floats(0.05, 0.95), st.sampled_from([0, 3.75, 5]))
def test_the_limits_are_where_places_change(trials: int, share: float, off_by: float) -> None:
    funnel = Funnel(share, trials, off_by)
    for successes in range(trials + 1):
        within = funnel.limits.lower_95 <= successes / trials <= funnel.limits.upper_95
        assert (funnel.place(successes) is Place.WITHIN) is within


def test_rounding_puts_nobody_outside() -> None:
    """32 of 48 may be published as 30 of 40: against 58.4 % the first is like Scotland, and so is the second."""
    assert Funnel(0.584, 48).place(32) is Place.WITHIN
    assert Funnel(0.584, 40).place(30) is Place.ALERT
    assert Funnel(0.584, 40, off_by=4).place(30) is Place.WITHIN


@pytest.mark.parametrize("trials", [20, 100, 1000])
def test_of_those_alike_no_more_are_outside_for_being_rounded(trials: int) -> None:
    rng, funnel = np.random.default_rng(3), Funnel(0.6, trials, off_by=4)
    published = rng.binomial(trials, 0.6, 20_000) + np.round(rng.normal(0, 4, 20_000)).astype(int)
    outside = float(np.mean([funnel.place(min(max(int(each), 0), trials)) is not Place.WITHIN for each in published]))
    assert outside < 2 * TAIL_95
    assert outside == pytest.approx(funnel.beyond(TAIL_95), abs=0.01)


@pytest.mark.parametrize(("trials", "share"), [(40, 0.7), (150, 0.7), (600, 0.9), (2000, 0.5)])
def test_rounding_widens_limits_by_less_than_what_it_can_be_at_worst(trials: int, share: float) -> None:
    """Chance and rounding are seldom both far off at once."""
    plain, wider = (Funnel(share, trials, off_by).limits for off_by in (0, 4))
    assert plain.lower_95 - 5 / trials <= wider.lower_95 < plain.lower_95
    assert plain.upper_95 < wider.upper_95 <= min(plain.upper_95 + 5 / trials, 1)


@given(st.integers(10, 1000), st.integers(0, 1000), st.sampled_from((1, -1)))
def test_just_one_step_of_rounding_is_not_more_than_rounding_explains(fifths: int, hits: int, way: int) -> None:
    """Where floats hold neither share, their difference is sometimes a little more than the step."""
    of, low = 5 * fifths, 5 * min(hits, fifths - 1)
    middle, beside = sorted((100 * low / of, 100 * (low + 5) / of), reverse=way < 0)
    series, off = [middle] * 9 + [beside] * 8, [100 * 5 / of] * 17
    assert signals(series, off) == []
    assert [signal.kind for signal in signals(series, [one * 0.99 for one in off])] == ["shift"]
