"""Lists of orders with the standards that a service counts: what the routes of both services share."""

from datetime import date
from typing import Annotated

from fastapi import Query

from services.chassis.database import reading, transaction
from services.records.api import listing
from services.records.api.duties.worklist import Caseload, Within
from services.records.api.listing import Wanted
from services.records.api.management import Management
from services.records.api.order_schemas import OrderPage, OrderRow, Today
from services.records.api.paging import Word, after_day, page_key

__all__ = ["MISSED", "Caseload", "Open", "Subjects", "Within", "due_by", "order_page"]

MOST_NAMED = 100
"""Most orders that a question may name."""
Open = Annotated[bool | None, Query(alias="open", description="Only open, or only ended orders")]
Subjects = Annotated[
    list[Word], Query(alias="subject", max_length=MOST_NAMED, description="Only these orders; repeated for each")
]
MISSED = Query(description="Met late, missed for good, or overdue")


def order_page(
    management: Management, authority: str, now: Today, wanted: Wanted, after: str | None, limit: int
) -> OrderPage:
    """Return a page of orders, the latest imposed first. Raises Problem 422 for a place that no page gave."""
    begin = after_day(after, 2)
    key = (begin[0], begin[1][0]) if begin else None
    with transaction(reading(management.database)) as connection:
        rows = listing.orders(connection, authority, wanted, key, limit)
        codes = management.findings.codes(connection, authority, now, rows)
    last = page_key(rows[-1].imposed_on, rows[-1].subject) if len(rows) == limit else None
    return OrderPage(orders=[OrderRow.of(row, now, codes[row.subject]) for row in rows], next=last)


def due_by(now: Today, within: int | None) -> date | None:
    """Return the last of so many working days from today; None without a number."""
    return None if within is None else now.calendar.after(now.day, within)
