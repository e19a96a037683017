"""Whole cells, for national viewers, and how far they show the sources, for everybody."""

import base64
import binascii
from datetime import date
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import Engine

from contracts.cells import MEASURES
from services.chassis.auth import Identity, require
from services.chassis.database import transaction
from services.chassis.problems import Problem
from services.reporting import queries
from services.reporting.api.parameters import authority_code, day, json
from services.reporting.cuts import AsOf, Live, Wanted
from services.reporting.disclosure import Gate
from services.reporting.periods import parse_first, parse_last

MOST_CELLS = 10_000
National = Annotated[Identity, Depends(require("national:read"))]


def router(database: Engine) -> APIRouter:
    """`/v1/cells` and `/v1/positions`."""
    api = APIRouter(prefix="/v1", tags=["cells"])

    @api.get("/cells", summary="Whole cells, services summed, zero cells left out")
    def cells(  # noqa: PLR0913, PLR0917
        viewer: National,
        measure: Annotated[str | None, Query(description="One of the measures of the contract")] = None,
        authority: Annotated[str | None, Query(description="Code of an authority")] = None,
        from_: Annotated[str | None, Query(alias="from", description="Month or date, included")] = None,
        to: Annotated[str | None, Query(description="Month or date, included")] = None,
        as_of: Annotated[date | None, Query(description="As known at the end of this day")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_CELLS)] = MOST_CELLS,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Response:
        if measure is not None and measure not in MEASURES:
            raise Problem(422, "There is no such measure")
        wanted = Wanted(
            measures=None if measure is None else (measure,),
            authority=authority_code(authority),
            first=day(from_, parse_first),
            last=day(to, parse_last),
        )
        cut = AsOf(as_of) if as_of else Live()
        with transaction(database) as connection:
            found = queries.cells_page(connection, cut, wanted, _from_cursor(cursor), limit)
        rows = Gate(viewer).cells(found)
        following = _cursor(found[-1]) if len(found) == limit else None
        return json({"cells": rows, "next": following})

    @api.get("/positions", summary="Up to which source offset the figures show events")
    def positions() -> Response:
        with transaction(database) as connection:
            shown = queries.shown(connection)
        services = [
            {
                "service": position.service,
                "authority": position.authority,
                "offsets": position.offsets,
                "heard_at": position.heard_at,
            }
            for position in shown
        ]
        return json({"positions": queries.positions_of_all(shown), "services": services})

    return api


def _cursor(cell: queries.WholeCell) -> str:
    key = msgspec.json.encode((cell.measure, cell.authority, cell.period, cell.category))
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def _from_cursor(cursor: str | None) -> tuple[str, str, date, str] | None:
    if cursor is None:
        return None
    try:
        key = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(key, type=tuple[str, str, date, str])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise Problem(422, "The cursor is not one of ours") from None
