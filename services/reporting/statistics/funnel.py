"""Control limits for the comparison of shares, by exact tails of the binomial. Pure; each rule is shown on the pages.

An authority is compared with what chance alone would give one of its size, if it were like Scotland. Where counts are published rounded,
the rounding is part of that chance.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import log, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TAIL_95, TAIL_998 = 0.025, 0.001
"""The probability beyond each limit, on either side."""
FEWEST = 10
"""A share with a smaller denominator says nothing, and is not compared."""
OFF_BY_IN_A_QUARTER, OFF_BY_IN_MORE = 0.7, 0.9
"""In steps: the standard deviation that rounding adds to the successes of a share, including its effect on the trials.

As measured for quarters of authorities, and for years.
"""
MONTHS_IN_A_QUARTER = 3
Floats = NDArray[np.float64]


class Place(StrEnum):
    """The place of an authority."""

    WITHIN = "within"
    ALERT = "alert"
    """Beyond the 95 % limits."""
    ALARM = "alarm"
    """Beyond the 99.8 % limits."""


class Limits(NamedTuple):
    """The shares between which an authority of this size is by chance alone, at least 95 and 99.8 times in 100."""

    lower_95: float
    upper_95: float
    lower_998: float
    upper_998: float


@dataclass(frozen=True, slots=True)
class Funnel:
    """Limits around a share, for one size."""

    share: float
    trials: int
    off_by: float = 0
    """The standard deviation that rounding adds to the successes, in cases; 0 if they are exact."""

    def place(self, successes: int) -> Place:
        """Return the place, by the probability of so many or fewer, and of so many or more."""
        below, above = (float(tail[successes + self._beyond_ends]) for tail in self._tails)
        if min(below, above) < TAIL_998:
            return Place.ALARM
        return Place.ALERT if min(below, above) < TAIL_95 else Place.WITHIN

    @property
    def limits(self) -> Limits:
        """Return quantiles, as shares: an authority is beyond one exactly when `place` says so."""
        return Limits(*self._between(TAIL_95), *self._between(TAIL_998))

    def beyond(self, tail: float) -> float:
        """Return the probability of being beyond the limits with this tail: at most twice the tail, and less if numbers are small.

        No authority is published with fewer than none, or with more than all.
        """
        lowest, highest = self._inside(tail)
        up_to, from_here = self._tails
        below = up_to[lowest + self._beyond_ends - 1] if lowest > 0 else 0
        above = from_here[highest + self._beyond_ends + 1] if highest < self.trials else 0
        return float(below + above)

    def _between(self, tail: float) -> tuple[float, float]:
        lowest, highest = self._inside(tail)
        return max(lowest / self.trials, 0.0), min(highest / self.trials, 1.0)

    def _inside(self, tail: float) -> tuple[int, int]:
        """Return the fewest and the most successes that are not beyond the limits."""
        up_to, from_here = self._tails
        inside = np.flatnonzero((up_to >= tail) & (from_here >= tail))
        return int(inside[0]) - self._beyond_ends, int(inside[-1]) - self._beyond_ends

    @property
    def _tails(self) -> tuple[Floats, Floats]:
        return _tails(self.share, self.trials, self.off_by)

    @property
    def _beyond_ends(self) -> int:
        """Return how far published numbers could be below 0, and above the number of trials."""
        return _reach(self.off_by)


@lru_cache(maxsize=512)
def _tails(share: float, trials: int, off_by: float) -> tuple[Floats, Floats]:
    """Return the probability of each published number of successes or fewer, and of it or more, beginning as far below 0 as rounding
    reaches.
    """
    chances = np.convolve(_binomial(share, trials), _rounding(off_by))
    return np.cumsum(chances), np.cumsum(chances[::-1])[::-1]


def rounding_of(step: int, months: int) -> float:
    """Return the standard deviation of the effect of rounding on shares of so many months, in cases."""
    return step * (OFF_BY_IN_A_QUARTER if months <= MONTHS_IN_A_QUARTER else OFF_BY_IN_MORE)


def _reach(off_by: float) -> int:
    """Return the largest effect of rounding that is considered: four standard deviations."""
    return round(4 * off_by)


@lru_cache(maxsize=8)
def _rounding(off_by: float) -> Floats:
    """Return the probability of each difference that rounding makes: normal, in whole cases."""
    if not off_by:
        return np.ones(1)
    around = NormalDist(0, off_by)
    found = np.array([around.cdf(n + 0.5) - around.cdf(n - 0.5) for n in range(-_reach(off_by), _reach(off_by) + 1)])
    whole: Floats = found / found.sum()
    return whole


@lru_cache(maxsize=512)
def _binomial(share: float, trials: int) -> Floats:
    """Return the probability of each number of successes."""
    if share in {0.0, 1.0}:
        return np.array([float(count == share * trials) for count in range(trials + 1)])
    counts = np.arange(trials + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])
    ways = logs[trials] - logs - logs[::-1]
    found: Floats = np.exp(ways + counts * log(share) + counts[::-1] * log(1 - share))
    return found


@dataclass(frozen=True, slots=True)
class ByChance:
    """How many authorities are beyond the limits, how many would be by chance alone, and how much they vary."""

    compared: int
    beyond_95: int
    beyond_95_by_chance: float
    beyond_998: int
    beyond_998_by_chance: float
    dispersion: float | None
    """The mean of squared distances in standard errors, rounding included: about 1 if chance explains everything.
    None if nothing varies.
    """
    overdispersed: bool
    """Whether they vary more than chance alone would 95 times in 100."""


def by_chance(share: float, compared: Iterable[tuple[int, int]], off_by: float = 0) -> ByChance:
    """Return the effect of chance on pairs of successes and trials."""
    pairs = list(compared)
    funnels = [Funnel(share, trials, off_by) for _, trials in pairs]
    places = [funnel.place(successes) for funnel, (successes, _) in zip(funnels, pairs, strict=True)]
    dispersion = _dispersion(share, pairs, off_by)
    return ByChance(
        len(pairs),
        sum(place is not Place.WITHIN for place in places),
        round(sum(funnel.beyond(TAIL_95) for funnel in funnels), 1),
        sum(place is Place.ALARM for place in places),
        round(sum(funnel.beyond(TAIL_998) for funnel in funnels), 1),
        None if dispersion is None else round(dispersion, 1),
        dispersion is not None and dispersion > _chi_square_95(len(pairs)) / len(pairs),
    )


def _dispersion(share: float, pairs: list[tuple[int, int]], off_by: float) -> float | None:
    spread = share * (1 - share)
    if not pairs or not spread:
        return None
    distances = ((n - trials * share) ** 2 / (trials * spread + off_by**2) for n, trials in pairs)
    return sum(distances) / len(pairs)


def _chi_square_95(degrees: int) -> float:
    """Return the value below which a sum of so many squared standard errors is 95 times in 100 (Wilson and Hilferty 1931)."""
    part = 2 / (9 * degrees)
    return float(degrees * (1 - part + NormalDist().inv_cdf(0.95) * sqrt(part)) ** 3)
