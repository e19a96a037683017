"""Drawing from stated shares."""

from bisect import bisect
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import accumulate
from math import exp, log
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Chances(Generic[T]):
    """Values with their shares, which may have any sum."""

    def __init__(self, shares: Mapping[T, float]) -> None:
        self._values = tuple(shares)
        total = sum(shares.values())
        self._limits = tuple(accumulate(share / total for share in shares.values()))[:-1]

    def pick(self, rng: Random) -> T:
        return self._values[bisect(self._limits, rng.random())]


def happens(rng: Random, share: float) -> bool:
    return rng.random() < share


def shifted(share: float, by: float) -> float:
    """Return the share moved by so much on the logit scale, so that it remains a share."""
    return 1 / (1 + exp(-log(share / (1 - share)) - by))


def days_after(day: date, days: float) -> date:
    return day + timedelta(days=int(days))


def day_between(rng: Random, first: date, last: date) -> date:
    """Return a day from `first` to `last`; `first` if `last` is before it."""
    return days_after(first, rng.randint(0, max(0, (last - first).days)))


def poisson(rng: Random, mean: float) -> int:
    """Return how often an event happens whose mean number is `mean`, which must be small."""
    limit, n, product = exp(-mean), 0, rng.random()
    while product > limit:
        n += 1
        product *= rng.random()
    return n
