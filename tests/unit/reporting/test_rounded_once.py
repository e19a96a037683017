"""Figures on pages are rounded once, half up, from their numbers and not from a rounded value."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.disclosure.gate import Row
from services.reporting.pages.content import words
from services.reporting.pages.content.views import unrounded
from services.reporting.registry.catalogue import INDICATORS

SHARE, MEAN = INDICATORS["completion_rate"], INDICATORS["unpaid_work_days_mean"]


def row(numerator: int, denominator: int, per: int = 100) -> Row:
    value = round(per * numerator / denominator, 2)
    return Row("S92000003", "2025-26", "", numerator, denominator, value, None, None, suppressed=False)


def told(numerator: int, denominator: int) -> str:
    return words.figure(unrounded(SHARE, row(numerator, denominator)), "percent")


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(70, 85, "82.4%"), (35, 65, "53.8%"), (329, 400, "82.3%"), (1, 2000, "0.1%"), (0, 10, "0.0%"), (7, 7, "100.0%")],
)
def test_shares(numerator: int, denominator: int, expected: str) -> None:
    assert told(numerator, denominator) == expected


@given(st.integers(1, 5000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_every_share_is_the_nearest_tenth_and_a_half_goes_up(share: tuple[int, int]) -> None:
    tenths = floor(Fraction(1000 * share[0], share[1]) + Fraction(1, 2))
    assert told(*share) == f"{tenths // 10}.{tenths % 10}%"


def test_means() -> None:
    assert words.figure(unrounded(MEAN, row(204_497, 1000, 1)), "days") == "204"
    assert words.figure(unrounded(MEAN, row(409, 2, 1)), "days") == "205"
