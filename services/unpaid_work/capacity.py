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

MONTHS = 3
"""How many whole months the pace is measured over."""
CREDITED, ORDERED = "minutes_credited", "minutes_outstanding_opened"


class Capacity(Schema, description="The hours outstanding, and the pace at which they are done."):
    today: date
    until: date = Field(description="The last day of the weeks over which the pace is measured.")
    weeks: int
    orders: int = Field(description="Open orders with hours left.")
    hours_outstanding: float
    hours_credited_a_week: float
    hours_ordered_a_week: float = Field(description="By courts, including later changes.")
    due_by_month: dict[str, float] = Field(description="Hours left by the month of their deadline, as in 2026-03.")


def capacity(connection: Connection, authority: str, today: date) -> Capacity:
    """Count the capacity of one authority."""
    first, until = add_months(month_of(today), -MONTHS), month_of(today) - timedelta(days=1)
    rows = listing.open_with_unpaid_work(connection, authority)
    sums = listing.cell_sums(connection, authority, (CREDITED, ORDERED), first, until)
    weeks = ((until - first).days + 1) / 7
    left = {
        row.subject: max(0, ordered - credited)
        for row in rows
        for ordered, credited in [row.standing.minutes or (0, 0)]
    }
    return Capacity(
        today=today,
        until=until,
        weeks=round(weeks),
        orders=sum(minutes > 0 for minutes in left.values()),
        hours_outstanding=round(sum(left.values()) / 60, 1),
        hours_credited_a_week=round(_total(sums, CREDITED) / 60 / weeks, 1),
        hours_ordered_a_week=round(_total(sums, ORDERED) / 60 / weeks, 1),
        due_by_month=_by_deadline(rows, left),
    )


def _total(sums: dict[tuple[str, date, str], int], wanted: str) -> int:
    return sum(value for (measure, _, category), value in sums.items() if measure == wanted and not category)


def _by_deadline(rows: Iterable[Row], left: dict[str, int]) -> dict[str, float]:
    minutes: Counter[str] = Counter()
    for row in rows:
        for due, standard in row.standing.dues:
            if standard == "completion":
                minutes[f"{due:%Y-%m}"] += left[row.subject]
    return {month: round(minutes[month] / 60, 1) for month in sorted(minutes) if minutes[month]}
