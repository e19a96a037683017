"""Figures on pages are rounded once, half up, from their counts and not from a rounded value; programs get two decimals."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.api.auth import Identity
from services.chassis.web.words import rounded
from services.reporting.disclosure.gate import Figure, Gate, Row
from services.reporting.figures.comparison import placing
from services.reporting.pages.content import words
from services.reporting.read.vintages import Live
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator

SHARE, MEAN = INDICATORS["completion_rate"], INDICATORS["unpaid_work_days_mean"]
HOURS, RATE = INDICATORS["hours_credited"], INDICATORS["orders_imposed_per_10000"]
NATIONAL = Gate(Identity("analyst", frozenset({"national:read"})))


def row(
    indicator: Indicator, numerator: int, denominator: int | None, decimals: int | None = None, months: int = 12
) -> Row:
    forms = indicator.numerator, indicator.denominator
    figure = Figure(Live(), "S92000003", "2025-26", "", *forms, numerator, denominator, months=months)
    (found,) = NATIONAL.rows(indicator, [figure], decimals)
    return found


def told(numerator: int, denominator: int) -> str:
    return words.figure(row(SHARE, numerator, denominator), "percent")


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(70, 85, "82.4%"), (35, 65, "53.8%"), (329, 400, "82.3%"), (1, 2000, "0.1%"), (0, 10, "0.0%"), (7, 7, "100.0%")],
)
def test_shares(numerator: int, denominator: int, expected: str) -> None:
    assert told(numerator, denominator) == expected


@given(st.integers(1, 5000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_every_share_is_the_nearest_tenth_and_a_half_goes_up(share: tuple[int, int]) -> None:
    assert told(*share) == f"{nearest_tenth(100, *share)}%"


def nearest_tenth(times: int | Fraction, numerator: int, denominator: int) -> str:
    tenths = floor(Fraction(10 * numerator, denominator) * times + Fraction(1, 2))
    return f"{tenths // 10}.{tenths % 10}"


def test_means() -> None:
    assert words.figure(row(MEAN, 204_497, 1000), "days") == "204"
    assert words.figure(row(MEAN, 409, 2), "days") == "205"


@given(st.integers(0, 3000), st.integers(100, 60_000).map(lambda hundreds: 100 * hundreds), st.integers(1, 12))
def test_every_rate_of_the_population_is_the_nearest_tenth(orders: int, people: int, months: int) -> None:
    shown = words.figure(row(RATE, orders, people, months=months), RATE.unit).replace(",", "")
    assert shown == nearest_tenth(10_000 * Fraction(12, months), orders, people)


def test_a_rate_that_two_decimals_would_carry_over_is_not() -> None:
    """14,648 of 10 million are 14.648 of 10,000, and 14.65 would become 14.7."""
    assert words.figure(row(RATE, 14_648, 10_000_000), RATE.unit) == "14.6"
    assert row(RATE, 14_648, 10_000_000, decimals=2).value == 14.65


def test_numbers_of_hours() -> None:
    assert words.figure(row(HOURS, 30, None), "hours") == "1"
    assert words.count(None, row(HOURS, 150, None).numerator) == "3", "a half goes up here too"


def test_limits() -> None:
    """The upper one of 29 is 41.38 %, that of 69 is 62.3188 %: neither is cut off before."""
    for trials in (29, 69, 87):
        placed = placing(0.33, row(SHARE, trials // 3, trials), 0)
        assert placed.limits is not None
        assert placed.funnel is not None
        exact = [100 * Fraction(round(each * trials), trials) for each in placed.funnel.limits]
        shown = [f"{rounded(each)}" for each in placed.limits]
        assert shown == [nearest_tenth(1, each.numerator, each.denominator) for each in exact]
