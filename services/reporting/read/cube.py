"""All cells of a vintage in memory, by authority and month, so that the frequent questions of pages are sums of arrays."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BigInteger, ColumnElement, Connection, FromClause, LargeBinary, cast, extract, func, select

from contracts.authorities import AUTHORITIES
from contracts.periods import add_months
from services.reporting.read.queries import Grain, Span, Sums
from services.reporting.read.vintages import Vintage, Wanted, rows_of
from services.reporting.registry.areas import SCOTLAND, areas_of, members
from services.reporting.registry.indicators import Form

_PLACES = {code: place for place, code in enumerate(AUTHORITIES)}
_BIG_ENDIAN = ">i8"
"""The form in which PostgreSQL sends integers."""
Whole = NDArray[np.int64]
CellName = tuple[str, str]
"""Measure and category."""


class Run(NamedTuple):
    """The cells of one name and authority: months and values, as PostgreSQL packs them."""

    measure: str
    category: str
    authority: str
    months: bytes
    values: bytes


@dataclass(frozen=True, slots=True)
class Cube:
    """The cells of a vintage. Callers share them, so the vintage must not change meanwhile."""

    first: date
    """The first month."""
    cells: Mapping[CellName, Whole]
    """By authority, in the order of codes, and month. Cells that are all zero are left out."""
    months: int

    @property
    def nbytes(self) -> int:
        """Return the size in memory."""
        return sum(each.nbytes for each in self.cells.values())

    def there(self) -> Mapping[str, frozenset[date]]:
        """Return, by authority, the months in which any cell is not zero."""
        found = np.zeros((len(_PLACES), self.months), bool)
        for each in self.cells.values():
            found |= each != 0
        return {code: frozenset(map(self._month, np.flatnonzero(found[row]).tolist())) for code, row in _PLACES.items()}

    def reach(self, name: CellName) -> tuple[date, date] | None:
        """Return the first and the last month in which a cell is not zero."""
        if name not in self.cells:
            return None
        found = np.flatnonzero(self.cells[name].any(axis=0)).tolist()
        return (self._month(found[0]), self._month(found[-1])) if found else None

    def sums(self, forms: Iterable[Form], span: Span, grain: Grain, area: str = SCOTLAND) -> Sums:
        """Return the same as `queries.sums`."""
        begin, end = self._at(span.first), self._at(add_months(span.last, 1))
        if begin == end:
            return {}
        labels = [span.label_of(self._month(at), grain.period) for at in range(begin, end)]
        starts = [at for at, label in enumerate(labels) if at == 0 or label != labels[at - 1]]
        areas = areas_of(grain.areas, area)
        rows = [[_PLACES[code] for code in members(each)] for each in areas]
        found: dict[tuple[Form, str, str], int] = {}
        for form in forms:
            by_period = np.add.reduceat(self._of(form)[:, begin:end], starts, axis=1)
            for each, own in zip(areas, rows, strict=True):
                for start, value in zip(starts, by_period[own].sum(axis=0).tolist(), strict=True):
                    if value:
                        found[form, each, labels[start]] = value
        return found

    def _of(self, form: Form) -> Whole:
        found = np.zeros((len(_PLACES), self.months), np.int64)
        for category in form.categories:
            if (form.measure, category) in self.cells:
                found += self.cells[form.measure, category]
        return found

    def _month(self, at: int) -> date:
        return add_months(self.first, at)

    def _at(self, month: date) -> int:
        """Return the place of a month, or the place next to the ends for one outside."""
        return min(max(_number(month) - _number(self.first), 0), self.months)


def _number(month: date) -> int:
    return 12 * month.year + month.month - 1


def read_cube(connection: Connection, vintage: Vintage) -> Cube:
    """Read everything in the vintage, with dates counted as their months."""
    return cube_of(read_runs(connection, rows_of(vintage, Wanted())))


def read_runs(connection: Connection, rows: FromClause, *conditions: ColumnElement[bool]) -> list[Run]:
    """Read cells packed by PostgreSQL: a row for each number would take ten times as long."""
    c = rows.c
    number = 12 * extract("year", c.period) + extract("month", c.period) - 1
    key = (c.measure, c.category, c.authority)
    months, values = (
        func.string_agg(func.int8send(cast(each, BigInteger)), cast(b"", LargeBinary)) for each in (number, c.value)
    )
    return [Run(*row) for row in connection.execute(select(*key, months, values).where(*conditions).group_by(*key))]


def cube_of(runs: Iterable[Run]) -> Cube:
    """Return the cells of these runs; several of one name, authority and month are added up."""
    packed = [(run, np.frombuffer(run.months, _BIG_ENDIAN), np.frombuffer(run.values, _BIG_ENDIAN)) for run in runs]
    if not packed:
        return Cube(date(1, 1, 1), {}, 0)
    first, last = min(int(m.min()) for _, m, _ in packed), max(int(m.max()) for _, m, _ in packed)
    cells: dict[CellName, Whole] = {}
    for run, months, values in packed:
        name = run.measure, run.category
        if name not in cells:
            cells[name] = np.zeros((len(_PLACES), last - first + 1), np.int64)
        np.add.at(cells[name][_PLACES[run.authority]], months - first, values)
    return Cube(date(first // 12, first % 12 + 1, 1), cells, last - first + 1)
