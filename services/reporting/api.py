"""The HTTP API, under /v1. Parses requests, asks `answers`, and hands rows to a format; numbers come from the gate only."""

import base64
import binascii
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import Connection, Engine

from contracts.authorities import AUTHORITIES, current_code
from contracts.cells import MEASURES
from services.chassis.auth import Caller, Identity, require
from services.chassis.clock import Clock
from services.chassis.database import transaction
from services.chassis.problems import Problem
from services.reporting import answers, queries
from services.reporting.answers import Answer, Question
from services.reporting.catalogue import INDICATORS
from services.reporting.cuts import AsOf, Live, Wanted
from services.reporting.disclosure import Gate
from services.reporting.indicators import SCOTLAND, Indicator
from services.reporting.metadata import describe, describe_release
from services.reporting.periods import parse_first, parse_last
from services.reporting.queries import Grain

MOST_CELLS = 10_000
National = Annotated[Identity, Depends(require("national:read"))]


def router(database: Engine, clock: Clock) -> APIRouter:
    """All routes of the API."""
    api = APIRouter(prefix="/v1", tags=["figures"])

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

    @api.get("/indicators", summary="All indicators, with their definitions")
    def indicators() -> Response:
        return json({"indicators": [describe(indicator) for indicator in INDICATORS.values()]})

    @api.get("/indicators/{id}", summary="The definition of an indicator")
    def definition(id: str) -> Response:  # noqa: A002
        return json(describe(known_indicator(id)))

    @api.get("/indicators/{id}/data", summary="The figures of an indicator")
    def data(  # noqa: PLR0913, PLR0917
        id: str,  # noqa: A002
        viewer: Caller,
        from_: Annotated[str | None, Query(alias="from")] = None,
        to: Annotated[str | None, Query()] = None,
        by: Annotated[str, Query(description="authority, month or year, and a breakdown; with commas")] = "",
        authority: Annotated[str | None, Query()] = None,
        as_of: Annotated[date | None, Query()] = None,
        release: Annotated[str | None, Query(max_length=40)] = None,
    ) -> Response:
        indicator = known_indicator(id)
        question = question_of(indicator, by, day(from_, parse_first), day(to, parse_last), authority, as_of, release)
        with transaction(database) as connection:
            return json(body(ask(connection, viewer, indicator, question, clock().date())))

    return api


def ask(connection: Connection, viewer: Identity, indicator: Indicator, question: Question, today: date) -> Answer:
    """The answer, or a problem that says why there is none."""
    try:
        return answers.answer(connection, viewer, indicator, question, today)
    except answers.NothingReleased:
        raise Problem(404, "Nothing has been released yet. Figures are public from the first release on") from None
    except answers.TooMuch:
        raise Problem(422, f"That is more than {answers.MOST_ROWS} rows: ask for less time or fewer parts") from None
    except LookupError as fault:
        raise Problem(404, str(fault)) from None


def body(answer: Answer) -> dict[str, Any]:
    """The JSON of an answer."""
    return {
        "indicator": describe(answer.indicator),
        "from": f"{answer.span.first:%Y-%m}",
        "to": f"{answer.span.last:%Y-%m}",
        "live": answer.live,
        "release": None if answer.release is None else describe_release(answer.release),
        "rows": answer.rows,
    }


def question_of(  # noqa: PLR0913, PLR0917
    indicator: Indicator,
    by: str,
    first: date | None,
    last: date | None,
    authority: str | None,
    as_of: date | None,
    release: str | None,
) -> Question:
    """Raises Problem for what the indicator does not have."""
    parts = [part for part in by.split(",") if part]
    breakdowns = [part for part in parts if part not in {"authority", "month", "year"}]
    periods = [part for part in parts if part in {"month", "year"}]
    known = [name for name, _ in indicator.breakdowns]
    if len(breakdowns) > 1 or len(periods) > 1 or not set(breakdowns) <= set(known):
        raise Problem(422, f"by takes authority, month or year, and one of: {', '.join(known) or 'nothing else'}")
    if first and last and first > last:
        raise Problem(422, "from lies after to")
    return Question(
        first,
        last,
        Grain("authority" in parts, periods[0] if periods else ""),
        breakdowns[0] if breakdowns else None,
        None if authority == SCOTLAND else authority_code(authority),
        as_of,
        release,
    )


def known_indicator(id: str) -> Indicator:  # noqa: A002
    """Raises Problem 404."""
    found = INDICATORS.get(id)
    if found is None:
        raise Problem(404, "There is no such indicator")
    return found


def authority_code(words: str | None) -> str | None:
    """The current code. Raises Problem 422."""
    if words is None:
        return None
    code = current_code(words)
    if code is None:
        raise Problem(422, "There is no authority with this code")
    assert code in AUTHORITIES
    return code


def day(words: str | None, parse: Callable[[str], date]) -> date | None:
    """Raises Problem 422."""
    if not words:
        return None
    try:
        return parse(words)
    except ValueError as fault:
        raise Problem(422, f"from and to: {fault}") from None


def json(content: object) -> Response:
    """Compact JSON."""
    return Response(msgspec.json.encode(content), media_type="application/json")


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
