"""Indicators: their definitions and their figures, in every format."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import Engine

from services.chassis.api.auth import Caller, Identity
from services.chassis.api.problems import Problem
from services.chassis.clock import Clock
from services.chassis.database import reading, transaction
from services.reporting.api.parameters import (
    Asked,
    AskedBetween,
    AuthorityCode,
    ByPeriod,
    IndicatorId,
    SeveralShares,
    ShareId,
    When,
    ask,
    authority_code,
    explained,
    json,
    known_indicator,
    missing,
    question_of,
    span_of,
)
from services.reporting.api.response_cache import Given, ResponseCache
from services.reporting.api.schemas import (
    EXTENSION,
    FIGURES,
    FOR_ANYBODY,
    Comparison,
    Comparisons,
    Definitions,
    DefinitionVersions,
    Difference,
    Profile,
    answers,
)
from services.reporting.disclosure.gate import DECIMALS, Gate
from services.reporting.figures.answers import Answer, Enquiry, Question
from services.reporting.figures.comparison import compare
from services.reporting.figures.quality import quality_of
from services.reporting.formats.metadata import describe, describe_release, describe_with_versions
from services.reporting.formats.negotiation import has_it, media_type, tag
from services.reporting.formats.writers import CSV, CSVW, MediaType, render
from services.reporting.read.queries import Grain
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator, Kind
from services.reporting.statistics.causes import RULES
from services.reporting.statistics.funnel import Limits


def definitions() -> APIRouter:
    """Return `/v1/indicators`."""
    api = APIRouter(prefix="/v1", tags=["indicators"])

    @api.get("/indicators", summary="All indicators, with their definitions", responses=answers(Definitions))
    def indicators() -> Response:
        return json({"indicators": [describe(indicator) for indicator in INDICATORS.values()]})

    @api.get("/indicators/{id}", summary="The definition of an indicator", responses=answers(DefinitionVersions, 404))
    def definition(id: IndicatorId) -> Response:  # noqa: A002
        return json(describe_with_versions(known_indicator(id)))

    return api


def data(database: Engine, clock: Clock) -> APIRouter:
    """Return `/v1/indicators/{id}/data`, in every format."""
    api = APIRouter(prefix="/v1", tags=["figures"])
    cache, at_once = ResponseCache(), reading(database)

    def worked_out(
        request: Request, viewer: Identity, indicator: Indicator, question: Question, kind: MediaType, now: datetime
    ) -> Given:
        with transaction(database) as connection:
            enquiry = Enquiry(connection, viewer, now.date())
            answer = ask(enquiry, indicator, question)
            quality = None if kind == CSV else quality_of(enquiry, answer)
        return Given(render(answer, kind, _csv_address(request), quality), len(answer.rows))

    def answer_to(
        request: Request, viewer: Identity, indicator: Indicator, asked: Asked, extension: str | None
    ) -> Response:
        question = question_of(indicator, asked)  # its errors are reported before those of the format
        kind = media_type(request, extension)
        now = clock()
        with transaction(at_once) as connection, missing():
            etag = tag(Enquiry(connection, viewer, now.date()), request, kind, question)
        headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept, Authorization"}
        if has_it(request, etag):
            return Response(status_code=304, headers=headers)
        given = cache.get(etag)
        if given is not None:
            Gate(viewer).looks_again(given.rows, indicator)
        else:
            given = cache.put(etag, worked_out(request, viewer, indicator, question, kind, now))
        if kind == CSV:
            described = _csv_address(request).replace("data.csv", "data.csv-metadata.json", 1)
            headers["Link"] = f'<{described}>; rel="describedby"; type="{CSVW}"'
        return Response(given.content, media_type=kind, headers=headers)

    @api.get(
        "/indicators/{id}/data",
        summary="The figures of an indicator",
        responses=FIGURES,
        openapi_extra=FOR_ANYBODY,
    )
    def data_by_accept(
        id: IndicatorId,  # noqa: A002
        viewer: Caller,
        asked: Annotated[Asked, Query()],
        request: Request,
    ) -> Response:
        return answer_to(request, viewer, known_indicator(id), asked, None)

    @api.get(
        "/indicators/{id}/data.{extension}",
        summary="The same, in the format of the extension",
        responses=FIGURES,
        openapi_extra=FOR_ANYBODY,
    )
    def data_by_extension(
        id: IndicatorId,  # noqa: A002
        extension: Annotated[str, Path(json_schema_extra=EXTENSION)],
        viewer: Caller,
        asked: Annotated[Asked, Query()],
        request: Request,
    ) -> Response:
        return answer_to(request, viewer, known_indicator(id), asked, extension)

    return api


def differences(database: Engine, clock: Clock) -> APIRouter:
    """Return `/v1/indicators/{id}/difference`."""
    api = APIRouter(prefix="/v1", tags=["figures"])

    @api.get(
        "/indicators/{id}/difference",
        summary="Why a figure differs between two days: parts by cause that add up",
        responses=answers(Difference, 403, 404),
        openapi_extra=FOR_ANYBODY,
    )
    def difference(
        id: IndicatorId,  # noqa: A002
        viewer: Caller,
        asked: Annotated[AskedBetween, Query()],
    ) -> Response:
        indicator = known_indicator(id)
        with transaction(database) as connection:
            enquiry = Enquiry(connection, viewer, clock().date())
            found = explained(enquiry, indicator, asked)
        return json({"indicator": describe(indicator), "rules": RULES, "difference": found})

    return api


def comparisons(database: Engine, clock: Clock) -> APIRouter:
    """Return `/v1/authorities/{code}/profile`, `/v1/compare` and `/v1/compare/{id}`."""
    api = APIRouter(prefix="/v1", tags=["figures"])

    @api.get(
        "/authorities/{code}/profile",
        summary="All indicators for one authority, beside Scotland",
        responses=answers(Profile, 404),
        openapi_extra=FOR_ANYBODY,
    )
    def profile(code: AuthorityCode, viewer: Caller, asked: Annotated[ByPeriod, Query()]) -> Response:
        found = authority_code(code)
        question = replace(span_of(asked), grain=Grain(period=asked.by))
        now = clock()
        rows = {}
        with transaction(database) as connection:
            enquiry = Enquiry(connection, viewer, now.date(), many=True)
            for indicator in INDICATORS.values():
                own = ask(enquiry, indicator, replace(question, area=found))
                scotland = ask(enquiry, indicator, question)
                rows[indicator.id] = {"authority": own.rows, "scotland": scotland.rows}
            quality = quality_of(enquiry, own)
        return json({"authority": found, **_known(own), "quality": quality, "indicators": rows})

    def found(viewer: Identity, names: Iterable[str], asked: When) -> list[dict[str, Any]]:
        """Return the comparisons of these indicators, reading what they share once."""
        shares = [_share(name) for name in dict.fromkeys(names)]
        question = replace(span_of(asked), grain=Grain("authority"))
        today = clock().date()
        with transaction(database) as connection:
            enquiry = Enquiry(connection, viewer, today, many=len(shares) > 1)
            return [_comparison(enquiry, ask(enquiry, indicator, question)) for indicator in shares]

    @api.get(
        "/compare",
        summary="Several shares, each of authorities against control limits around Scotland",
        responses=answers(Comparisons, 404),
        openapi_extra=FOR_ANYBODY,
    )
    def several(viewer: Caller, asked: Annotated[SeveralShares, Query()]) -> Response:
        return json({"comparisons": found(viewer, asked.indicator, asked)})

    @api.get(
        "/compare/{id}",
        summary="Authorities against control limits around Scotland",
        responses=answers(Comparison, 404),
        openapi_extra=FOR_ANYBODY,
    )
    def comparison(id: ShareId, viewer: Caller, asked: Annotated[When, Query()]) -> Response:  # noqa: A002
        (only,) = found(viewer, [id], asked)
        return json(only)

    return api


def _share(id: str) -> Indicator:  # noqa: A002
    """Return an indicator that is a share. Raises Problem if it is not."""
    indicator = known_indicator(id)
    if indicator.kind is not Kind.SHARE:
        raise Problem(422, "Only shares can be compared in a funnel")
    return indicator


def _comparison(enquiry: Enquiry, answer: Answer) -> dict[str, Any]:
    quality = quality_of(enquiry, answer)
    return {"indicator": describe(answer.indicator), **_known(answer), "quality": quality, **compared(answer)}


def _known(answer: Answer) -> dict[str, Any]:
    """Return the time of the figures, and their release."""
    release = None if answer.release is None else describe_release(answer.release)
    return {"live": answer.live, "as_of": answer.question.as_of, "release": release}


def compared(answer: Answer) -> dict[str, Any]:
    """Return each authority's place in the funnel, from rows that may be shown."""
    found = compare(answer)
    return {
        "scotland": found.scotland,
        "authorities": [{"row": e.row, "limits": _told(e.limits), "place": e.place} for e in found.authorities],
        "by_chance": found.by_chance,
    }


def _told(limits: Limits | None) -> dict[str, float] | None:
    return None if limits is None else {name: round(limit, DECIMALS) for name, limit in limits._asdict().items()}


def _csv_address(request: Request) -> str:
    return f"data.csv?{request.url.query}" if request.url.query else "data.csv"
