"""What is overdue on a day, read from what is still pending, as cells of the clocks that it belongs to."""

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import Date, FromClause, Text, column, literal, select, values

from contracts.periods import month_of
from services.reporting.read.vintages import AsOf, Live, Wanted, rows_of
from services.reporting.registry.clocks import OVERDUE, Window, windows


def overdue_rows(
    cut: Live | AsOf, measures: Iterable[str], months: tuple[date, date], authorities: tuple[str, ...] | None, day: date
) -> FromClause:
    """What had not been done and was due before the day, as a category of the measures, in the months in which it counts."""
    first, last = months
    counted = list(windows(measures, first, min(last, month_of(day)))) or [Window("", "", day, day, day)]
    due = min(each.after for each in counted), min(max(each.upto for each in counted), day - timedelta(days=1))
    rows = rows_of(cut, Wanted(tuple(sorted({each.pending for each in counted})), ("",), authorities, *due))
    window = values(
        *(column(name, Text) for name in ("measure", "pending")),
        *(column(name, Date) for name in ("month", "after", "upto")),
        name="window",
    ).data(counted)
    w = window.c
    counts_in = (rows.c.measure == w.pending) & (rows.c.period > w.after) & (rows.c.period <= w.upto)
    return (
        select(w.measure, rows.c.authority, w.month.label("period"), literal(OVERDUE).label("category"), rows.c.value)
        .join_from(rows, window, counts_in)
        .subquery("overdue")
    )
