"""Open orders whose hours will not be done by their deadline at the pace so far."""

from collections.abc import Iterable
from datetime import date
from heapq import nsmallest
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query

from services.chassis.api.auth import OwnAuthority
from services.chassis.api.http import Written
from services.chassis.database import reading, transaction
from services.records.api import listing
from services.records.api.duties.due import Row
from services.records.api.management import Management
from services.records.api.order_schemas import Today
from services.records.api.paging import After, Word, after_day, page_key
from services.unpaid_work.ledger import forecast, is_too_early, will_be_in_time
from services.unpaid_work.schemas import AtRisk, ForecastView, LateForecast


class Late(NamedTuple):
    """One order that will not be done in time."""

    deadline: date
    subject: str
    row: Row
    minutes: tuple[int, int]
    """Minutes ordered, and minutes credited so far."""

    @property
    def minutes_left(self) -> int:
        return max(self.minutes[0] - self.minutes[1], 0)


def router(management: Management) -> APIRouter:
    """Return the route that lists them."""
    routes = APIRouter(prefix="/v1", tags=["unpaid work"], route_class=Written)
    at_once = reading(management.database)

    @routes.get(
        "/at-risk", summary="Open orders that will miss their deadline at the pace so far, and the hours left on them"
    )
    def get_at_risk(
        authority: OwnAuthority,
        caseload: Annotated[Word, Query(description="Only orders of this caseload")] = "",
        after: After = None,
        limit: Annotated[int, Query(ge=0, le=1000, description="0 for the counts alone")] = 50,
    ) -> AtRisk:
        begin = after_day(after, 2)
        now = management.now(authority)
        with transaction(at_once) as connection:
            unfinished = not_in_time(listing.open_with_unpaid_work(connection, authority), now)
        everything = foreseen(unfinished, now)
        found, early = of_caseload(everything, caseload), len(of_caseload(unfinished, caseload))
        behind = after_place(found, (begin[0], begin[1][0]) if begin else None)
        items = first(behind, now, limit)
        return AtRisk(
            today=now.day,
            orders=len(found),
            hours_left=round(sum(one.minutes_left for one in found) / 60, 2),
            too_early=early - len(found),
            caseloads=sorted({one.row.standing.caseload for one in everything} - {""}),
            items=items,
            next=page_key(items[-1].deadline, items[-1].subject) if 0 < len(items) < len(behind) else None,
        )

    return routes


def late(rows: Iterable[Row], now: Today) -> list[Late]:
    """Return those of the rows that will not be done in time, as far as that can be foreseen."""
    return foreseen(not_in_time(rows, now), now)


def foreseen(found: Iterable[Late], now: Today) -> list[Late]:
    """Return them without those of which it is too early to say."""
    return [one for one in found if not is_too_early(one.minutes[1], one.row.begun_on, now.day, now.calendar)]


def not_in_time(rows: Iterable[Row], now: Today) -> list[Late]:
    """Return those of the rows that would not be done in time at the pace so far, even where there cannot be one yet. An order whose
    deadline has passed is overdue, and not among them.
    """
    return [
        Late(deadline, row.subject, row, row.standing.minutes)
        for row in rows
        for deadline, standard in row.standing.dues
        if standard == "completion" and deadline >= now.day and row.standing.minutes is not None
        if not will_be_in_time(row.standing.minutes, row.begun_on, deadline, now.day, now.calendar)
    ]


def of_caseload(found: Iterable[Late], caseload: str) -> list[Late]:
    """Return those of one caseload; all for an empty code."""
    return [one for one in found if caseload in ("", one.row.standing.caseload)]


def after_place(found: Iterable[Late], place: tuple[date, str] | None) -> list[Late]:
    """Return those after a deadline and an order; all if there is no place."""
    return [one for one in found if place is None or one[:2] > place]


def first(found: Iterable[Late], now: Today, limit: int) -> list[LateForecast]:
    """Return those with the earliest deadlines, each with a full forecast, which is too slow for all of them."""
    return [_view(one, now) for one in nsmallest(limit, found, key=lambda one: one[:2])]


def _view(one: Late, now: Today) -> LateForecast:
    return LateForecast(
        subject=one.subject,
        imposed_on=one.row.imposed_on,
        deadline=one.deadline,
        caseload=one.row.standing.caseload or None,
        forecast=ForecastView.of(forecast(one.minutes, one.row.begun_on, one.deadline, now.day, now.calendar)),
    )
