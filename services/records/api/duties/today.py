"""Duties by urgency, with their numbers: the first page that a manager sees. The API reads no more orders than it shows."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from services.chassis.api.auth import OwnAuthority
from services.chassis.api.http import Written
from services.chassis.api.problems import Problem
from services.chassis.database import reading, transaction
from services.chassis.schema import Schema
from services.records.api import listing
from services.records.api.decisions import acknowledging
from services.records.api.duties.choosing import (
    Chosen,
    Place,
    Sorting,
    Urgency,
    by_urgency,
    first,
    many_overdue,
    numbers,
    of_caseload,
    without_overdue,
)
from services.records.api.duties.due import Due
from services.records.api.management import Management, horizon
from services.records.api.order_schemas import Today, WorkItem
from services.records.api.paging import After, Word
from services.records.model.standards import TITLES

WITHIN = 5
"""How many working days to look ahead."""


class DutyCount(Schema, description="How many duties of one standard have one urgency."):
    standard: str
    title: str
    urgency: Urgency
    number: int


class NeverRecorded(
    Schema,
    description="A standard of which many duties are overdue and which the authority never recorded as met.",
):
    standard: str
    title: str
    overdue: int
    orders: int = Field(description="Orders on which they are overdue.")

    @classmethod
    def of(cls, standard: str, overdue: Iterable[Due]) -> "NeverRecorded":
        subjects = [due.subject for due in overdue if due.standard == standard]
        return cls(standard=standard, title=TITLES[standard], overdue=len(subjects), orders=len({*subjects}))


class DutyView(WorkItem, description="One standard of one open order that was missed or falls due."):
    urgency: Urgency
    day: date = Field(
        description="By which it lies in the list of its urgency: that of the own target while it can be met, or where only that has "
        "passed; else `due_on`. `working_days_left` counts up to it."
    )
    place: str = Field(description="Give it as `after` for the next items, in the same order.")

    @classmethod
    def shown(
        cls, urgency: Urgency, due: Due, now: Today, acknowledged: Mapping[tuple[str, str, date], str]
    ) -> "DutyView":
        item = WorkItem.of(due, now, acknowledged).model_dump()
        item["working_days_left"] = now.calendar.working_days(now.day, due.by)
        return cls(**item, urgency=urgency, day=due.by, place=str(Place.of(due)))


class Duties(Schema, description="What open orders have missed or must meet in the next five working days."):
    today: date
    until: date = Field(description="The last working day that the list covers.")
    counts: list[DutyCount] = Field(description="For the caseload asked for, of all standards.")
    caseloads: list[str] = Field(description="The codes that occur.")
    never_recorded: list[NeverRecorded] = Field(
        description="For the caseload asked for. The counts include them; name the standard to list them."
    )
    items: list[DutyView]
    next: str | None = Field(description="Give it as `after` for the next page; none without an urgency.")


def router(management: Management) -> APIRouter:
    """Return the route of the first page."""
    routes = APIRouter(prefix="/v1", tags=["worklist"], route_class=Written)
    at_once = reading(management.database)

    @routes.get("/duties", summary="Missed duties and those that fall due, counted by urgency, with the first of them")
    def get_duties(  # noqa: PLR0913, PLR0917
        authority: OwnAuthority,
        urgency: Annotated[
            Urgency | None, Query(description="Without it, the first of each urgency that needs action")
        ] = None,
        standard: Annotated[Word, Query(description="Only duties of this standard; counts are of all")] = "",
        caseload: Annotated[Word, Query(description="Only orders of this caseload")] = "",
        sorting: Sorting = Sorting.DUE,
        unrecorded: Annotated[
            bool,
            Query(description="`false` leaves out of the items what is overdue of standards that were never recorded"),
        ] = True,
        after: After = None,
        limit: Annotated[
            int, Query(ge=0, le=1000, description="How many of each urgency; 0 for the counts alone")
        ] = 50,
    ) -> Duties:
        paged = urgency is not None and limit > 0
        chosen = Chosen(urgency, standard, sorting, _place(after) if urgency else None, limit + paged)
        now = management.now(authority)
        ahead = horizon(now, WITHIN)
        with transaction(at_once) as connection:
            known = acknowledging.acknowledged(connection, authority)
            found = listing.all_dues(connection, authority, ahead)
            dues = by_urgency(of_caseload(found, caseload), now.day, ahead.until, known)
            many = many_overdue(dues)
            never = sorted({*many} - listing.ever_recorded(connection, authority, many))
        found_first = first(dues if unrecorded or standard else without_overdue(dues, never), chosen)
        shown = found_first[:limit] if paged else found_first
        return Duties(
            today=now.day,
            until=ahead.until,
            counts=[
                DutyCount(standard=name, title=TITLES[name], urgency=urgent, number=number)
                for (name, urgent), number in numbers(dues).items()
            ],
            caseloads=sorted({due.caseload for due in found} - {""}),
            never_recorded=[NeverRecorded.of(name, dues[Urgency.OVERDUE]) for name in never],
            items=[DutyView.shown(urgent, due, now, known) for urgent, due in shown],
            next=str(Place.of(shown[-1][1])) if len(found_first) > len(shown) else None,
        )

    return routes


def _place(after: str | None) -> Place | None:
    """Read the place at which a page begins. Raises Problem 422 for a place that no page gave."""
    try:
        return Place.read(after) if after else None
    except ValueError as fault:
        raise Problem(422, "`after` must be the `next` of an earlier page") from fault
