"""The charts of pages as SVG and PNG: each carries its title, how to read it, and its source."""

from collections.abc import Callable

from fastapi import APIRouter, Depends, Request, Response

from services.chassis.api.problems import Problem
from services.chassis.api.query import Takes
from services.chassis.web.pictures import PNG, SVG, Picture, as_png, as_svg
from services.chassis.web.words import counted
from services.reporting.disclosure.gate import NotForViewer
from services.reporting.figures.answers import NothingReleased
from services.reporting.formats.publisher import LICENCE, PUBLISHER
from services.reporting.pages.content.choices import Choice, chosen
from services.reporting.pages.content.comparisons import Order, comparison
from services.reporting.pages.content.reader import Reader
from services.reporting.pages.content.sections import trends
from services.reporting.pages.content.sections.trends import Trend
from services.reporting.pages.downloads import named
from services.reporting.pages.site import Site, release_of
from services.reporting.registry.absent import NotThere
from services.reporting.registry.areas import AREA_NAMES, SCOTLAND
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator, Kind

KEPT = {"Cache-Control": "public, max-age=86400"}
"""For a release named in the address: it never changes."""
ROUNDED = "Published figures are rounded, counts to multiples of 5, so that nobody can be recognised."
Drawn = Callable[[Reader, Indicator, Choice, str], Picture]


def add_chart_files(pages: APIRouter, site: Site) -> None:
    """Add `/indicators/{id}/chart.{extension}` and `/compare/{id}/chart.{extension}`, for the present and for every release."""
    for path, draw, what, takes in (
        ("/indicators/{id}/chart.{extension}", over_time, "over-time", ("area", "period")),
        ("/compare/{id}/chart.{extension}", compared, "compared", ("period",)),
    ):
        for each in (path, "/releases/{release}" + path):
            pages.add_api_route(
                each, _answering(site, draw, what), methods=["GET"], dependencies=[Depends(Takes(*takes))]
            )


def _answering(site: Site, draw: Drawn, what: str) -> Callable[[str, str, Request], Response]:
    def chart(id: str, extension: str, request: Request) -> Response:  # noqa: A002
        indicator, area = INDICATORS.get(id), request.query_params.get("area", SCOTLAND)
        if indicator is None or area not in AREA_NAMES or extension not in {"svg", "png"}:
            raise Problem(404, "There is no such chart. They come as svg and png")
        try:
            picture, release = _drawn(site, request, draw, indicator, area)
        except (NothingReleased, NotThere, NotForViewer):
            raise Problem(404, "Nothing is shown for this area and period") from None
        name = named(indicator, area, [what], release or "live", extension)
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        content = as_svg(picture).encode() if extension == "svg" else as_png(picture)
        kept = KEPT if release_of(request) and site.viewer(request).audience == "public" else {}
        return Response(content, media_type=SVG if extension == "svg" else PNG, headers=headers | kept)

    return chart


def _drawn(site: Site, request: Request, draw: Drawn, indicator: Indicator, area: str) -> tuple[Picture, str | None]:
    """Return the picture, and its release; no release for live figures. Raises NotThere if nothing is shown."""
    with site.reading(request) as reader:
        choice = chosen(reader.choices(), request.query_params.get("period"))
        picture, published = draw(reader, reader.in_force(indicator), choice, area), reader.published()
        live = reader.wanted is None and reader.viewer.audience == "national"
    release = None if live or published is None else published.id
    source = "live figures, not published" if release is None else f"release {release}"
    notes = (*picture.notes, *(() if release is None else (ROUNDED,)), f"{PUBLISHER}, {source}. {LICENCE.name}.")
    return Picture(picture.drawing, picture.title, picture.said, notes), release


def over_time(reader: Reader, indicator: Indicator, choice: Choice, area: str) -> Picture:
    """Draw the line of an indicator's page."""
    trend = trends.trend(reader, indicator, choice.span, area)
    if not trend.drawing:
        raise NotThere
    notes = [f"In {indicator.unit}.", *_said_of(trend), *trend.signals]
    return Picture(trend.drawing, f"{indicator.title}, {AREA_NAMES[area]}, over time", _told(trend), (" ".join(notes),))


def _said_of(trend: Trend) -> list[str]:
    median = f"The dashed line is the median, {trend.median}." if trend.median else ""
    hollow = "A hollow point is provisional." if trend.provisional else ""
    return [each for each in (median, hollow) if each]


def _told(trend: Trend) -> str:
    """Describe the line in words."""
    (first, then, *_), (last, now, *_) = trend.rows[0], trend.rows[-1]
    said = f"A line of {counted(len(trend.rows), 'point')}, from {then} in {first} to {now} in {last}."
    return " ".join([said, *trend.signals])


def compared(reader: Reader, indicator: Indicator, choice: Choice, _area: str) -> Picture:
    """Draw the funnel of a comparison. Raises NotThere unless the indicator is a share."""
    found = comparison(reader, indicator, choice.span, Order()) if indicator.kind is Kind.SHARE else None
    if found is None or not found.drawing:
        raise NotThere
    outside = [f"{each.name}, {each.value}: {each.place.lower()}" for each in found.rows if each.kind != "within"]
    said = f"{len(found.rows)} authorities by size. Scotland: {found.scotland}. {'; '.join(outside) or 'None lies outside the limits'}."
    how = "The dotted lines are the 95% limits, the others the 99.8% limits; the dashed line is Scotland. A diamond lies outside."
    title = f"{indicator.title}: authorities compared, {choice.label.lower() if choice.label.startswith('Last') else choice.label}"
    return Picture(found.drawing, title, said, (how,))
