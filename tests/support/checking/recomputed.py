"""The figures of a release as its own files have them, and what chance explains of them: worked out by SciPy, and not by Payback's code."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache, cached_property
from io import StringIO
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SCOTLAND = "S92000003"
STEP = 5
"""Counts are published as multiples of this."""
OFF_IN_A_QUARTER, OFF_IN_A_YEAR = 3.5, 4.5
"""The standard deviation that rounding adds to the cases of a share, as the page of each comparison states it for its period."""
FEWEST = 10
MINUS = "\N{MINUS SIGN}"


class Period(NamedTuple):
    """A period as the files name it."""

    kind: str
    label: str

    @property
    def before(self) -> "Period":
        """Return the same a year before."""
        year = int(self.label[:4]) - 1
        return Period(self.kind, f"{year}-{(year + 1) % 100}" if self.kind == "year" else f"{year}{self.label[4:]}")


class Share(NamedTuple):
    """So many out of so many."""

    hit: int
    of: int

    @property
    def exact(self) -> Fraction:
        return Fraction(self.hit, self.of)

    @property
    def percent(self) -> str:
        return f"{tenth(100 * self.exact)}%"


def tenth(number: Fraction | float) -> Decimal:
    """Return the nearest tenth; a half goes up, away from zero."""
    whole = Decimal(number.numerator) / Decimal(number.denominator) if isinstance(number, Fraction) else Decimal(number)
    return round(whole, 9).quantize(Decimal("0.1"), ROUND_HALF_UP)


@dataclass(frozen=True)
class Figures:
    """Every whole figure of a release, without breakdowns."""

    rows: Mapping[tuple[str, str, Period], Mapping[str, str]]

    @classmethod
    def of(cls, files: Iterable[str]) -> "Figures":
        """Read files of `data/`."""
        found = (row for text in files for row in csv.DictReader(StringIO(text)) if not row["breakdown"])
        return cls(
            {(row["indicator"], row["area_code"], Period(row["period_type"], row["period"])): row for row in found}
        )

    def value(self, indicator: str, area: str, period: Period) -> float | None:
        """Return a figure; None if it is not shown."""
        row = self.rows.get((indicator, area, period))
        return float(row["value"]) if row and row["value"] else None

    def exact(self, indicator: str, area: str, period: Period) -> float | None:
        """Return a figure before it was rounded, in a unit of which only ratios matter: from its counts if it is of two."""
        share = self.share(indicator, area, period)
        return self.value(indicator, area, period) if share is None else 100 * float(share.exact)

    def share(self, indicator: str, area: str, period: Period) -> Share | None:
        """Return a share by its counts; None if it is not shown."""
        row = self.rows.get((indicator, area, period))
        if not row or not row["numerator"] or not float(row["denominator"] or 0):
            return None
        return Share(round(float(row["numerator"])), round(float(row["denominator"])))

    def is_settled(self, indicator: str, area: str, period: Period) -> bool:
        """Return whether a figure is of all of its period, and nothing that would count in it can still happen."""
        row = self.rows[indicator, area, period]
        return {row["provisional"].lower(), row["partial"].lower()} == {"false"}

    def areas(self, kind: str) -> dict[str, str]:
        """Return the names of areas of a kind, by code."""
        return self._areas[kind]

    @cached_property
    def _areas(self) -> Mapping[str, dict[str, str]]:
        found = defaultdict[str, dict[str, str]](dict)
        for row in self.rows.values():
            found[row["area_type"]][row["area_code"]] = row["area"]
        return found

    def periods(self, kind: str) -> list[Period]:
        """Return all periods of a kind, the earliest first."""
        return [period for period in self._periods if period.kind == kind]

    @cached_property
    def _periods(self) -> list[Period]:
        return sorted({period for _, _, period in self.rows})


@cache
def _stats() -> Any:
    """Return SciPy's statistics when they are first wanted: all workers import this file, and one needs them."""
    from scipy import stats

    return stats


def wilson(share: Share) -> tuple[float, float]:
    """Return the 95 % interval of a share."""
    found = _stats().binomtest(share.hit, share.of).proportion_ci(0.95, "wilson")
    return float(found.low), float(found.high)


def interval(share: Share) -> str:
    """Return the interval as pages write it."""
    lower, upper = (tenth(100 * each) for each in wilson(share))
    return f"{lower}% to {upper}%"


class Change(NamedTuple):
    """How a share changed, in percentage points, with the interval that takes in chance and rounding."""

    points: float
    lower: float
    upper: float

    @property
    def too_few(self) -> bool:
        return self.upper - self.lower >= 100

    @property
    def way(self) -> str:
        """Return `same`, unless the interval as it is printed has no zero in it."""
        lower, upper = tenth(self.lower), tenth(self.upper)
        return "better" if lower > 0 else "worse" if upper < 0 else "same"


def change(before: Share | None, now: Share | None) -> Change | None:
    """Return the change with Newcombe's interval (method 10), to whose squares the rounding of both shares is added."""
    if before is None or now is None:
        return None
    (low_before, high_before), (low_now, high_now) = wilson(before), wilson(now)
    was, is_now = float(before.exact), float(now.exact)
    rounding = sum((_stats().norm.ppf(0.975) * STEP / each.of) ** 2 for each in (before, now))
    down = sqrt((is_now - low_now) ** 2 + (high_before - was) ** 2 + rounding)
    up = sqrt((high_now - is_now) ** 2 + (was - low_before) ** 2 + rounding)
    points = is_now - was
    return Change(100 * points, 100 * max(-1.0, points - down), 100 * min(1.0, points + up))


def signed(points: float) -> str:
    """Return points with their sign."""
    size = tenth(abs(points))
    return f"{'' if not size else '+' if points > 0 else MINUS}{size}"


def counts_differ(before: float, now: float) -> bool:
    """Return whether two counts differ by more than chance (Poisson, 95 %) and a step of rounding in each explain."""
    spread = sqrt(before + now + 2 * STEP**2)
    return bool(abs(now - before) > _stats().norm.ppf(0.975) * spread)


class Funnel(NamedTuple):
    """The chance of each count of one authority, rounding included, if it were like Scotland."""

    chances: NDArray[np.float64]
    """Of each count, from as far below 0 as rounding reaches."""
    tails: NDArray[np.float64]
    """The chance of so many or fewer, or of so many or more, whichever is less."""
    of: int
    reach: int

    def place(self, hit: int) -> int:
        """Return 0 within the limits, 1 outside those of 95 %, 2 outside those of 99.8 %."""
        tail = self.tails[hit + self.reach]
        return 2 if tail < 0.001 else 1 if tail < 0.025 else 0

    def inside(self, outside: int) -> str:
        """Return the limits as printed: the fewest and the most of all possible counts whose place is nearer than `outside`."""
        within = [each for each in range(self.of + 1) if self.place(each) < outside]
        lower, upper = (tenth(Fraction(100 * each, self.of)) for each in (within[0], within[-1]))
        return f"{lower} to {upper}"

    def chance_of(self, outside: int) -> float:
        """Return the chance to be published with a count that is so far outside; none is published below 0 or above all."""
        told = (min(max(place - self.reach, 0), self.of) for place in range(len(self.chances)))
        return float(sum(p for hit, p in zip(told, self.chances, strict=True) if self.place(hit) >= outside))


@cache
def funnel(share: Fraction, of: int, off: float) -> Funnel:
    """Return the binomial of this size, with rounding as a normal error in whole cases, of up to four standard deviations."""
    reach = round(4 * off)
    errors = np.arange(-reach, reach + 1)
    rounding = _stats().norm.cdf(errors + 0.5, 0, off) - _stats().norm.cdf(errors - 0.5, 0, off)
    chances = np.convolve(_stats().binom.pmf(np.arange(of + 1), of, float(share)), rounding / rounding.sum())
    return Funnel(chances, np.minimum(np.cumsum(chances), np.cumsum(chances[::-1])[::-1]), of, reach)


def placed(own: Share | None, scotland: Share | None, off: float) -> int | None:
    """Return the place of an authority: below zero if it is below Scotland; None if it is not compared."""
    if own is None or scotland is None or own.of < FEWEST:
        return None
    found = funnel(scotland.exact, own.of, off).place(own.hit)
    return found if own.exact > scotland.exact else -found


def dispersion(compared: Sequence[Share], scotland: Share, off: float) -> tuple[float, bool]:
    """Return the mean of squared distances in standard errors, and whether chance would make it so large in fewer than 1 of 20."""
    p = float(scotland.exact)
    distances = [(each.hit - each.of * p) ** 2 / (each.of * p * (1 - p) + off**2) for each in compared]
    return float(np.mean(distances)), bool(sum(distances) > _stats().chi2.ppf(0.95, len(distances)))


def listed(names: Sequence[str]) -> str:
    """Return names in words."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
