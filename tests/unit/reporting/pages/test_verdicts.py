"""Verdicts of chance on pages are true of the numbers beside them."""

from dataclasses import replace

import pytest

from services.reporting.disclosure.gate import Row
from services.reporting.pages.content import standards
from services.reporting.pages.content.comparisons import said
from services.reporting.pages.content.moves import Move, move, none_moved, of_how_many, off_by
from services.reporting.pages.content.since_when import told as told_since
from services.reporting.pages.content.views import told
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
