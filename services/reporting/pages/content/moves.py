"""How much a share changed between two periods, and whether chance explains it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

from contracts.authorities import AUTHORITIES
from services.chassis.web.words import rounded
from services.reporting.disclosure.gate import Row
from services.reporting.disclosure.linked_tables import is_made_good
from services.reporting.registry.indicators import Good, Indicator, Kind
from services.reporting.statistics.intervals import Z_95, difference

Way = Literal["better", "worse", "up", "down", "same"]
MINUS = "\N{MINUS SIGN}"
TOO_WIDE = 100
"""In percentage points: an interval as wide as this covers half of all possible changes."""


@dataclass(frozen=True, slots=True)
class Move:
    """The change from one period to a later one, in percentage points."""

    points: float
    lower: float
    upper: float
    way: Way
    """`same` if chance alone explains it."""

    @property
    def too_few(self) -> bool:
        """Return whether the interval is so wide that it says nothing."""
        return self.upper - self.lower >= TOO_WIDE

    @property
    def interval(self) -> str:
        """Return the interval in words."""
        return f"{_signed(self.lower)} to {_signed(self.upper)}"

    @property
    def verdict(self) -> str:
        """Return the verdict in words."""
        if self.too_few:
            return "Too few to tell"
        if self.way == "same":
            return "No change beyond chance"
        return {"better": "Better", "worse": "Worse", "up": "Up", "down": "Down"}[self.way] + ", beyond chance"

    @property
    def sentence(self) -> str:
        """Return the change, with its interval if that says something."""
        return f"{_signed(self.points)} points" + ("" if self.too_few else f" ({self.interval})")


def move(indicator: Indicator, before: Row | None, now: Row | None, step: int) -> Move | None:
    """Return the change; None if either is not shown, or is no share. Counts are multiples of `step`, or exact if it is 0."""
    if before is None or now is None or not before.denominator or not now.denominator:
        return None
    if before.numerator is None or now.numerator is None or not _are_shares(before, now):
        return None
    counted = (before.numerator, now.numerator), (before.denominator, now.denominator)
    lower, upper = difference(*counted, off_by=step)
    points = 100 * (now.numerator / now.denominator - before.numerator / before.denominator)
    return Move(
        points, 100 * lower, 100 * upper, _way(indicator, *(float(rounded(100 * each)) for each in (lower, upper)))
    )


def differ(before: float, now: float, step: int) -> bool:
    """Return whether two counts differ by more than chance explains (Poisson, 95 %), with an error of one step in each."""
    return abs(now - before) > Z_95 * sqrt(before + now + 2 * step**2)


def none_moved(moves: Sequence[Move], standards: int) -> str:
    """Say that no standard changed beyond chance, and for how many standards there are enough cases to judge."""
    able = sum(not each.too_few for each in moves)
    if not able:
        return "there are too few cases to tell of any standard whether it moved"
    judged = "" if able == standards else " that can be judged"
    said = f"none of the {able} standards{judged} moved" if able > 1 else f"the one standard{judged} did not move"
    return f"{said} by more than chance explains{of_how_many(moves, standards)}"


def of_how_many(moves: Sequence[Move], standards: int) -> str:
    """Say for how many standards there are too few cases to judge; empty if there are none."""
    lacking = standards - sum(not each.too_few for each in moves)
    return f"; for {lacking} of {standards} there is too little to tell" if lacking else ""


def off_by(indicator: Indicator, row: Row, step: int) -> float:
    """Return how far rounding to multiples of `step` may change a value, in its own unit: as far as one step of the counts would.

    Sums over counted items are rounded by each authority alone, so they differ more for areas of many authorities.
    """
    if row.value is None or row.numerator is None:
        return 0.0
    if indicator.kind is Kind.SHARE:
        return 100 * step / row.denominator if row.denominator else 0.0
    apart = 1 if is_made_good(indicator.numerator) or row.authority in AUTHORITIES else sqrt(len(AUTHORITIES))
    return apart * step * abs(row.value / row.numerator) if row.numerator else 0.0


def _are_shares(*rows: Row) -> bool:
    return all(0 <= (row.numerator or 0) <= (row.denominator or 0) for row in rows)


def _way(indicator: Indicator, lower: float, upper: float) -> Way:
    if lower <= 0 <= upper:
        return "same"
    rose = lower > 0
    if indicator.good is Good.NEITHER:
        return "up" if rose else "down"
    return "better" if rose is (indicator.good is Good.HIGHER) else "worse"


def _signed(points: float) -> str:
    size = rounded(abs(points))
    sign = "" if not size else "+" if points > 0 else MINUS
    return f"{sign}{size}"
