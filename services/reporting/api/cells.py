"""Whole cells, for national viewers; and the source offsets that they include, for authorities too."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from sqlalchemy import Engine

from contracts.cells import MEASURES
from contracts.periods import parse_first, parse_last
from services.chassis.api.auth import Caller
from services.chassis.api.problems import Problem
from services.chassis.database import transaction
from services.reporting.api.parameters import CURSOR, Day, Moment, authority_code, day, from_cursor, json, to_cursor
from services.reporting.api.schemas import AUTHORITY_CODES, Cells, Positions, answers
from services.reporting.disclosure.gate import Gate
from services.reporting.read import queries
from services.reporting.read.vintages import AsOf, Live, Wanted

MOST_CELLS = 10_000
KNOWN_MEASURES: dict[str, Any] = {"enum": list(MEASURES)}


def router(database: Engine) -> APIRouter:
    """Return `/v1/cells` and `/v1/positions`."""
    api = APIRouter(prefix="/v1", tags=["cells"])

    @api.get("/cells", summary="Whole cells, services summed, zero cells left out", responses=answers(Cells))
    def cells(  # noqa: PLR0913, PLR0917
        viewer: Caller,
        measure: Annotated[
            str | None, Query(description="One of the measures of the contract", json_schema_extra=KNOWN_MEASURES)
        ] = None,
        authority: Annotated[
            str | None, Query(description="Code of an authority", json_schema_extra=AUTHORITY_CODES)
        ] = None,
        from_: Annotated[Moment | None, Query(alias="from", description="Month or date, included")] = None,
        to: Annotated[Moment | None, Query(description="Month or date, included")] = None,
        as_of: Annotated[Day | None, Query(description="As known at the end of this day")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_CELLS)] = MOST_CELLS,
        cursor: Annotated[str | None, Query(pattern=CURSOR, description="`next` of the page before")] = None,
    ) -> Response:
        if measure is not None and measure not in MEASURES:
            raise Problem(422, "There is no such measure")
        wanted = Wanted(
            measures=None if measure is None else (measure,),
            authorities=None if authority is None else (authority_code(authority),),
            first=day(from_, parse_first),
            last=day(to, parse_last),
        )
        vintage = AsOf(as_of) if as_of else Live()
        with transaction(database) as connection:
            found = queries.cells_page(connection, vintage, wanted, from_cursor(cursor), limit)
        rows = Gate(viewer).cells(found)
        following = to_cursor(found[-1][:4]) if len(found) == limit else None
        return json({"cells": rows, "next": following})

    @api.get(
        "/positions",
        summary="The source offset up to which figures show events: of all authorities for national viewers, otherwise of the caller's own",
        responses=answers(Positions, 403),
    )
    def positions(viewer: Caller) -> Response:
        gate = Gate(viewer)
        with transaction(database) as connection:
            shown = [each for each in queries.shown(connection) if gate.sees_whole(each.authority)]
        services = [
            {
                "service": position.service,
                "authority": position.authority,
                "offsets": position.offsets,
                "heard_at": position.heard_at,
            }
            for position in shown
            if position.heard_at is not None
        ]
        return json({"positions": queries.positions_of_all(shown), "services": services})

    return api
