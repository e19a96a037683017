"""How much is still likely to arrive: from how long an authority's own past reports took. Pure.

Reports are counted by the month of the fact and the band of days until they arrived. A recent month shows only what was quick
enough, so the share of each band is taken from months that are old enough to show all of it, and the bands are chained from
the slowest down (the reverse-time, or chain-ladder, estimate). A month's facts are taken as spread evenly over its days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.reporting.periods import last_day, months_between

EDGES = (1, 7, 31, 92, 366, 731)
"""Days by which all of a band has arrived. What takes over two years is not looked for."""
MONTHS_LOOKED_AT = 12
SHORTEST_HISTORY = 92
"""Days that the past must show: a shorter one would take slow reports for none."""
EVERY_DAYS = 3
"""Days of a month that stand for all of them."""
FEWEST_REPORTS = 30
"""Fewer past reports than this say nothing about the next."""

METHOD = (
    "From the days that this authority's own reports took to arrive in its past months: the share of each band of days is "
    "taken from the latest 12 months that are old enough to show all of it, and chained from the slowest band down. "
    "Corrections count as reports. Reports that take more than two years are not looked for."
)

Arrived = Mapping[date, Sequence[int]]
"""By month of the fact: how many reports arrived, by band."""


class Unknown:
    """Why nothing is estimated."""

    NO_HISTORY = "no history of how long reports take"
    NOTHING_ARRIVED = "nothing has arrived yet"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of one authority and period. `share` is of all reports in the end, and None where `why` says why."""

    arrived: int
    expected: float | None
    why: str | None = None

    @property
    def share(self) -> float | None:
        """Still to come, of all in the end."""
        if self.expected is None:
            return None
        total = self.arrived + self.expected
        return self.expected / total if total else 0.0


def outlook(arrived: Arrived, first: date, last: date, day: date) -> Outlook:
    """What is likely still to arrive after the day, about the months from first to last."""
    known = sum(sum(arrived.get(month, ())) for month in months_between(first, last))
    curve = arrival_curve(arrived, day)
    expected = 0.0
    for month in months_between(first, last):
        if is_settled(month, day) or month > day:
            continue
        here = sum(arrived.get(month, ()))
        if curve is None:
            return Outlook(known, None, Unknown.NO_HISTORY)
        share = _arrived_by(curve, month, day)
        if not here or not share:
            return Outlook(known, None, Unknown.NOTHING_ARRIVED)
        expected += here * (1 - share) / share
    return Outlook(known, expected)


def is_settled(month: date, day: date) -> bool:
    """Whether all that is looked for has had its time."""
    return last_day(month) + timedelta(days=EDGES[-1]) <= day


def arrival_curve(arrived: Arrived, day: date) -> tuple[float, ...] | None:
    """The share that has arrived by each edge; None where the past says too little.

    The slowest bands that no month is old enough to show are taken as empty.
    """
    shares = [1.0]
    counted = 0
    for band in range(len(EDGES) - 1, 0, -1):
        slow, up_to = _old_enough(arrived, band, day)
        if EDGES[band] >= SHORTEST_HISTORY:
            counted = max(counted, up_to)
        shares.append(shares[-1] * (1 - slow / up_to) if up_to >= FEWEST_REPORTS else shares[-1])
    return tuple(reversed(shares)) if counted >= FEWEST_REPORTS else None


def _old_enough(arrived: Arrived, band: int, day: date) -> tuple[int, int]:
    """Reports in the band, and up to it, of the latest months all of whose facts are old enough for it."""
    old = [month for month in sorted(arrived) if last_day(month) + timedelta(days=EDGES[band]) <= day]
    counts = [arrived[month] for month in old[-MONTHS_LOOKED_AT:]]
    return sum(each[band] for each in counts), sum(sum(each[: band + 1]) for each in counts)


def _arrived_by(curve: Sequence[float], month: date, day: date) -> float:
    """The share of the month's facts so far that has arrived by the end of the day."""
    days = (month + timedelta(days=n) for n in range(0, last_day(month).day, EVERY_DAYS))
    ages = [(day - each).days for each in days if each <= day]
    return sum(_share_at(curve, age) for age in ages) / len(ages) if ages else 0.0


def _share_at(curve: Sequence[float], age: int) -> float:
    """Straight lines between the edges."""
    low_edge, low = -1, 0.0
    for edge, share in zip(EDGES, curve, strict=True):
        if age <= edge:
            return low + (share - low) * (age - low_edge) / (edge - low_edge)
        low_edge, low = edge, share
    return 1.0
