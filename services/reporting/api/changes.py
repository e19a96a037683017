"""Routes of what a release changed: its published figures, and the cells beneath them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ConfigDict, Field
from sqlalchemy import Engine

from services.chassis.api.auth import Caller
from services.chassis.clock import Clock
from services.chassis.database import transaction
from services.chassis.schema import Schema
from services.reporting.api.parameters import (
    CURSOR,
    Release,
    area_code,
    from_cursor,
    json,
    known_indicator,
    missing,
    to_cursor,
)
from services.reporting.api.publications import CACHED, files_of
from services.reporting.api.schemas import (
    AREAS,
    FOR_ANYBODY,
    INDICATOR_IDS,
    UNCHANGED,
    ChangedFigures,
    Changes,
    answers,
)
from services.reporting.disclosure.gate import Gate
from services.reporting.files import changed, store
from services.reporting.files.bundle import CHANGES
from services.reporting.formats.metadata import describe_frozen
from services.reporting.formats.negotiation import has_it
from services.reporting.releases import index

MOST_CHANGES = 10_000
ReleaseId = Annotated[Release, Path()]


class AskedChanges(Schema, description="Which changed figures to list, and how many at once."):
    model_config = ConfigDict(extra="forbid")

    area: str | None = Field(None, max_length=9, description="All areas by default", json_schema_extra=AREAS)
    indicator: str | None = Field(
        None, max_length=60, description="All indicators by default", json_schema_extra=INDICATOR_IDS
    )
    period_type: Literal["month", "quarter", "year"] | None = Field(None, description="All periods by default")
    limit: int = Field(1_000, ge=1, le=MOST_CHANGES)
    cursor: int = Field(0, ge=0, le=10**9, description="`next` of the page before")

    def wanted(self) -> dict[str, str]:
        """Return the columns that must have a value. Raises Problem for an area or indicator that there is not."""
        area = None if self.area is None else area_code(self.area)
        indicator = None if self.indicator is None else known_indicator(self.indicator).id
        asked = {"area_code": area, "indicator": indicator, "period_type": self.period_type}
        return {column: value for column, value in asked.items() if value is not None}


def figures(database: Engine, clock: Clock) -> APIRouter:
    """Return `/v1/releases/{id}/changes`."""
    api = APIRouter(prefix="/v1", tags=["releases and quality"])

    @api.get(
        "/releases/{id}/changes",
        summary="Which published figures differ from the release before, and why",
        responses=answers(ChangedFigures, 404) | UNCHANGED,
        openapi_extra=FOR_ANYBODY,
    )
    def changes(id: ReleaseId, asked: Annotated[AskedChanges, Query()], request: Request) -> Response:  # noqa: A002
        wanted, files = asked.wanted(), files_of(database, clock, id)
        etag = f'"{store.content_hash(files)}"'
        headers = {"ETag": etag, "Cache-Control": CACHED}
        if has_it(request, etag):
            return Response(status_code=304, headers=headers)
        with transaction(database) as connection, missing():
            before = index.release_before(connection, store.published(connection, id))
            file = store.content_of(connection, id, CHANGES)
        told = _page(asked, wanted, file or b"")
        answer = json({"release": id, "release_before": before and before.id, **told})
        answer.headers.update(headers)
        return answer

    return api


def _page(asked: AskedChanges, wanted: dict[str, str], file: bytes) -> dict[str, Any]:
    found = list(changed.lines_of(file, wanted))
    following = asked.cursor + asked.limit
    rows = [changed.typed(row) for row in found[asked.cursor : following]]
    return {"matching": len(found), "changes": rows, "next": following if following < len(found) else None}


def cells(database: Engine) -> APIRouter:
    """Return `/v1/releases/{id}/changes/cells`."""
    api = APIRouter(prefix="/v1", tags=["cells"])

    @api.get(
        "/releases/{id}/changes/cells",
        summary="Which cells differ: of all authorities for national viewers, of an authority for itself, rounded sums for Scotland",
        responses=answers(Changes, 404),
        openapi_extra=FOR_ANYBODY,
    )
    def changed_cells(
        id: ReleaseId,  # noqa: A002
        viewer: Caller,
        limit: Annotated[int, Query(ge=100, le=MOST_CHANGES)] = MOST_CHANGES,
        cursor: Annotated[str | None, Query(pattern=CURSOR, description="`next` of the page before")] = None,
    ) -> Response:
        with transaction(database) as connection, missing():
            release = index.release_for(connection, viewer, id, None)
            assert release is not None
            gate = Gate(viewer)
            found = index.changes_of(connection, viewer, id, from_cursor(cursor), limit)
        following = None
        if len(found) == limit:  # a cell that changed for several reasons stays on one page
            found = [change for change in found if change[:4] != found[-1][:4]]
            following = to_cursor(found[-1][:4])
        return json({"release": describe_frozen(release), "changes": gate.changes(found), "next": following})

    return api
