"""Signals beyond chance in a monthly series: runs on one side of the median. Pure; the rules are shown on the pages.

A shift is 8 or more months in a row on one side of the median. A trend is 6 or more months, each above (or each below) the one before. A
month without a figure ends a run; a month on the median neither ends nor lengthens one. Provisional months are never looked at.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median
from typing import Literal, NamedTuple

SHIFT_MONTHS = 8
TREND_MONTHS = 6

Value = float | None


class Signal(NamedTuple):
    """A run, by the places in the series at which it begins and ends."""

    kind: Literal["shift", "trend"]
    way: Literal["above", "below", "up", "down"]
    first: int
    last: int


def middle(series: Sequence[Value]) -> float | None:
    """The median of what is known; None where nothing is."""
    known = [value for value in series if value is not None]
    return median(known) if known else None


def signals(series: Sequence[Value]) -> list[Signal]:
    """Every shift and trend, in the order in which they begin."""
    return sorted([*_shifts(series), *_trends(series)], key=lambda each: (each.first, each.kind))


def _shifts(series: Sequence[Value]) -> Iterator[Signal]:
    at = middle(series)
    sides = [(place, _side(value, at)) for place, value in enumerate(series) if value is None or value != at]
    for side, run in groupby(sides, key=lambda each: each[1]):
        places = [place for place, _ in run]
        if side and len(places) >= SHIFT_MONTHS:
            yield Signal("shift", "above" if side > 0 else "below", places[0], places[-1])


def _side(value: Value, at: float | None) -> int:
    return 0 if value is None or at is None else (value > at) - (value < at)


def _trends(series: Sequence[Value]) -> Iterator[Signal]:
    ways = [(place, _side(after, before)) for place, (before, after) in enumerate(pairwise(series))]
    for way, run in groupby(ways, key=lambda each: each[1]):
        places = [place for place, _ in run]
        if way and len(places) + 1 >= TREND_MONTHS:
            yield Signal("trend", "up" if way > 0 else "down", places[0], places[-1] + 1)
