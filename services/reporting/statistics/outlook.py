"""How much is still likely to arrive: estimated from how long an authority's own past reports took. Pure.

Reports are counted by the month of the fact and the band of days until they arrived. A recent month shows only what was quick enough, so
the share of each band is taken from months that are old enough to show all of it, and the bands are chained from the slowest down (the
reverse-time, or chain-ladder, estimate). A month's facts are assumed to be spread evenly over its days.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from contracts.periods import add_months, last_day, month_of, months_between

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

EDGES = (1, 7, 31, 92, 366, 731)
"""Days by which all of a band has arrived. Reports that take over two years are not estimated."""
MONTHS_LOOKED_AT = 12
SHORTEST_HISTORY = 92
"""Fewest days of history: in a shorter one, slow reports would seem to be none."""
EVERY_DAYS = 3
"""One day in so many stands for the days of a month."""
FEWEST_REPORTS = 30
"""Fewer past reports than this say nothing about the next."""

METHOD = (
    "From the days that this authority's own reports took to arrive in its past months: the share of each band of days is "
    "taken from the latest 12 months that are old enough to show all of it, and chained from the slowest band down. "
    "Corrections count as reports. Reports that take more than two years are not looked for."
)


class Unknown:
    """Why nothing is estimated."""

    NO_HISTORY = "no history of how long reports take"
    NOTHING_ARRIVED = "nothing has arrived yet"
    NOT_OF_ALL = "nothing has arrived yet of some of its months"


@dataclass(frozen=True, slots=True)
class Outlook:
    """The expectation for one area and period. `expected` is None if `why` says why."""

    arrived: int
    expected: float | None
    why: str | None = None

    @property
    def share(self) -> float | None:
        """Return the share still to come, out of all in the end."""
        if self.expected is None:
            return None
        total = self.arrived + self.expected
        return self.expected / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """The reports that are likely still to arrive after a day, by authority and month."""

    months: Sequence[date]
    day: date
    arrived: Floats
    expected: Floats
    """Not a number if the month is not settled and nothing has arrived, or the authority has no history."""
    known: Bools
    """Which authorities have a history."""

    def of(self, first: date, last: date) -> list[Outlook]:
        """Return each authority's outlook over these months, both included."""
        span = slice(bisect_left(self.months, first), bisect_right(self.months, last))
        sums = (whole[:, span].sum(axis=1).tolist() for whole in (self.arrived, self.expected))
        return [_outlook(*each) for each in zip(*sums, self.known.tolist(), strict=True)]


def _outlook(arrived: float, expected: float, known: bool) -> Outlook:
    if not math.isnan(expected):
        return Outlook(int(arrived), expected)
    lacking = Unknown.NOT_OF_ALL if arrived else Unknown.NOTHING_ARRIVED
    return Outlook(int(arrived), None, lacking if known else Unknown.NO_HISTORY)


def months_needed(day: date) -> tuple[date, ...]:
    """Return the months whose reports an estimate uses, the month of the day last."""
    return months_between(add_months(month_of(day), -MONTHS_LOOKED_AT - EDGES[-1] // 30 - 1), month_of(day))


def estimate(reports: Floats, months: Sequence[date], day: date) -> Estimate:
    """Estimate from reports by authority, month of the fact and band of delay. Earlier months are settled, later ones empty."""
    curves, known = arrival_curves(reports, months, day)
    weights = np.array([_weights(month, day) for month in months])
    share = np.where(known[:, None], curves @ weights.T, np.nan)
    settled = np.array([is_settled(month, day) for month in months])
    arrived = reports.sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = arrived * (1 - share) / share
    expected = np.where(arrived > 0, expected, np.nan)
    return Estimate(months, day, arrived, np.where(settled, 0.0, expected), known)


def is_settled(month: date, day: date) -> bool:
    """Return whether everything that is estimated has had time to arrive."""
    return last_day(month) + timedelta(days=EDGES[-1]) <= day


def arrival_curves(reports: Floats, months: Sequence[date], day: date) -> tuple[Floats, Bools]:
    """Return, by authority, the share that has arrived by each edge, and whether its past says enough.

    Bands so slow that no month is old enough to show them count as empty.
    """
    curves = np.ones((len(reports), len(EDGES)))
    known = np.ones(len(reports), np.bool_)
    for band in range(len(EDGES) - 1, 0, -1):
        old = [place for place, month in enumerate(months) if last_day(month) + timedelta(days=EDGES[band]) <= day]
        seen = reports[:, old[-MONTHS_LOOKED_AT:], :].sum(axis=1)
        slow, up_to = seen[:, band], seen[:, : band + 1].sum(axis=1)
        enough = up_to >= FEWEST_REPORTS
        curves[:, band - 1] = curves[:, band] * np.where(enough, 1 - slow / np.maximum(up_to, 1), 1.0)
        if EDGES[band] <= SHORTEST_HISTORY:
            known &= enough
    return curves, known


def _weights(month: date, day: date) -> Floats:
    """Return the weights with which a month's share of arrivals is made from the shares by each edge: straight lines between these."""
    found = np.zeros(len(EDGES))
    days = [month + timedelta(days=n) for n in range(0, last_day(month).day, EVERY_DAYS)]
    ages = [(day - each).days for each in days if each <= day]
    for age in ages:
        band = next((place for place, edge in enumerate(EDGES) if age <= edge), None)
        if band is None:
            found[-1] += 1
            continue
        below = EDGES[band - 1] if band else -1
        part = (age - below) / (EDGES[band] - below)
        found[band] += part
        if band:
            found[band - 1] += 1 - part
    return found / max(len(ages), 1)
