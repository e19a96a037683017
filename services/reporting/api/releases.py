"""Releases and their calendar; data quality."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import Engine

from contracts.periods import month_of, parse_first
from services.chassis.api.auth import Caller
from services.chassis.clock import Clock
from services.chassis.database import transaction
from services.reporting.api.parameters import Moment, day, json
from services.reporting.api.schemas import FOR_ANYBODY, Calendar, MonthQuality, Releases, answers
from services.reporting.figures import quality
from services.reporting.figures.answers import Enquiry
from services.reporting.formats.metadata import describe_announcement, describe_release
from services.reporting.read.proofs import last_proof
from services.reporting.read.queries import Span
from services.reporting.releases import announcing, index


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

    return api
