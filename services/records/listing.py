"""Lists of records, read from their summaries alone: what they cost does not grow with what was told of each order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Text, and_, cast, func, or_, select, text, tuple_

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

    due_on: date
    subject: str
    standard: str
    imposed_on: date


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders a list shows, as seen on the day `today`."""

    today: date
    open: bool | None = None
    missed: str | None = None
    """A standard that was met late, missed for good, or is overdue; or ANY."""
    due_by: date | None = None
    """Something is due from today up to this day."""


def orders(
    connection: Connection, authority: str, wanted: Wanted, after: tuple[date, str] | None, limit: int
) -> list[Row]:
    """Orders imposed, the latest first, from the one behind `after`."""
    query = _rows(authority).where(records.c.imposed_on.is_not(None), *_conditions(wanted))
    if after is not None:
        query = query.where(tuple_(records.c.imposed_on, records.c.subject) < tuple_(*after))
    query = query.order_by(records.c.imposed_on.desc(), records.c.subject.desc()).limit(limit)
    return [_row(row) for row in connection.execute(query)]


def open_with_unpaid_work(connection: Connection, authority: str) -> list[Row]:
    """Every open order with unpaid work."""
    query = _rows(authority).where(records.c.ended_on.is_(None), records.c.standing.has_key("minutes"))
    return [_row(row) for row in connection.execute(query)]


def worklist(
    connection: Connection, authority: str, horizon: date, after: tuple[date, str, str] | None, limit: int
) -> list[Due]:
    """What open orders have missed or must meet up to the horizon, the earliest first."""
    due = func.jsonb_array_elements(records.c.standing["dues"]).table_valued("value").render_derived("due")
    on, standard = due.c.value.op("->>")(text("0")), due.c.value.op("->>")(text("1"))
    query = (
        select(on, records.c.subject, standard, records.c.imposed_on)
        .join_from(records, due, text("true"))
        .where(records.c.authority == authority, records.c.ended_on.is_(None))
        .where(records.c.next_due <= horizon, on <= horizon.isoformat())
    )
    if after is not None:
        query = query.where(tuple_(on, records.c.subject, standard) > tuple_(after[0].isoformat(), *after[1:]))
    rows = connection.execute(query.order_by(on, records.c.subject, standard).limit(limit))
    return [Due(date.fromisoformat(on), subject, standard, imposed) for on, subject, standard, imposed in rows]


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
    found: list[ColumnElement[bool]] = []
    if wanted.open is not None:
        found.append(records.c.ended_on.is_(None) if wanted.open else records.c.ended_on.is_not(None))
    if wanted.missed is not None:
        found.append(_missed(wanted.missed, wanted.today))
    if wanted.due_by is not None:
        soon = _due(f'@[0] >= "{wanted.today}" && @[0] <= "{wanted.due_by}"')
        found.append(and_(records.c.ended_on.is_(None), records.c.next_due <= wanted.due_by, soon))
    return found


def _missed(standard: str, today: date) -> ColumnElement[bool]:
    if standard == ANY:
        return or_(records.c.standing.has_key("late"), records.c.next_due < today)
    overdue = _due(f'@[1] == "{standard}" && @[0] < "{today}"')
    return or_(
        records.c.standing.contains({"late": [standard]}),
        and_(records.c.next_due < today, overdue),
    )


def _due(condition: str) -> ColumnElement[bool]:
    """Whether a due date and its standard fulfil a condition in the language of JSON paths."""
    matches: ColumnElement[bool] = records.c.standing.path_match(f"strict exists($.dues[*] ? ({condition}))")
    return matches
