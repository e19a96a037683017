"""Hours outstanding on open orders, beside the pace at which hours are credited and ordered."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from pydantic import Field
from sqlalchemy import Connection

from contracts.periods import add_months, month_of
from services.chassis.schema import Schema
from services.records.api import listing
from services.records.api.duties.due import Row
from services.records.model.summary import credited_on

MONTHS = 3
"""How many whole months the pace is measured over."""
CREDITED, ORDERED = "minutes_credited", "minutes_outstanding_opened"


class Capacity(Schema, description="The hours outstanding, and the pace at which they are done."):
    today: date
    since: date = Field(
        description="The first day over which the pace is measured: that of the first hours credited, if they came within the months."
    )
    until: date = Field(description="The last day over which it is measured.")
    weeks: int = Field(description="The whole months over which hours ordered are measured, in weeks, rounded.")
    orders: int = Field(description="Open orders with hours left.")
    hours_outstanding: float = Field(
        description="Like all hours here not rounded, so that more can be worked out from them."
    )
    hours_credited_a_week: float
    hours_ordered_a_week: float = Field(description="By courts, including later changes.")
    due_by_month: dict[str, float] = Field(description="Hours left by the month of their deadline, as in 2026-03.")


def capacity(connection: Connection, authority: str, today: date) -> Capacity:
    """Count the capacity of one authority."""
    first, until = add_months(month_of(today), -MONTHS), month_of(today) - timedelta(days=1)
    rows = listing.open_with_unpaid_work(connection, authority)
    sums = listing.cell_sums(connection, authority, (CREDITED, ORDERED), first, until)
    since = first_credited(connection, authority, first, until, sums)
    weeks = _weeks(first, until)
    left = {
        row.subject: max(0, ordered - credited)
        for row in rows
        for ordered, credited in [row.standing.minutes or (0, 0)]
    }
    return Capacity(
        today=today,
        since=since,
        until=until,
        weeks=round(weeks),
        orders=sum(minutes > 0 for minutes in left.values()),
        hours_outstanding=sum(left.values()) / 60,
        hours_credited_a_week=_total(sums, CREDITED) / 60 / _weeks(since, until),
        hours_ordered_a_week=_total(sums, ORDERED) / 60 / weeks,
        due_by_month=_by_deadline(rows, left),
    )


def first_credited(
    connection: Connection, authority: str, first: date, until: date, sums: dict[tuple[str, date, str], int]
) -> date:
    """Return the day on which an authority first credited anything, if that lies within the months; else their first day: days of which it
    sent nothing are not days without work.
    """
    months = [period for (measure, period, category), _ in sums.items() if measure == CREDITED and not category]
    if not months or listing.ever_counted_before(connection, authority, CREDITED, first):
        return first
    begun = min(months)
    records = listing.counting_in(connection, authority, begun, {"session", "adjustment"})
    days = (day for _, record in records for day in credited_on(record) if begun <= day <= until)
    return min(days, default=first)


def _weeks(first: date, last: date) -> float:
    return ((last - first).days + 1) / 7


def _total(sums: dict[tuple[str, date, str], int], wanted: str) -> int:
    return sum(value for (measure, _, category), value in sums.items() if measure == wanted and not category)


def _by_deadline(rows: Iterable[Row], left: dict[str, int]) -> dict[str, float]:
    minutes: Counter[str] = Counter()
    for row in rows:
        for due, standard in row.standing.dues:
            if standard == "completion":
                minutes[f"{due:%Y-%m}"] += left[row.subject]
    return {month: minutes[month] / 60 for month in sorted(minutes) if minutes[month]}
