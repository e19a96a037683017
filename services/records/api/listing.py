"""Lists of records, read from their summaries alone, so that their cost does not grow with the facts of each order."""

from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from heapq import nsmallest
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from contracts.categories import MISSED, OUT_OF_REACH
from contracts.events import AUTHORITY_SUBJECT
from services.records.api.duties.due import Due, Horizon, Row
from services.records.ingest.recount import FETCHED
from services.records.ingest.tables import cells, records
from services.records.model.record import Record, load
from services.records.model.standards import ROWS

ANY = "any"
"""Any standard."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of a list of orders, as of the day `today`."""

    today: date
    open: bool | None = None
    missed: str | None = None
    """A standard that was met late, missed for good, or is overdue; or ANY."""
    due_by: date | None = None
    """Something is due from today up to this day."""
    caseload: str = ""
    """Only orders of this caseload; empty for all."""
    subjects: Collection[str] = ()
    """Only these orders; none for all."""

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        if self.open is not None:
            yield records.c.ended_on.is_(None) if self.open else records.c.ended_on.is_not(None)
        if self.subjects:
            yield records.c.subject.in_(self.subjects)
        if self.caseload:
            yield records.c.standing["caseload"].astext == self.caseload
        if self.missed is not None:
            yield _missed(self.missed, self.today)
        if self.due_by is not None:
            yield and_(
                records.c.ended_on.is_(None),
                records.c.next_due <= self.due_by,
                _is_due("@[0] >= $today && @[0] <= $by", today=self.today, by=self.due_by),
            )


def orders(
    connection: Connection, authority: str, wanted: Wanted, after: tuple[date, str] | None, limit: int
) -> list[Row]:
    """Return imposed orders, the latest first, beginning after the order `after`."""
    query = _rows(authority).where(records.c.imposed_on.is_not(None), *wanted.conditions())
    if after is not None:
        query = query.where(tuple_(records.c.imposed_on, records.c.subject) < tuple_(*after))
    query = query.order_by(records.c.imposed_on.desc(), records.c.subject.desc()).limit(limit)
    return sorted(_read(connection, query), key=lambda row: (row.imposed_on, row.subject), reverse=True)


def open_with_unpaid_work(connection: Connection, authority: str) -> list[Row]:
    """Return every open order with unpaid work."""
    query = _rows(authority).where(records.c.ended_on.is_(None), records.c.standing.has_key("minutes"))
    return _read(connection, query)


def worklist(
    connection: Connection, authority: str, horizon: Horizon, after: tuple[date, str, str] | None, limit: int
) -> list[Due]:
    """Return the standards that open orders have missed or must meet up to the horizon, the earliest first."""
    # Without these, each order fills a line by its next due date.
    whole = horizon.own_due or horizon.left_out or horizon.caseload
    last = None if whole else _end_of_page(authority, horizon.until, after, limit)
    return first_dues(_with_dues(connection, authority, horizon, last), horizon, after, limit)


def all_dues(connection: Connection, authority: str, horizon: Horizon) -> list[Due]:
    """Return the whole worklist at once, in no particular order."""
    return [due for row in _with_dues(connection, authority, horizon) for due in horizon.dues_of(row)]


def _with_dues(
    connection: Connection, authority: str, horizon: Horizon, last: ColumnElement[date] | None = None
) -> list[Row]:
    """Return open orders whose next due date lies within reach, or not after `last`."""
    near = records.c.next_due <= (horizon.reach if last is None else last)
    return _read(connection, _rows(authority).where(records.c.ended_on.is_(None), near))


def _end_of_page(authority: str, until: date, after: tuple[date, str, str] | None, limit: int) -> ColumnElement[date]:
    """Return the due date by which a page is full. Each order gives at least one line, at its next due date, so later orders need not be
    read.
    """
    due = records.c.next_due
    begun = () if after is None else (due > after[0],)
    query = select(due).where(records.c.authority == authority, records.c.ended_on.is_(None), due <= until, *begun)
    return func.coalesce(query.order_by(due).offset(limit - 1).limit(1).scalar_subquery(), until)


def first_dues(rows: Iterable[Row], horizon: Horizon, after: tuple[date, str, str] | None, limit: int) -> list[Due]:
    """Return the earliest standards that these orders have missed or must meet up to the horizon."""
    dues = (due for row in rows for due in horizon.dues_of(row))
    return nsmallest(limit, (due for due in dues if after is None or due[:3] > after))


def with_findings(
    connection: Connection, authority: str, rule: str | None, since: date | None, after: str, limit: int
) -> Iterable[tuple[str, Record]]:
    """Yield records that break a rule, by subject; with `since`, only those whose latest finding became known on or after that day."""
    query = _facts(authority).where(records.c.standing.has_key("findings"), records.c.subject > after)
    if rule is not None:
        query = query.where(records.c.standing.contains({"findings": [rule]}))
    if since is not None:
        query = query.where(records.c.standing["wrong_since"].astext >= f"{since}")
    return _loaded(connection, query.order_by(records.c.subject).limit(limit))


_COUNTED = text(
    "SELECT rule, count(*), count(*) FILTER (WHERE standing ->> 'wrong_since' >= :since) "
    "FROM records, jsonb_array_elements_text(standing -> 'findings') AS rule "
    "WHERE authority = :authority AND standing ? 'findings' GROUP BY rule"
)


def finding_counts(connection: Connection, authority: str, since: date) -> dict[str, tuple[int, int]]:
    """Count the orders that break each rule, and those whose latest contradiction arrived on or after a day."""
    rows = connection.execute(_COUNTED, {"authority": authority, "since": f"{since}"})
    return {rule: (number, newly) for rule, number, newly in rows}


def of_year(connection: Connection, authority: str, first: date, last: date) -> Iterable[tuple[str, Record]]:
    """Yield the records of orders imposed or ended from the first to the last day, by subject."""
    imposed, ended = records.c.imposed_on.between(first, last), records.c.ended_on.between(first, last)
    query = _facts(authority).where(records.c.imposed_on.is_not(None), or_(imposed, ended))
    return _loaded(connection, query.order_by(records.c.subject))


def counting_in(
    connection: Connection, authority: str, period: date, names: Container[str]
) -> Iterable[tuple[str, Record]]:
    """Yield the records that may count in cells of that period, by subject, with the facts of these names."""
    # Null until a worker of this version has counted the record.
    begins, ends = records.c.counts_from, records.c.counts_until
    near = and_(or_(begins <= period, begins.is_(None)), or_(ends >= period, ends.is_(None)))
    query = _facts(authority).where(near).order_by(records.c.subject)
    return _loaded(connection, query, names)


def counting_elsewhere(connection: Connection, authority: str, period: date, examples: int) -> tuple[int, list[str]]:
    """Count the authority's orders that count in other periods only, and name some of them. What it said of itself is no order."""
    far = or_(records.c.counts_from > period, records.c.counts_until < period) & (
        records.c.subject != AUTHORITY_SUBJECT
    )
    query = select(records.c.subject).where(records.c.authority == authority, far)
    number = connection.scalar(select(func.count()).select_from(query.subquery())) or 0
    return number, list(connection.scalars(query.order_by(records.c.subject).limit(examples)))


def one(connection: Connection, authority: str, subject: str) -> Record | None:
    """Return the record of one order; None if there is none."""
    found = connection.execute(_facts(authority).where(records.c.subject == subject)).one_or_none()
    return load(found.facts.encode()) if found else None


def cell_sums(
    connection: Connection, authority: str, measures: Iterable[str], first: date, last: date
) -> dict[tuple[str, date, str], int]:
    """Return the authority's own cells of these measures, with periods from the first to the last day."""
    key = (cells.c.measure, cells.c.period, cells.c.category)
    query = (
        select(*key, func.sum(cells.c.delta))
        .where(cells.c.authority == authority, cells.c.measure.in_(set(measures)), cells.c.period.between(first, last))
        .group_by(*key)
    )
    return {(m, p, c): int(value) for m, p, c, value in connection.execute(query) if value}


def ever_counted_before(connection: Connection, authority: str, measure: str, day: date) -> bool:
    """Return whether a cell of the measure ever counted anything of an earlier period."""
    earlier = (cells.c.authority == authority) & (cells.c.measure == measure) & (cells.c.period < day)
    query = select(cells.c.version).where(earlier, cells.c.delta > 0)
    return connection.scalar(query.limit(1)) is not None


def ever_recorded(connection: Connection, authority: str, standards: Iterable[str]) -> set[str]:
    """Return those standards of which the authority ever recorded that one was met, in time or late, or need not be met."""
    return {name for name in standards if _ever_counted(connection, authority, _MEASURES.get(name, ""))}


def _ever_counted(connection: Connection, authority: str, measure: str) -> bool:
    """Return whether a cell of the measure ever counted something done; True for a standard without a measure."""
    if not measure:
        return True
    done = cells.c.category.not_in((MISSED, OUT_OF_REACH)) & (cells.c.delta > 0)
    query = select(cells.c.version).where(cells.c.authority == authority, cells.c.measure == measure, done)
    return connection.scalar(query.limit(1)) is not None


_MEASURES = {row.name: row.measure for row in ROWS}


def _rows(authority: str) -> Select[Any]:
    standing = func.coalesce(records.c.standing, literal({}, JSONB)).label("standing")
    columns = (records.c.subject, records.c.imposed_on, records.c.ended_on, standing)
    return select(*columns).where(records.c.authority == authority)


def _facts(authority: str) -> Select[Any]:
    return select(records.c.subject, cast(records.c.facts, Text)).where(records.c.authority == authority)


def _loaded(
    connection: Connection, query: Select[Any], names: Container[str] | None = None
) -> Iterable[tuple[str, Record]]:
    with connection.execute(query.execution_options(yield_per=FETCHED)) as rows:
        for subject, facts in rows:
            yield subject, load(facts.encode(), names)


_read_rows = msgspec.json.Decoder(list[Row]).decode


def _read(connection: Connection, query: Select[Any]) -> list[Row]:
    """Read all rows as one JSON value, in no particular order: one by one, they cost several times as much."""
    row = func.json_build_array(*query.subquery().c)
    found = connection.scalar(select(cast(func.json_agg(row), Text)))
    return _read_rows(found) if found else []


def _missed(standard: str, today: date) -> ColumnElement[bool]:
    """Select orders that missed a standard, with the expression of the index `records_missed_<standard>`, so that PostgreSQL uses it."""
    if standard == ANY:
        return or_(records.c.standing.has_key("late"), records.c.next_due < today)
    overdue = _is_due("@[1] == $standard && @[0] < $today", standard=standard, today=today)
    return or_(_says({"late": [standard]}), and_(_says({"dues": [[standard]]}), overdue))


def _says(part: object) -> ColumnElement[bool]:
    # Written out, since PostgreSQL does not use a partial index for a condition on a parameter.
    written = literal(msgspec.json.encode(part).decode(), Text, literal_execute=True)
    return records.c.standing.contains(cast(written, JSONB))


def _is_due(path: str, **values: object) -> ColumnElement[bool]:
    """Select orders for which any [day, standard] of the dues fits the path. As text in JSON, days sort by date."""
    each = cast(f"strict $.dues[*] ? ({path})", JSONPATH)  # a lax path would unwrap each pair
    # True: most records have no dues, and then the path fails.
    return func.jsonb_path_exists(records.c.standing, each, literal(values, JSONB), true())
