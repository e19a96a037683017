"""Intervals of proportions. Pure."""

from math import sqrt
from statistics import NormalDist

Z_95 = NormalDist().inv_cdf(0.975)


def wilson(successes: float, trials: float) -> tuple[float, float]:
    """Return the 95 % score interval of a proportion (Wilson 1927). `trials` is above 0."""
    share, z2 = successes / trials, Z_95**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z_95 / (1 + z2 / trials) * sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def difference(successes: tuple[float, float], trials: tuple[float, float], off_by: float = 0) -> tuple[float, float]:
    """Return the 95 % interval of the second proportion less the first, for two that do not overlap (Newcombe 1998, method 10), from -1 to
    1.

    `off_by` is the standard deviation that rounding adds to each share besides chance, in cases, for successes and trials together.
    """
    first, second = (s / t for s, t in zip(successes, trials, strict=True))
    before, now = (wilson(s, t) for s, t in zip(successes, trials, strict=True))
    rounding = sum((Z_95 * off_by / each) ** 2 for each in trials)
    down = sqrt((second - now[0]) ** 2 + (before[1] - first) ** 2 + rounding)
    up = sqrt((now[1] - second) ** 2 + (first - before[0]) ** 2 + rounding)
    return max(-1.0, second - first - down), min(1.0, second - first + up)
