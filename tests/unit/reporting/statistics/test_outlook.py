"""How much is still likely to arrive: near what later arrived, and silent where the past says nothing."""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from contracts.periods import add_months, last_day, months_between
from services.reporting.statistics.outlook import (
    EDGES,
    Outlook,
    Unknown,
    arrival_curves,
    estimate,
    is_settled,
    months_needed,
)

DAY = date(2026, 5, 10)
FIRST = date(2021, 1, 1)
LAST = date(2026, 4, 1)
CHANCES = (0.5, 0.25, 0.15, 0.06, 0.03, 0.01)


Seen = Mapping[date, tuple[int, ...]]


def as_array(seen: Seen, months: tuple[date, ...]) -> NDArray[np.float64]:
    return np.array([[seen.get(month, (0,) * len(EDGES)) for month in months]], np.float64)


def outlook(seen: Seen, first: date, last: date, day: date) -> Outlook:
    months = months_needed(day)
    return estimate(as_array(seen, months), months, day).of(first, last)[0]


def reports(rng: np.random.Generator, month: date, count: int) -> list[tuple[date, int]]:
    """Return facts of a month: the day of each, and the days until it was reported."""
    bands = rng.choice(len(EDGES), count, p=CHANCES)
    starts = (0, *(edge + 1 for edge in EDGES[:-1]))
    days = rng.integers(0, last_day(month).day, count)
    return [
        (month + timedelta(days=int(day)), int(rng.integers(starts[band], EDGES[band] + 1)))
        for day, band in zip(days, bands, strict=True)
    ]


def arrived_by(told: dict[date, list[tuple[date, int]]], day: date) -> dict[date, tuple[int, ...]]:
    found: dict[date, tuple[int, ...]] = {}
    for month, all_of in told.items():
        counts = [0] * len(EDGES)
        for fact, delay in all_of:
            if fact + timedelta(days=delay) <= day:
                counts[next(i for i, edge in enumerate(EDGES) if delay <= edge)] += 1
        if any(counts):
            found[month] = tuple(counts)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_estimate_is_near_what_later_arrived(seed: int) -> None:
    rng = np.random.default_rng(seed)
    told = {month: reports(rng, month, 800) for month in months_between(FIRST, LAST)}
    seen = arrived_by(told, DAY)
    for months_back in (0, 1, 2, 5):
        month = add_months(LAST, -months_back)
        later = 800 - sum(seen[month])
        found = outlook(seen, month, month, DAY)
        assert found.expected is not None
        # Two standard errors of what is still to come, and of the share that it is worked out from.
        assert found.expected == pytest.approx(later, abs=2.5 * (later**0.5 + 5))


def test_a_whole_year_is_the_sum_of_its_months() -> None:
    rng = np.random.default_rng(9)
    seen = arrived_by({month: reports(rng, month, 300) for month in months_between(FIRST, LAST)}, DAY)
    first = date(2025, 4, 1)
    whole = outlook(seen, first, LAST, DAY)
    single = [outlook(seen, month, month, DAY) for month in months_between(first, LAST)]
    assert whole.expected == pytest.approx(sum(each.expected or 0 for each in single))
    assert whole.arrived == sum(each.arrived for each in single)


def test_without_a_past_nothing_is_said() -> None:
    found = outlook({LAST: (50, 0, 0, 0, 0, 0)}, LAST, LAST, DAY)
    assert (found.expected, found.share, found.why) == (None, None, Unknown.NO_HISTORY)
    assert outlook({}, LAST, LAST, DAY).why == Unknown.NO_HISTORY
    few = dict.fromkeys(months_between(date(2025, 10, 1), LAST), (2, 0, 0, 0, 0, 0))
    assert outlook(few, LAST, LAST, DAY).why == Unknown.NO_HISTORY


def test_a_month_of_which_nothing_came_is_not_called_complete() -> None:
    seen = dict.fromkeys(months_between(FIRST, date(2026, 3, 1)), (100, 0, 0, 0, 0, 0))
    assert outlook(seen, LAST, LAST, DAY).why == Unknown.NOTHING_ARRIVED
    assert outlook(seen, date(2026, 1, 1), LAST, DAY).why == Unknown.NOT_OF_ALL, "of others something has"


def test_what_always_comes_at_once_is_complete() -> None:
    seen = dict.fromkeys(months_between(FIRST, LAST), (100, 0, 0, 0, 0, 0))
    assert outlook(seen, LAST, LAST, DAY).expected == pytest.approx(0, abs=1e-9)


def test_long_ago_is_settled_even_where_nothing_came() -> None:
    month = date(2024, 3, 1)
    assert is_settled(month, DAY)
    found = outlook({}, month, month, DAY)
    assert (found.expected, found.share) == (0, 0)


def test_months_that_have_not_begun_are_expected_to_be_empty() -> None:
    seen = dict.fromkeys(months_between(FIRST, date(2026, 5, 1)), (100, 5, 0, 0, 0, 0))
    assert outlook(seen, date(2026, 6, 1), date(2026, 6, 1), DAY).expected == 0


counts = st.tuples(*[st.integers(0, 60)] * len(EDGES))


@given(st.dictionaries(st.sampled_from(months_between(FIRST, LAST)), counts))
def test_a_curve_rises_to_one(seen: dict[date, tuple[int, ...]]) -> None:
    months = months_needed(DAY)
    (curve,), _ = arrival_curves(as_array(seen, months), months, DAY)
    assert len(curve) == len(EDGES)
    assert list(curve) == sorted(curve)
    assert (curve[0] >= 0, curve[-1]) == (True, 1.0)


@given(st.dictionaries(st.sampled_from(months_between(FIRST, LAST)), counts))
def test_an_estimate_is_a_share_or_says_why_not(seen: dict[date, tuple[int, ...]]) -> None:
    found = outlook(seen, date(2026, 1, 1), LAST, DAY)
    assert (found.share is None) == (found.why is not None)
    assert found.share is None or 0 <= found.share < 1
