"""The half of a worklist that both services share: its parameters, how far it looks, and where its pages begin and end."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, NamedTuple

from fastapi import Query
from sqlalchemy import Connection

from services.records.api.decisions.acknowledging import acknowledged as known_to
from services.records.api.duties.due import Due, Horizon
from services.records.api.management import horizon
from services.records.api.order_schemas import Today, WorkItem
from services.records.api.paging import Word, after_day, page_key

Within = Annotated[int, Query(ge=0, le=250, description="Working days from today")]
Caseload = Annotated[Word, Query(description="Only orders of this caseload")]
Acknowledged = Annotated[bool, Query(description="Also list missed duties that were acknowledged")]


class WantedPage(NamedTuple):
    """The page of a worklist that a request wants."""

    within: int
    caseload: str
    acknowledged: bool
    after: str | None


class Page(NamedTuple):
    """A page without its duties, which the two services read in different ways."""

    now: Today
    known: Mapping[tuple[str, str, date], str]
    """The duties that are acknowledged, with the reasons."""
    horizon: Horizon
    begin: tuple[date, str, str] | None
    """The last duty of the page before; None on the first page."""

    def items(self, dues: Sequence[Due]) -> list[WorkItem]:
        return [WorkItem.of(due, self.now, self.known) for due in dues]


def page_of(connection: Connection, authority: str, now: Today, wanted: WantedPage) -> Page:
    """Return the page that is wanted. Raises Problem 422 for a key that no page gave."""
    known = known_to(connection, authority)
    left_out = frozenset() if wanted.acknowledged else frozenset(known)
    after = after_day(wanted.after, 3)
    begin = (after[0], after[1][0], after[1][1]) if after else None
    return Page(now, known, horizon(now, wanted.within, left_out, wanted.caseload), begin)


def next_page(dues: Sequence[Due], limit: int) -> str | None:
    """Return where the next page begins; None after the last."""
    return page_key(dues[-1].by, dues[-1].subject, dues[-1].standard) if len(dues) == limit else None
