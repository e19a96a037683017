"""Signals beyond chance in a monthly series: runs on one side of the median. Pure; the rules are shown on the pages.

A shift is 8 or more months on one side of the median with none on the other. A trend is 5 or more rises, or falls, in a row. A month
without a figure ends a run; a month on the median neither ends nor lengthens one. Provisional months are never used. If figures are
rounded, a month that is nearer to the median than rounding explains counts as on it, and a rise or fall that rounding explains counts as
none.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median
from typing import Literal, NamedTuple

SHIFT_MONTHS = 8
TREND_STEPS = 5
_INEXACT = 1e-9
"""How far a difference of two shares may be from what it is, since floats hold neither: a difference of just one step counted as more."""

Value = float | None


class Signal(NamedTuple):
    """A run, by the places in the series at which it begins and ends. A trend begins with the month from which it first rises or falls."""

    kind: Literal["shift", "trend"]
    way: Literal["above", "below", "up", "down"]
    first: int
    last: int
    times: int
    """How many months are on that side, or how many rises or falls there are."""


def middle(series: Sequence[Value]) -> float | None:
    """Return the median of the known values; None if there are none."""
    known = [value for value in series if value is not None]
    return median(known) if known else None


def signals(series: Sequence[Value], off_by: Sequence[float] = ()) -> list[Signal]:
    """Return every shift and trend, in the order in which they begin. `off_by` is how far rounding may change each value; not at all if
    left out.
    """
    off = off_by or [0.0] * len(series)
    return sorted([*_shifts(series, off), *_trends(series, off)], key=lambda each: (each.first, each.kind))


def _shifts(series: Sequence[Value], off: Sequence[float]) -> Iterator[Signal]:
    at = middle(series)
    sides = [(place, _side(value, at, off[place])) for place, value in enumerate(series)]
    told = [each for each in sides if each[1] or series[each[0]] is None]
    for side, run in groupby(told, key=lambda each: each[1]):
        places = [place for place, _ in run]
        if side and len(places) >= SHIFT_MONTHS:
            yield Signal("shift", "above" if side > 0 else "below", places[0], places[-1], len(places))


def _side(value: Value, at: Value, off: float) -> int:
    """Return 1 for above and -1 for below; 0 if it is neither, or by no more than rounding explains."""
    if value is None or at is None or abs(value - at) <= off + _INEXACT:
        return 0
    return 1 if value > at else -1


def _trends(series: Sequence[Value], off: Sequence[float]) -> Iterator[Signal]:
    both = (sum(each) for each in pairwise(off))
    ways = [
        (place, _side(after, before, by))
        for place, ((before, after), by) in enumerate(zip(pairwise(series), both, strict=True))
    ]
    for way, run in groupby(ways, key=lambda each: each[1]):
        places = [place for place, _ in run]
        if way and len(places) >= TREND_STEPS:
            yield Signal("trend", "up" if way > 0 else "down", places[0], places[-1] + 1, len(places))
