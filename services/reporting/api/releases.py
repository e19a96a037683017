"""Releases and the changes between them; data quality."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy import Engine

from contracts.periods import month_of, parse_first
from services.chassis.api.auth import Caller
from services.chassis.api.problems import Problem
from services.chassis.clock import Clock
from services.chassis.database import transaction
from services.reporting.api.parameters import (
    CURSOR,
    Moment,
    Release,
    day,
    from_cursor,
    json,
    to_cursor,
)
from services.reporting.api.schemas import FOR_ANYBODY, Calendar, Changes, MonthQuality, Releases, answers
from services.reporting.disclosure.gate import Gate
from services.reporting.figures import quality
from services.reporting.figures.answers import Enquiry
from services.reporting.formats.metadata import describe_announcement, describe_frozen, describe_release
from services.reporting.read.proofs import last_proof
from services.reporting.read.queries import Span
from services.reporting.registry.absent import NotThere
from services.reporting.releases import announcing, index

MOST_CHANGES = 10_000


def router(database: Engine, clock: Clock) -> APIRouter:
    """Return `/v1/quality` and `/v1/releases`."""
    api = APIRouter(prefix="/v1", tags=["releases and quality"])

    @api.get(
        "/quality",
        summary="Which authorities are complete, fresh or missing for a month",
        responses=answers(MonthQuality),
        openapi_extra=FOR_ANYBODY,
    )
    def quality_of_month(
        viewer: Caller,
        month: Annotated[
            Moment | None, Query(description="By default the last whole one that the figures have")
        ] = None,
    ) -> Response:
        asked = day(month, parse_first)
        with transaction(database) as connection:
            enquiry = Enquiry(connection, viewer, clock().date())
            at = quality.latest_month(enquiry) if asked is None else month_of(asked)
            found, proved = quality.standings(enquiry, Span(at, at), *enquiry.sources()), last_proof(enquiry.connection)
        told = {"month": f"{at:%Y-%m}", "summary": quality.summary(found), "authorities": found, "proved": proved}
        return json(told)

    @api.get(
        "/releases",
        summary="All releases, newest first",
        responses=answers(Releases),
        openapi_extra=FOR_ANYBODY,
    )
    def list_of_releases(viewer: Caller) -> Response:
        with transaction(database) as connection:
            found = index.all_releases(connection, viewer)
        return json({"releases": [describe_release(release) for release in found]})

    @api.get(
        "/releases/calendar",
        summary="When releases will come, as announced, and every change to it with its reason",
        responses=answers(Calendar),
        openapi_extra=FOR_ANYBODY,
    )
    def calendar() -> Response:
        with transaction(database) as connection:
            found = announcing.calendar(connection)
        return json({"announcements": [describe_announcement(each) for each in found]})

    @api.get(
        "/releases/{id}/changes",
        summary="What changed since the release before",
        responses=answers(Changes, 404),
        openapi_extra=FOR_ANYBODY,
    )
    def changes(
        id: Annotated[Release, Path()],  # noqa: A002
        viewer: Caller,
        limit: Annotated[int, Query(ge=100, le=MOST_CHANGES)] = MOST_CHANGES,
        cursor: Annotated[str | None, Query(pattern=CURSOR, description="`next` of the page before")] = None,
    ) -> Response:
        with transaction(database) as connection:
            try:
                release = index.release_for(connection, viewer, id, None)
            except NotThere as fault:
                raise Problem(404, str(fault)) from None
            assert release is not None
            gate = Gate(viewer)
            found = index.changes_of(connection, viewer, id, from_cursor(cursor), limit)
        following = None
        if len(found) == limit:  # a cell that changed for several reasons stays on one page
            found = [change for change in found if change[:4] != found[-1][:4]]
            following = to_cursor(found[-1][:4])
        return json({"release": describe_frozen(release), "changes": gate.changes(found), "next": following})

    return api
