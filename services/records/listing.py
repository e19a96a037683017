"""Lists of records, read from their summaries alone: what they cost does not grow with what was told of each order."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from heapq import nsmallest
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Text, and_, cast, func, or_, select, tuple_

from services.records.record import Record, load
from services.records.summary import Standing
from services.records.tables import cells, records

ANY = "any"
"""Any standard."""


class Row(NamedTuple):
    """One order as lists show it."""

    subject: str
    imposed_on: date
    ended_on: date | None
    standing: Standing


class Due(NamedTuple):
    """A standard of an open order that is not met yet."""

    by: date
    """The earlier of the two days on which it is due."""
    subject: str
    standard: str
    imposed_on: date
    due_on: date
    own_target_on: date | None
    """By the authority's own target."""


class Horizon(NamedTuple):
    """How far a worklist looks."""

    until: date
    reach: date
    """The last day on which a national standard can be due whose own target is due by then."""
    own_due: Callable[[str, date], date | None]
    """When the own target of a standard is due, for an order imposed on a day."""

    def dues_of(self, row: Row) -> Iterator[Due]:
        for due_on, standard in row.standing.dues:
            own = self.own_due(standard, row.imposed_on)
            by = due_on if own is None else min(due_on, own)
            if by <= self.until:
                yield Due(by, row.subject, standard, row.imposed_on, due_on, own)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders a list shows, as seen on the day `today`."""

    today: date
    open: bool | None = None
    missed: str | None = None
    """A standard that was met late, missed for good, or is overdue; or ANY."""
    due_by: date | None = None
    """Something is due from today up to this day."""

    def shows(self, row: Row) -> bool:
        """Whether the dates of its standing are what is wanted."""
        dues = row.standing.dues
        if self.due_by is not None and not any(self.today <= due <= self.due_by for due, _ in dues):
            return False
        if self.missed in (None, ANY) or self.missed in row.standing.late:
            return True
        return any(due < self.today and standard == self.missed for due, standard in dues)


def orders(
    connection: Connection, authority: str, wanted: Wanted, after: tuple[date, str] | None, limit: int
) -> list[Row]:
    """Orders imposed, the latest first, from the one behind `after`."""
    query = _rows(authority).where(records.c.imposed_on.is_not(None), *_conditions(wanted))
    query = query.order_by(records.c.imposed_on.desc(), records.c.subject.desc())
    found: list[Row] = []
    step = limit
    while len(found) < limit:
        behind = (
            query if after is None else query.where(tuple_(records.c.imposed_on, records.c.subject) < tuple_(*after))
        )
        rows = [_row(row) for row in connection.execute(behind.limit(step))]
        found += filter(wanted.shows, rows)
        if len(rows) < step:
            break
        after, step = (rows[-1].imposed_on, rows[-1].subject), step * 4
    return found[:limit]


def open_with_unpaid_work(connection: Connection, authority: str) -> list[Row]:
    """Every open order with unpaid work."""
    query = _rows(authority).where(records.c.ended_on.is_(None), records.c.standing.has_key("minutes"))
    return [_row(row) for row in connection.execute(query)]


def worklist(
    connection: Connection, authority: str, horizon: Horizon, after: tuple[date, str, str] | None, limit: int
) -> list[Due]:
    """What open orders have missed or must meet up to the horizon, the earliest first."""
    query = _rows(authority).where(records.c.ended_on.is_(None), records.c.next_due <= horizon.reach)
    return first_dues(map(_row, connection.execute(query)), horizon, after, limit)


def first_dues(rows: Iterable[Row], horizon: Horizon, after: tuple[date, str, str] | None, limit: int) -> list[Due]:
    """The earliest of what these orders have missed or must meet up to the horizon."""
    dues = (due for row in rows for due in horizon.dues_of(row))
    return nsmallest(limit, (due for due in dues if after is None or due[:3] > after))


def with_findings(
    connection: Connection, authority: str, rule: str | None, after: str, limit: int
) -> list[tuple[str, Record]]:
    """Records that break a rule, by subject."""
    query = _facts(authority).where(records.c.standing.has_key("findings"), records.c.subject > after)
    if rule is not None:
        query = query.where(records.c.standing.contains({"findings": [rule]}))
    return list(_loaded(connection, query.order_by(records.c.subject).limit(limit)))


def of_year(connection: Connection, authority: str, first: date, last: date) -> Iterable[tuple[str, Record]]:
    """Records of orders imposed or ended from the first to the last day, by subject."""
    imposed, ended = records.c.imposed_on.between(first, last), records.c.ended_on.between(first, last)
    query = _facts(authority).where(records.c.imposed_on.is_not(None), or_(imposed, ended))
    return _loaded(connection, query.order_by(records.c.subject).execution_options(yield_per=500))


def one(connection: Connection, authority: str, subject: str) -> Record | None:
    """The record of one order."""
    found = list(_loaded(connection, _facts(authority).where(records.c.subject == subject)))
    return found[0][1] if found else None


def cell_sums(
    connection: Connection, authority: str, measures: Iterable[str], first: date, last: date
) -> dict[tuple[str, date, str], int]:
    """The authority's own cells of these measures, with periods from the first to the last day."""
    key = (cells.c.measure, cells.c.period, cells.c.category)
    query = (
        select(*key, func.sum(cells.c.delta))
        .where(cells.c.authority == authority, cells.c.measure.in_(set(measures)), cells.c.period.between(first, last))
        .group_by(*key)
    )
    return {(m, p, c): int(value) for m, p, c, value in connection.execute(query) if value}


def _rows(authority: str) -> Select[Any]:
    columns = (records.c.subject, records.c.imposed_on, records.c.ended_on, cast(records.c.standing, Text))
    return select(*columns).where(records.c.authority == authority)


def _facts(authority: str) -> Select[Any]:
    return select(records.c.subject, cast(records.c.facts, Text)).where(records.c.authority == authority)


def _loaded(connection: Connection, query: Select[Any]) -> Iterable[tuple[str, Record]]:
    for subject, facts in connection.execute(query):
        yield subject, load(facts.encode())


_standing = msgspec.json.Decoder(Standing)
_CLEAR = Standing()


def _row(row: Any) -> Row:
    subject, imposed, ended, standing = row
    return Row(subject, imposed, ended, _standing.decode(standing) if standing else _CLEAR)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What PostgreSQL can tell quickly; `Wanted.shows` decides about the dates inside a standing."""
    found: list[ColumnElement[bool]] = []
    if wanted.open is not None:
        found.append(records.c.ended_on.is_(None) if wanted.open else records.c.ended_on.is_not(None))
    if wanted.missed is not None:
        found.append(_missed(wanted.missed, wanted.today))
    if wanted.due_by is not None:
        found.append(and_(records.c.ended_on.is_(None), records.c.next_due <= wanted.due_by))
    return found


def _missed(standard: str, today: date) -> ColumnElement[bool]:
    if standard == ANY:
        return or_(records.c.standing.has_key("late"), records.c.next_due < today)
    pending = records.c.standing.contains({"dues": [[standard]]})
    late = and_(records.c.standing.has_key("late"), records.c.standing["late"].contains([standard]))
    return or_(late, and_(records.c.next_due < today, pending))
