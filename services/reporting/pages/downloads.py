"""The figures of a page as files, for whoever is signed in: links cannot send a token as programs do."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.reporting.api.parameters import Asked, ask, known_indicator, question_of
from services.reporting.figures import quality
from services.reporting.formats.negotiation import media_type
from services.reporting.formats.writers import render
from services.reporting.pages.site import Site


def add_downloads(pages: APIRouter, site: Site) -> None:
    """`/indicators/{id}/figures.{extension}`, which takes what the API takes."""

    @pages.get("/indicators/{id}/figures.{extension}")
    def download(
        id: str,  # noqa: A002
        extension: str,
        asked: Annotated[Asked, Query()],
        request: Request,
    ) -> Response:
        indicator = known_indicator(id)
        kind = media_type(request, extension)
        question = question_of(indicator, asked)
        with site.reading(request) as reader:
            answer = ask(reader.desk, indicator, question)
            standing = quality.beside(reader.desk, answer)
        content = render(answer, kind, "figures.csv", standing)
        name = f"{id}.{extension}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(content, media_type=kind, headers=headers)
