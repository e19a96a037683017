"""Verdicts of chance on pages are true of the numbers beside them."""

from dataclasses import replace

import numpy as np
import pytest

from services.reporting.disclosure.gate import Row
from services.reporting.pages.content import overview, standards
from services.reporting.pages.content.comparisons import said
from services.reporting.pages.content.moves import Move, differ, move, none_moved, of_how_many, off_by
from services.reporting.pages.content.sections.trends import told
from services.reporting.pages.content.since_when import told as told_since
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator
from services.reporting.statistics.funnel import Place, by_chance
from services.reporting.statistics.runs import Signal

STEP = 5
SHARE, COUNT = INDICATORS["officer_within_2"], INDICATORS["orders_imposed"]
MONTHS = [Row("S92000003", f"2026-{month:02}", "all", 50, 1250, 4.0, None, None, False) for month in range(3, 10)]


def of(numerator: int, denominator: int) -> Row:
    return replace(MONTHS[0], numerator=numerator, denominator=denominator, value=100 * numerator / denominator)


def test_a_change_of_too_few_says_so_and_prints_no_interval() -> None:
    found = move(SHARE, of(5, 15), of(10, 10), STEP)
    assert found is not None
    assert (found.verdict, found.sentence) == ("Too few to tell", "+66.7 points")
    assert found.upper <= 100


def test_a_change_of_enough_keeps_its_interval() -> None:
    found = move(SHARE, of(100, 200), of(110, 200), STEP)
    assert found is not None
    assert found.verdict == "No change beyond chance"
    assert found.sentence.startswith("+5.0 points (\N{MINUS SIGN}")


def test_no_change_is_called_one_beside_an_interval_that_prints_zero() -> None:
    """As printed, from 0.0: whoever reads it could not see that it leaves zero out."""
    found = [move(SHARE, of(n, 1000), of(n + more, 1000), 0) for n in range(300, 700, 7) for more in range(30, 60)]
    printed = [(each.interval, each.way) for each in found if each]
    ends = [way for interval, way in printed if interval.startswith("0.0 ")]
    assert len(ends) > 3
    assert set(ends) == {"same"}
    assert {way for interval, way in printed if interval.startswith("+0.1 ")} == {"better"}


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (17_555, 16_750, ", 4.8% more than a year before"),
        (16_750, 17_555, ", 4.6% fewer than a year before"),
        (17_000, 16_750, ", about as many as a year before"),
        (17_000, 17_000, ", about as many as a year before"),
        (45, 20, ", 125.0% more than a year before"),
        (35, 20, ", about as many as a year before"),
        (35, None, ""),
        (35, 0, ""),
    ],
)
def test_orders_are_more_or_fewer_only_beyond_chance(now: float, before: float | None, said: str) -> None:
    assert overview.against(now, before, STEP) == said


def test_a_count_that_chance_alone_moves_is_called_different_once_in_twenty() -> None:
    chance = np.random.default_rng(1)
    pairs = chance.poisson(1400, (4000, 2))
    assert np.mean([differ(float(a), float(b), 0) for a, b in pairs]) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.01, "fewer than 1 in 30"),
        (0.083, "about 1 in 12"),
        (0.16, "about 1 in 6"),
        (0.17, "about 2 in 10"),
        (0.37, "about 4 in 10"),
        (0.49, "about half"),
        (0.7, "about 7 in 10"),
        (0.97, "nearly all"),
    ],
)
def test_a_share_in_words_is_near_the_share(share: float, said: str) -> None:
    assert standards.about(share) == said


def test_a_trend_is_told_by_its_rises_from_the_month_before_the_first() -> None:
    rises = told(Signal("trend", "up", 1, 6, 5), MONTHS, rounded=False)
    assert rises == "A trend: 5 rises in a row, from April 2026 to September 2026 (5 or more count)."


def test_what_the_first_page_says_of_months_begins_with_a_capital_and_keeps_those_of_months() -> None:
    rising = [replace(row, value=float(at)) for at, row in enumerate(MONTHS)]
    assert standards.told_since(rising, [0.4] * 7) == "Rising since Mar 2026"
    assert standards.told_since(rising, [0.6] * 7) == ""


def test_a_shift_is_told_by_the_months_that_count() -> None:
    found = told(Signal("shift", "above", 0, 6, 5), MONTHS, rounded=True)
    assert found.startswith(
        "A shift: 5 months above the median and none below it, by more than rounding explains, from March"
    )


@pytest.mark.parametrize(
    ("indicator", "row", "expected"),
    [
        pytest.param(SHARE, of(1000, 1250), 0.4, id="of a share, a step of its cases"),
        pytest.param(SHARE, of(0, 1250), 0.4, id="of none, too"),
        pytest.param(
            COUNT, replace(MONTHS[0], numerator=1250, denominator=None, value=1250.0), 5, id="of a count, a step"
        ),
        pytest.param(COUNT, replace(MONTHS[0], value=None), 0, id="of what is not shown, nothing"),
    ],
)
def test_rounding_puts_a_value_off_by_one_step(indicator: Indicator, row: Row, expected: float) -> None:
    assert off_by(indicator, row, STEP) == pytest.approx(expected)
    assert off_by(indicator, row, 0) == 0


def test_sums_that_authorities_round_alone_are_further_off() -> None:
    mean = INDICATORS["unpaid_work_hours_mean"]
    scotland = replace(MONTHS[0], numerator=6000, denominator=100, value=1.0)
    assert off_by(mean, replace(scotland, authority="S12000005"), 6000) == 1
    assert off_by(mean, scotland, 6000) == pytest.approx(32**0.5)


def test_quarters_that_cannot_be_compared_are_not_counted() -> None:
    places = [None] * 5 + [(Place.ALARM, False), (Place.WITHIN, True), (Place.WITHIN, False)]
    assert (
        told_since(places, [""] * 8)
        == "Within the limits in the last quarter; outside in 1 of the 3 that can be compared"
    )


def test_it_is_not_said_that_many_lie_outside_where_few_do() -> None:
    uneven = [(79, 100), (61, 100)] * 15 + [(90, 100)]
    found = by_chance(0.7, uneven, off_by=4)
    assert found.overdispersed
    assert found.beyond_95 < 3
    outside, spread = said(found, rounded=True)
    assert "1 lies outside the first" in outside
    assert "Many" not in spread
    assert "which take in the rounding" in spread
    assert "rounding" not in said(found, rounded=False)[1]


ENOUGH, TOO_FEW = Move(1.0, -4.0, 6.0, "same"), Move(1.0, -80.0, 82.0, "same")


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([ENOUGH] * 10, "none of the 10 standards moved by more than chance explains"),
        (
            [ENOUGH] * 2 + [TOO_FEW] * 5,
            "none of the 2 standards that can be judged moved by more than chance explains; for 8 of 10 there is too little to tell",
        ),
        (
            [ENOUGH],
            "the one standard that can be judged did not move by more than chance explains; for 9 of 10 there is too little to tell",
        ),
        ([TOO_FEW] * 10, "there are too few cases to tell of any standard whether it moved"),
    ],
)
def test_that_nothing_moved_is_said_of_as_many_as_can_be_judged(moves: list[Move], expected: str) -> None:
    assert none_moved(moves, 10) == expected


def test_beside_what_moved_it_is_said_how_much_could_not_be_judged() -> None:
    assert of_how_many([ENOUGH] * 10, 10) == ""
    assert of_how_many([ENOUGH] * 7 + [TOO_FEW], 10) == "; for 3 of 10 there is too little to tell"
