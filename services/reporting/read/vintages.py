"""The vintages of figures: as they are now, as known at the end of a day, or as a release froze them."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, select
from sqlalchemy.dialects.postgresql import distinct_on

from services.reporting.read.tables import cells, positions, present, public_cells, release_cells


@dataclass(frozen=True, slots=True)
class Live:
    """Figures as known now."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """Figures as known at the end of this day."""

    day: date


@dataclass(frozen=True, slots=True)
class Released:
    """Figures as frozen in a release, exact."""

    release: str


@dataclass(frozen=True, slots=True)
class Rounded:
    """Figures as a release shows them to the public: only public cells, as multiples that still add up."""

    release: str


Vintage = Live | AsOf | Released | Rounded


@dataclass(frozen=True, slots=True)
class Wanted:
    """The cells to read; None means all. Dates are of the period, both included."""

    measures: tuple[str, ...] | None = None
    categories: tuple[str, ...] | None = None
    authorities: tuple[str, ...] | None = None
    first: date | None = None
    last: date | None = None

    def conditions(self, rows: FromClause) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.measures is not None:
            found.append(rows.c.measure.in_(self.measures))
        if self.categories is not None:
            found.append(rows.c.category.in_(self.categories))
        if self.authorities is not None:
            found.append(rows.c.authority.in_(self.authorities))
        if self.first is not None:
            found.append(rows.c.period >= self.first)
        if self.last is not None:
            found.append(rows.c.period <= self.last)
        return found


def rows_of(vintage: Vintage, wanted: Wanted) -> FromClause:
    """Select rows with measure, authority, period, category and value. Services are not added up yet."""
    match vintage:
        case Live():
            return _columns(present, wanted).subquery("vintage")
        case AsOf(day):
            return _as_of(day, wanted)
        case Released(release):
            return _columns(release_cells, wanted).where(release_cells.c.release == release).subquery("vintage")
        case Rounded(release):
            return _columns(public_cells, wanted).where(public_cells.c.release == release).subquery("vintage")


def _columns(rows: FromClause, wanted: Wanted) -> Select[tuple[Any, ...]]:
    c = rows.c
    return select(c.measure, c.authority, c.period, c.category, c.value).where(*wanted.conditions(rows))


def _as_of(day: date, wanted: Wanted) -> FromClause:
    key = (cells.c.service, cells.c.authority, cells.c.measure, cells.c.category, cells.c.period)
    shown = (
        (positions.c.service == cells.c.service)
        & (positions.c.authority == cells.c.authority)
        & (positions.c.generation == cells.c.generation)
    )
    return (
        select(*key, cells.c.value)
        .ext(distinct_on(*key))
        .select_from(cells.join(positions, shown))
        .where(cells.c.known_on <= day, *wanted.conditions(cells))
        .order_by(*key, cells.c.known_on.desc())
        .subquery("vintage")
    )
