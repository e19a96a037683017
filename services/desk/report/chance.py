"""Tests whether two shares differ by more than chance, pure."""

from collections.abc import Sequence
from enum import StrEnum
from math import sqrt
from typing import NamedTuple

Z = 1.96
"""The limit beyond which chance alone would put one difference in twenty."""
FEWEST = 10
"""With fewer cases than this, nothing is said of a difference."""


class Share(NamedTuple):
    """A number of cases out of a total."""

    met: float
    of: float

    @property
    def percent(self) -> float:
        """Return the share in percent. Raises ZeroDivisionError if the total is 0."""
        return 100 * self.met / self.of


class Difference(StrEnum):
    """The difference between two shares, as far as it is more than chance."""

    TOO_FEW = "too few cases to tell"
    BY_CHANCE = "no difference beyond chance"
    HIGHER = "higher, by more than chance"
    LOWER = "lower, by more than chance"


def trend(shares: Sequence[Share]) -> Difference:
    """Return whether the shares rise or fall from each to the next: the test of Cochran and Armitage for a trend."""
    of = sum(share.of for share in shares)
    if of < 2 * FEWEST:
        return Difference.TOO_FEW
    pooled = sum(share.met for share in shares) / of
    middle = sum(time * share.of for time, share in enumerate(shares)) / of
    rise = sum((time - middle) * share.met for time, share in enumerate(shares))
    spread = sqrt(pooled * (1 - pooled) * sum(share.of * (time - middle) ** 2 for time, share in enumerate(shares)))
    if spread == 0 or abs(rise) <= Z * spread:
        return Difference.BY_CHANCE
    return Difference.HIGHER if rise > 0 else Difference.LOWER


def compared(before: Share, after: Share) -> Difference:
    """Return what can be said of the second compared with the first: the test of two proportions, pooled."""
    if min(before.of, after.of) < FEWEST:
        return Difference.TOO_FEW
    pooled = (before.met + after.met) / (before.of + after.of)
    spread = sqrt(pooled * (1 - pooled) * (1 / before.of + 1 / after.of))
    gap = after.met / after.of - before.met / before.of
    if spread == 0 or abs(gap) <= Z * spread:
        return Difference.BY_CHANCE
    return Difference.HIGHER if gap > 0 else Difference.LOWER


def found(difference: Difference) -> str:
    """Return the difference in words."""
    return {
        Difference.HIGHER: "it rose by more than chance",
        Difference.LOWER: "it fell by more than chance",
    }.get(difference, str(difference))
