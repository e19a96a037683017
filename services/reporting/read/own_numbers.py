"""The numbers by which an authority's reports can be judged: its counters, its accepted events by month, and its own totals."""

from collections.abc import Iterator
from datetime import date

from sqlalchemy import Connection, case, func, select

from contracts.periods import last_day
from services.reporting.read.coverage import TAKEN
from services.reporting.read.vintages import Vintage, Wanted, rows_of

Months = tuple[date, date]
"""The first and the last month."""
CellName = tuple[str, str]
"""Measure and category."""


def counted(
    connection: Connection, vintage: Vintage, cells: tuple[CellName, ...], months: Months
) -> Iterator[tuple[str, CellName, int]]:
    """Yield by authority the sum of each of these cells."""
    measures, categories = (tuple(dict.fromkeys(names)) for names in zip(*cells, strict=True))
    rows = rows_of(vintage, Wanted(measures, categories, None, months[0], last_day(months[1])))
    key = (rows.c.authority, rows.c.measure, rows.c.category)
    for authority, *name, number in connection.execute(select(*key, func.sum(rows.c.value)).group_by(*key)):
        yield authority, (name[0], name[1]), int(number)


def taken(connection: Connection, vintage: Vintage, months: Months) -> Iterator[tuple[str, date, int]]:
    """Yield by authority and month how many of its events were accepted."""
    rows = rows_of(vintage, Wanted(("events",), TAKEN, None, months[0], last_day(months[1])))
    key = (rows.c.authority, rows.c.period)
    for authority, month, number in connection.execute(select(*key, func.sum(rows.c.value)).group_by(*key)):
        yield authority, month, int(number)


def closed(connection: Connection, vintage: Vintage, totals: tuple[str, ...], months: Months) -> list[tuple[str, bool]]:
    """Return the authorities that closed a month with a total, and whether it differs from the count."""
    categories = ("", *(f"total={name}" for name in totals))
    rows = rows_of(vintage, Wanted(("control_totals", *totals), categories, None, months[0], last_day(months[1])))
    is_stated = rows.c.measure == "control_totals"
    name = case((is_stated, func.substr(rows.c.category, len("total=") + 1)), else_=rows.c.measure)
    stated = func.coalesce(func.sum(rows.c.value).filter(is_stated), 0)
    found = func.coalesce(func.sum(rows.c.value).filter(~is_stated), 0)
    query = select(rows.c.authority, stated != found).group_by(rows.c.authority, rows.c.period, name)
    return [(authority, differs) for authority, differs in connection.execute(query.having(stated != 0))]
