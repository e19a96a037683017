"""What is read, wherever it stands, as limits on sums of cells: by the published definition of the indicator."""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from contracts.periods import months_between, parse_first, quarter_months, year_months
from services.reporting.figures.answers import parts_of
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Form, Indicator, Kind
from services.reporting.registry.population import aged_16_to_70
from tests.support.attacker.program import Cell

Between = tuple[float, float]
Limits = tuple[Mapping[Cell, float], float, float]
INFINITE = float("inf")
LARGEST = 1500
"""Intervals are looked up among shares of so many at most."""
NEVER_PUBLIC = {Kind.OVERDUE, Kind.AGREEMENT}


class Reading(NamedTuple):
    """One figure, and what was read of it: each number as the least and the greatest that it can be."""

    release: int
    indicator: str
    breakdown: str
    category: str
    period: str
    area: str
    numbers: Mapping[str, Between]


class World(NamedTuple):
    """Which cells there can be."""

    areas: Mapping[str, tuple[str, ...]]
    """Every area that figures are about, as authorities."""
    months: tuple[str, ...]

    @property
    def authorities(self) -> tuple[str, ...]:
        """Areas that are made of nothing smaller."""
        return self.areas[SCOTLAND]

    def months_in(self, label: str) -> tuple[str, ...]:
        """The months of a period by its name."""
        return tuple(month for month in _months(label) if month in self.months)


def _months(label: str) -> tuple[str, ...]:
    first, _, last = label.partition("/")
    if "Q" in label:
        days = quarter_months(label)
    elif last:
        days = months_between(parse_first(first), parse_first(last))
    elif int(label[5:7]) == (int(label[2:4]) + 1) % 100 and int(label[5:7]) > 12:
        days = year_months(label)
    else:
        days = (parse_first(label),)
    return tuple(f"{day:%Y-%m}" for day in days)


def around(number: float, precision: float) -> Between:
    """What a rounded number can have been."""
    return number - precision / 2 - 1e-9, number + precision / 2 + 1e-9


def limits(reading: Reading, world: World) -> Iterator[Limits]:
    """What the reading says of cells."""
    indicator = INDICATORS[reading.indicator]
    assert indicator.kind not in NEVER_PUBLIC, "how single orders stand today is never public"
    part = next(p for p in parts_of(indicator, reading.breakdown or None) if p.category == reading.category)
    sums = _Sums(reading, world)
    number = sums.of(part.numerator) if indicator.kind is not Kind.STOCK else sums.stock(indicator)
    whole = None if part.denominator is None else sums.of(part.denominator)
    numbers = reading.numbers
    if "numerator" in numbers:
        yield number, *_times(numbers["numerator"], indicator.divide)
    if "denominator" in numbers and whole is not None:
        yield whole, *numbers["denominator"]
    if "value" in numbers:
        yield from _of_value(reading, len(world.months_in(reading.period)), number, whole)
    if whole is not None and "numerator" not in numbers and "lower" in numbers:
        yield from _of_interval(number, whole, numbers)


def counted(reading: Reading, world: World) -> list[Mapping[Cell, float]]:
    """The sums that the figure is made of."""
    indicator, sums = INDICATORS[reading.indicator], _Sums(reading, world)
    if indicator.kind is Kind.STOCK:
        return [sums.stock(indicator)]
    part = next(p for p in parts_of(indicator, reading.breakdown or None) if p.category == reading.category)
    return [sums.of(form) for form in (part.numerator, part.denominator) if form is not None]


class _Sums(NamedTuple):
    reading: Reading
    world: World

    def of(self, form: Form) -> Mapping[Cell, float]:
        return dict.fromkeys(self._cells(form, self.world.months_in(self.reading.period)), 1.0)

    def stock(self, indicator: Indicator) -> Mapping[Cell, float]:
        """All that was opened up to the last month, less what was closed."""
        assert indicator.minus is not None
        last = self.world.months_in(self.reading.period)[-1]
        months = tuple(month for month in self.world.months if month <= last)
        opened, closed = (self._cells(form, months) for form in (indicator.numerator, indicator.minus))
        return dict.fromkeys(opened, 1.0) | dict.fromkeys(closed, -1.0)

    def _cells(self, form: Form, months: tuple[str, ...]) -> list[Cell]:
        areas = self.world.areas[self.reading.area]
        return [
            Cell(self.reading.release, form.measure, category, month, area)
            for category, month, area in product(form.categories, months, areas)
        ]


def _of_value(
    reading: Reading, months: int, counted: Mapping[Cell, float], whole: Mapping[Cell, float] | None
) -> Iterator[Limits]:
    indicator, value, area = INDICATORS[reading.indicator], reading.numbers["value"], reading.area
    match indicator.kind:
        case Kind.POPULATION_RATE:
            a_year = 12 / months if indicator.per_year else 1
            yield counted, *_times(value, aged_16_to_70(area) / 10_000 / a_year)
        case Kind.SHARE | Kind.MEAN:
            assert whole is not None
            unit = 0.01 if indicator.kind is Kind.SHARE else indicator.divide
            lowest, highest = _times(value, unit)
            yield _minus(counted, whole, lowest), 0, INFINITE
            yield _minus(counted, whole, highest), -INFINITE, 0
        case _:
            yield counted, *_times(value, indicator.divide)


def _of_interval(
    counted: Mapping[Cell, float], whole: Mapping[Cell, float], numbers: Mapping[str, Between]
) -> Iterator[Limits]:
    """By trying every share of up to so many."""
    shares, fits = _wilson(), None
    for name in ("value", "lower", "upper"):
        if name in numbers:
            lowest, highest = numbers[name]
            here = (shares[name] >= lowest) & (shares[name] <= highest)
            fits = here if fits is None else fits & here
    if fits is not None and fits.any():
        yield counted, float(shares["numerator"][fits].min()), float(shares["numerator"][fits].max())
        yield whole, float(shares["denominator"][fits].min()), float(shares["denominator"][fits].max())


@cache
def _wilson() -> Mapping[str, NDArray[np.float64]]:
    """All shares, with their 95 % intervals by the textbook, in percent."""
    pairs = np.array([(n, d) for d in range(1, LARGEST) for n in range(d + 1)], np.float64)
    count, size = pairs[:, 0], pairs[:, 1]
    z, share = NormalDist().inv_cdf(0.975), count / size
    centre = (count + z**2 / 2) / (size + z**2)
    half = z / (size + z**2) * np.sqrt(count * (size - count) / size + z**2 / 4)
    ends = {"lower": np.maximum(100 * (centre - half), 0), "upper": np.minimum(100 * (centre + half), 100)}
    return {"numerator": count, "denominator": size, "value": 100 * share, **ends}


def size_from_limits(share: Between, upper: Between) -> Between:
    """How many a 95 % limit of a funnel is for, by quantiles of the binomial; the shares in percent."""
    sizes = np.arange(1, LARGEST * 10, dtype=np.float64)
    ends = [100 * binom.ppf(0.975, sizes, percent / 100) / sizes for percent in share]
    fits = (np.minimum(*ends) <= upper[1]) & (np.maximum(*ends) >= upper[0])
    return (float(sizes[fits].min()), float(sizes[fits].max())) if fits.any() else (0, INFINITE)


def _minus(one: Mapping[Cell, float], other: Mapping[Cell, float], factor: float) -> Mapping[Cell, float]:
    found = dict(one)
    for cell, weight in other.items():
        found[cell] = found.get(cell, 0) - factor * weight
    return found


def _times(between: Between, factor: float) -> Between:
    return between[0] * factor, between[1] * factor
