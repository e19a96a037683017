"""The tables that are published of one split of one total in one year, as sums over authorities, months and categories.

No published number spans two years, so each year is a problem of its own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.reporting.disclosure.linked_tables import STEP, TABLES, CellName, cells_in
from services.reporting.disclosure.rounding import AREAS, CellKey, Cells

YEAR, QUARTER = 12, 3
MOST_CATEGORIES = 7
"""More would take minutes each to hide."""
Counts = NDArray[np.int64]
Row = NDArray[np.float64]


class Kind(StrEnum):
    """The kinds of published numbers."""

    MONTH = "Scotland's months"
    YEAR = "Scotland's year"
    QUARTER = "authorities' quarters"
    AUTHORITY = "authorities' year"
    CATEGORY = "authorities' year by category"


@dataclass(frozen=True)
class Split:
    """One way to split a total. What its categories leave of the total is not published."""

    total: tuple[CellName, ...]
    categories: tuple[CellName, ...]
    exhaustive: bool

    @property
    def width(self) -> int:
        """Return how many counts there are of an authority's month: the last is of the rest, if there can be one."""
        return len(self.categories) + (not self.exhaustive)

    def counts(self, cells: Cells, months: Sequence[date]) -> Counts:
        """Return counts by authority, month and category."""
        return np.array([[self._of(cells, area, month) for month in months] for area in AREAS])

    def _of(self, cells: Cells, area: str, month: date) -> list[int]:
        own = [cells.get(CellKey(*name, month, area), 0) for name in self.categories]
        total = sum(cells.get(CellKey(*name, month, area), 0) for name in self.total)
        return own if self.exhaustive else [*own, max(total - sum(own), 0)]


_OF_AUTHORITIES = (Kind.AUTHORITY, Kind.CATEGORY)


class Name(NamedTuple):
    """A published number: of which place and period, and of which category; None where it is of all."""

    kind: Kind
    area: int | None
    period: int | None
    category: int | None


@dataclass(frozen=True)
class Numbers:
    """All published numbers of a split: each is a row, the sum of some counts."""

    names: tuple[Name, ...]
    rows: csr_array

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(name.kind for name in self.names)

    @cached_property
    def sums(self) -> tuple[tuple[int, list[int]], ...]:
        """Return each number that others add up to, by place, and these."""
        return tuple(self._sums())

    def _sums(self) -> Iterator[tuple[int, list[int]]]:
        at = {name: n for n, name in enumerate(self.names)}
        for whole, n in at.items():
            for parts in _parts(whole, self.names):
                if (self.rows[[n]] - self.rows[parts].sum(axis=0)).sum() == 0:
                    yield n, parts


def _parts(whole: Name, names: tuple[Name, ...]) -> Iterator[list[int]]:
    """Yield what could add up to it: of shorter periods, of each authority, or of each category."""
    shorter = {Kind.YEAR: Kind.MONTH, Kind.AUTHORITY: Kind.QUARTER}.get(whole.kind)
    ways: tuple[Callable[[Name], bool], ...] = (
        lambda name: name.kind is shorter and (name.area, name.category) == (whole.area, whole.category),
        lambda name: whole.kind is Kind.YEAR and name.kind in _OF_AUTHORITIES and name.category == whole.category,
        lambda name: (
            whole.category is None
            and name.category is not None
            and (name.area, name.period) == (whole.area, whole.period)
        ),
    )
    for wanted in ways:
        if parts := [n for n, name in enumerate(names) if wanted(name)]:
            yield parts


def splits() -> list[Split]:
    """Return those of counted things whose categories are published of single authorities."""
    return [
        Split(cells_in(table.totals[0]), split.cells, split.exhaustive)
        for table in TABLES
        if table.step == STEP and not table.yearly and not table.none_without
        for split in table.splits
        if not split.national_only and 1 < len(split.categories) <= MOST_CATEGORIES
    ]


@cache
def numbers(split: Split, months: int) -> Numbers:
    """Scotland by month and year, whole and by category; authorities by quarter and year, and by category in the year.

    Of a year that goes on, so many months are released: no year, and whole quarters only.
    """
    names = tuple(_names(len(split.categories), months))
    shape = len(AREAS), months, split.width
    return Numbers(names, csr_array(np.array([_row(name, shape) for name in names])))


def _names(categories: int, months: int) -> Iterator[Name]:
    columns, is_over = [None, *range(categories)], months == YEAR
    for column in columns:
        yield from (Name(Kind.MONTH, None, month, column) for month in range(months))
        if is_over:
            yield Name(Kind.YEAR, None, None, column)
    for area in range(len(AREAS)):
        yield from (Name(Kind.QUARTER, area, quarter, None) for quarter in range(months // QUARTER))
        for column in columns if is_over else ():
            yield Name(Kind.AUTHORITY if column is None else Kind.CATEGORY, area, None, column)


def _row(name: Name, shape: tuple[int, int, int]) -> Row:
    """Return one at each count that the number sums."""
    row, every = np.zeros(shape), slice(None)
    length = QUARTER if name.kind is Kind.QUARTER else 1
    months = every if name.period is None else slice(length * name.period, length * (name.period + 1))
    area, category = (every if each is None else each for each in (name.area, name.category))
    row[area, months, category] = 1
    return row.reshape(-1)
