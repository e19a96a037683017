"""Intervals, limits and signals. Pure; each rule is stated where it is applied and shown on the pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from statistics import NormalDist, median

Z_95 = NormalDist().inv_cdf(0.975)
Z_998 = NormalDist().inv_cdf(0.999)
SHIFT_MONTHS = 8
TREND_MONTHS = 6


def wilson(successes: float, trials: float) -> tuple[float, float]:
    """The 95 % score interval of a proportion (Wilson 1927). `trials` is above 0."""
    share, z2 = successes / trials, Z_95**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z_95 / (1 + z2 / trials) * sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True, slots=True)
class Limits:
    """Where an authority of this size lies by chance alone, 95 and 99.8 times in 100, if it were like Scotland."""

    lower_95: float
    upper_95: float
    lower_998: float
    upper_998: float

    def place(self, share: float) -> str:
        """`within`, or how far outside: `alert` beyond 95 %, `alarm` beyond 99.8 %."""
        if share < self.lower_998 or share > self.upper_998:
            return "alarm"
        return "alert" if share < self.lower_95 or share > self.upper_95 else "within"


def funnel(share: float, trials: float) -> Limits:
    """Control limits around the share of Scotland, by the normal approximation of the binomial."""
    error = sqrt(share * (1 - share) / trials)
    low_95, high_95 = (_clip(share + sign * Z_95 * error) for sign in (-1, 1))
    low_998, high_998 = (_clip(share + sign * Z_998 * error) for sign in (-1, 1))
    return Limits(low_95, high_95, low_998, high_998)


def _clip(share: float) -> float:
    return min(1.0, max(0.0, share))


def signals(series: Sequence[float | None]) -> list[str]:
    """What is unlikely to be chance in a monthly series.

    A shift: 8 or more months in a row on one side of the median. A trend: 6 or more months, each above (or each below)
    the one before. A month without a figure ends a run; a month on the median neither ends nor lengthens it.
    """
    found = []
    if _longest_side(series) >= SHIFT_MONTHS:
        found.append("shift")
    if _longest_trend(series) >= TREND_MONTHS:
        found.append("trend")
    return found


def _longest_side(series: Sequence[float | None]) -> int:
    known = [value for value in series if value is not None]
    if not known:
        return 0
    middle, longest, run, side = median(known), 0, 0, 0
    for value in series:
        if value == middle:
            continue
        here = 0 if value is None else (1 if value > middle else -1)
        run = run + 1 if here and here == side else abs(here)
        side, longest = here, max(longest, run)
    return longest


def _longest_trend(series: Sequence[float | None]) -> int:
    longest, run, direction = 0, 0, 0
    for before, after in pairwise(series):
        here = 0 if before is None or after is None else (after > before) - (after < before)
        run = run + 1 if here and here == direction else 2 * abs(here)
        direction, longest = here, max(longest, run)
    return longest
