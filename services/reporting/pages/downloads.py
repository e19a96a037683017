"""The figures of a page as files, for signed-in people, since links cannot send a token as programs do."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.reporting.api.parameters import Asked, ask, known_indicator, question_of
from services.reporting.figures.answers import Question
from services.reporting.figures.quality import quality_of
from services.reporting.formats.negotiation import media_type
from services.reporting.formats.writers import render
from services.reporting.pages.site import Site, release_of
from services.reporting.registry.areas import AREA_NAMES
from services.reporting.registry.indicators import Indicator


def add_downloads(pages: APIRouter, site: Site) -> None:
    """Add `/indicators/{id}/figures.{extension}`, which accepts the parameters of the API."""

    @pages.get("/indicators/{id}/figures.{extension}")
    @pages.get("/releases/{release}/indicators/{id}/figures.{extension}")
    def download(
        id: str,  # noqa: A002
        extension: str,
        asked: Annotated[Asked, Query()],
        request: Request,
    ) -> Response:
        indicator = known_indicator(id)
        kind = media_type(request, extension)
        release = release_of(request) or asked.release
        question = replace(question_of(indicator, asked), release=release)
        with site.reading(request) as reader:
            answer = ask(reader.enquiry, indicator, question)
            quality = quality_of(reader.enquiry, answer)
        content = render(answer, kind, "figures.csv", quality)
        name = file_name(indicator, question, "live" if answer.release is None else answer.release.id, extension)
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(content, media_type=kind, headers=headers)


def file_name(indicator: Indicator, question: Question, release: str, extension: str) -> str:
    """Return the name of the file, such as `payback-orders_imposed-scotland-by-month-2026-03.1.csv`."""
    by = [part for part in (*question.grain, question.breakdown) if part]
    return named(indicator, question.area, ["by", *by] if by else [], release, extension)


def named(indicator: Indicator, area: str, what: Sequence[str], release: str, extension: str) -> str:
    """Join the parts of a name in order."""
    parts = ["payback", indicator.id, AREA_NAMES[area].lower().replace(" ", "_"), *what, release]
    return f"{'-'.join(parts)}.{extension}"
