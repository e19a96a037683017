"""Overdue counts on a day, read from what is still pending, as cells of their clocks."""

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import Date, FromClause, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import INTERVAL

from contracts.categories import MONTHS_BEFORE, MOST_MONTHS_BEFORE
from contracts.periods import add_months, last_day
from services.reporting.read.vintages import AsOf, Live, Wanted, rows_of
from services.reporting.registry.deadlines import AWAITED, OVERDUE

_BEFORE = {category: before for before, category in enumerate(MONTHS_BEFORE)}


def overdue_rows(
    vintage: Live | AsOf,
    measures: Iterable[str],
    months: tuple[date, date],
    authorities: tuple[str, ...] | None,
    day: date,
) -> FromClause:
    """Select what had not been done and was due before the day, as a category of the measures, in the months in which it counts."""
    first, last = months
    clocks = {AWAITED[measure]: measure for measure in measures}
    latest = min(last_day(add_months(last, MOST_MONTHS_BEFORE)), day - timedelta(days=1))
    c = rows_of(vintage, Wanted(tuple(clocks), MONTHS_BEFORE, authorities, first, latest)).c
    before = case(_BEFORE, value=c.category) * literal("1 month").cast(INTERVAL)
    month = cast(func.date_trunc("month", c.period) - before, Date)
    measure = case(clocks, value=c.measure)
    return (
        select(
            measure.label("measure"), c.authority, month.label("period"), literal(OVERDUE).label("category"), c.value
        )
        .where(month.between(first, last))
        .subquery("overdue")
    )
