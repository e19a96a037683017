"""Several indicators and areas in one answer: the same figures as one by one, through the same gate, in every format."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import Engine

from services.chassis.api.auth import Caller, Identity
from services.chassis.api.problems import Problem
from services.chassis.clock import Clock
from services.chassis.database import reading, transaction
from services.reporting.api.parameters import AskedSeveral, ask, missing, questions_of
from services.reporting.api.schemas import EXTENSION, FOR_ANYBODY, SEVERAL_FIGURES
from services.reporting.figures import quality
from services.reporting.figures.answers import MOST_ROWS, Answer, Enquiry, Question
from services.reporting.formats.negotiation import has_it, media_type, tag
from services.reporting.formats.several import Several, render
from services.reporting.formats.writers import CSV, CSVW, MediaType
from services.reporting.registry.indicators import Indicator

Questions = list[tuple[Indicator, Question]]


def router(database: Engine, clock: Clock) -> APIRouter:
    """Return `/v1/data`."""
    api = APIRouter(prefix="/v1", tags=["figures"])
    at_once = reading(database)

    def answer_to(request: Request, viewer: Identity, asked: AskedSeveral, extension: str | None) -> Response:
        kind, questions, now = media_type(request, extension), list(questions_of(asked)), clock()
        with transaction(at_once) as connection, missing():
            etag = tag(Enquiry(connection, viewer, now.date()), request, kind, questions[0][1])
        headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept, Authorization"}
        if has_it(request, etag):
            return Response(status_code=304, headers=headers)
        if kind == CSV:
            headers["Link"] = f'<data.csv-metadata.json?{request.url.query}>; rel="describedby"; type="{CSVW}"'
        return Response(_worked_out(database, request, viewer, questions, kind, now), media_type=kind, headers=headers)

    @api.get(
        "/data",
        summary="The figures of several indicators and areas at once",
        responses=SEVERAL_FIGURES,
        openapi_extra=FOR_ANYBODY,
    )
    def several_by_accept(viewer: Caller, asked: Annotated[AskedSeveral, Query()], request: Request) -> Response:
        return answer_to(request, viewer, asked, None)

    @api.get(
        "/data.{extension}",
        summary="The same, in the format of the extension",
        responses=SEVERAL_FIGURES,
        openapi_extra=FOR_ANYBODY,
    )
    def several_by_extension(
        extension: Annotated[str, Path(json_schema_extra=EXTENSION)],
        viewer: Caller,
        asked: Annotated[AskedSeveral, Query()],
        request: Request,
    ) -> Response:
        return answer_to(request, viewer, asked, extension)

    return api


def _worked_out(
    database: Engine, request: Request, viewer: Identity, questions: Questions, kind: MediaType, now: datetime
) -> bytes:
    with transaction(database) as connection:
        enquiry = Enquiry(connection, viewer, now.date(), many=True)
        found = _answers(enquiry, questions)
        heard = quality.standings(enquiry, found[0].span, found[0].whole, found[0].release)
    return render(Several(found, quality.summary(heard)), kind, f"data.csv?{request.url.query}")


def _answers(enquiry: Enquiry, questions: Questions) -> list[Answer]:
    """Return the answers. Raises Problem if they are more than one answer may hold."""
    found: list[Answer] = []
    for indicator, question in questions:
        found.append(ask(enquiry, indicator, question))
        if sum(len(each.rows) for each in found) > MOST_ROWS:
            raise Problem(422, f"That is more than {MOST_ROWS} rows: ask for fewer indicators or areas, or less time")
    return found
