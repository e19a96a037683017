"""The pages: plain HTML from the server, the same with and without scripts."""

from collections.abc import Callable
from datetime import date
from itertools import chain
from typing import Any, NamedTuple

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from contracts.authorities import AUTHORITIES, in_force
from contracts.cells import BOTH
from services.chassis.api.problems import Problem
from services.chassis.api.query import Takes
from services.chassis.web.assets import add_static
from services.chassis.web.sign_in import add_sign_in
from services.reporting.disclosure.gate import NotForViewer
from services.reporting.figures import quality
from services.reporting.figures.answers import NothingReleased
from services.reporting.figures.evidence import DOUBTS
from services.reporting.pages.addresses import Addresses, in_release, within_release
from services.reporting.pages.chart_files import add_chart_files
from services.reporting.pages.content import overview, publications, scorecard, standards, words
from services.reporting.pages.content.changes import CHANGES_SHOWN
from services.reporting.pages.content.choices import chosen
from services.reporting.pages.content.comparisons import SORTS, Order, comparison
from services.reporting.pages.content.reader import Reader, grain_of
from services.reporting.pages.content.searching import LONGEST_SEARCH, matches, search
from services.reporting.pages.content.sections import outlook
from services.reporting.pages.content.sections.areas import AREA_CHOICES, area_table, by_area, by_name
from services.reporting.pages.content.sections.breakdowns import breakdown
from services.reporting.pages.content.sections.file_links import Downloads
from services.reporting.pages.content.sections.headlines import HEADLINES, figure, headline
from services.reporting.pages.content.sections.themes import themes
from services.reporting.pages.content.sections.trends import by_version, trend
from services.reporting.pages.content.since_when import courses
from services.reporting.pages.content.so_far import so_far
from services.reporting.pages.content.standards import STANDARDS
from services.reporting.pages.content.tiles import tiles
from services.reporting.pages.discovery import add_discovery, as_json_ld
from services.reporting.pages.downloads import add_downloads
from services.reporting.pages.site import Site, release_of
from services.reporting.read import queries
from services.reporting.read.proofs import last_proof
from services.reporting.registry.absent import NotThere
from services.reporting.registry.areas import AREA_NAMES, SCOTLAND, authorities_of, members
from services.reporting.registry.catalogue import INDICATORS, versions
from services.reporting.registry.indicators import Indicator, Kind, Status
from services.reporting.releases import announcing, index
from services.reporting.releases.calendar import Announcement, to_come
from services.reporting.releases.index import Withdrawn

NO_SUCH_ADDRESS = "There is no such address: /openapi.json has those that there are"
FIRST_COMPARED = "first_contact_within_1"


def router(site: Site) -> APIRouter:
    """Return all pages."""
    pages = APIRouter(include_in_schema=False)
    add_discovery(pages, site)
    for path, (page, *names) in _PAGES.items():
        for each, taken in ((path, names), (within_release(path), [n for n in names if n != "release"])):
            pages.add_api_route(
                each,
                _guarded(site, page),
                methods=["GET"],
                response_class=HTMLResponse,
                dependencies=[Depends(Takes(*taken))],
            )
    for path, (page, *names) in _OTHER_PAGES.items():
        pages.add_api_route(
            path,
            _guarded(site, page),
            methods=["GET"],
            response_class=HTMLResponse,
            dependencies=[Depends(Takes(*names))],
        )
    add_downloads(pages, site)
    add_chart_files(pages, site)
    add_sign_in(pages, site)
    add_static(pages)
    return pages


def not_found(site: Site) -> Callable[[Request, Exception], Response]:
    """Return the answer for an unknown page; programs get a problem."""

    def answer(request: Request, fault: Exception) -> Response:
        assert isinstance(fault, HTTPException)
        if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/"):
            return site.page(request, "not_found", 404)
        problem = fault if isinstance(fault, Problem) else Problem(404, NO_SUCH_ADDRESS, fault.headers)
        return problem.response()

    return answer


class Shown(NamedTuple):
    """A page with all its data, rendered once the database is free for others."""

    template: str
    values: dict[str, Any]


def shown(template: str, **values: Any) -> Shown:
    """Return a page with its values."""
    return Shown(template, values)


Page = Callable[[Site, Request], Shown | Response]


def _guarded(site: Site, page: Page) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        found = page(site, request)
        if isinstance(found, Response):
            return found
        asked, choice = request.query_params.get("period"), found.values.get("choice")
        instead = bool(asked and choice and asked != choice.value)
        return site.page(request, found.template, period_instead=instead, **found.values)

    def guarded(request: Request) -> Response:
        if request.query_params.get("release"):  # its permanent address keeps the release in every link
            return RedirectResponse(in_release(request.url.path, request.query_params), 307)
        try:
            return answer(request) if page in _LIVE else site.seen(request, lambda: answer(request))
        except NothingReleased:
            return site.page(request, "nothing_released")
        except Withdrawn:  # its first page says when and why it was withdrawn
            return RedirectResponse(f"/releases/{release_of(request)}", 303)
        except (NotThere, NotForViewer):
            raise Problem(404, "There is no such page for this viewer") from None

    return guarded


def _overview(site: Site, request: Request) -> Shown:
    with site.reading(request) as reader:
        offered = reader.choices()
        choice = chosen(offered, request.query_params.get("period"))
        standings = standards.standings(reader, choice.span)
        mapped = INDICATORS.get(request.query_params.get("standard", ""))
        mapped = mapped if mapped in STANDARDS else INDICATORS["placement_within_7"]
        return shown(
            "overview",
            offered=offered,
            choice=choice,
            sentences=overview.sentences(reader, choice, standings),
            standings=standings,
            mapped=mapped,
            tiles=tiles(reader, mapped, choice.span),
            behind=overview.behind(reader, choice.span),
            awaited=next(iter(to_come(announcing.calendar(reader.connection))), None),
            provisional=[each.indicator.title for each in standings if each.mark == words.PROVISIONAL],
            headlines=[
                headline(reader, INDICATORS[name], choice.span)
                for name in HEADLINES
                if INDICATORS[name] not in STANDARDS
            ],
            **_completeness(site, reader, choice.span),
        )


def _number(words: str | None) -> int | None:
    """Return the version. Raises NotThere if it is not a number."""
    if not words:
        return None
    if not words.isdecimal() or len(words) > 3:
        raise NotThere
    return int(words)


def _versions(reader: Reader, indicator: Indicator) -> list[Indicator]:
    """Return the other versions by which this viewer may ask."""
    national = reader.viewer.audience == "national"
    return [
        each
        for each in versions(indicator.id)
        if each.version != indicator.version and (national or each.status is not Status.PROPOSED)
    ]


def _completeness(
    site: Site, reader: Reader, span: queries.Span, area: str = SCOTLAND, indicator: Indicator | None = None
) -> dict[str, Any]:
    """Return what is said about quality and date beside every figure: of one indicator, or of many."""
    whole, published = reader.enquiry.sources(reader.wanted)
    services = indicator.services if indicator else BOTH
    judged = quality.standings(reader.enquiry, span, whole, published, services)
    found = [each for each in judged if each.authority in members(area)]
    live = reader.viewer.audience != "public" and reader.wanted is None
    doubtful = any(each.state is quality.State.PARTIAL for each in found)
    lacking, name = outlook.lacking(reader, span, area, indicator), AREA_NAMES[area]
    return {
        "completeness": words.completeness_of(found, services),
        "release": None if live and reader.viewer.audience == "national" else published,
        "live": live,
        "known_on": site.clock(),
        "lacking": words.without(lacking, name) if lacking else "",
        "to_come": words.to_come(outlook.to_come(reader, span, area), silent=lacking == [name], doubtful=doubtful),
        "downloads": Downloads(span, reader.definition),
    }


def _indicators(site: Site, request: Request) -> Shown:
    sought = request.query_params.get("q", "").strip()[:LONGEST_SEARCH]
    with site.reading(request) as reader:
        offered = reader.choices()
        choice = chosen(offered, request.query_params.get("period"))
        found = {
            theme: [headline(reader, each, choice.span) for each in indicators if matches(each, sought)]
            for theme, indicators in themes(reader.viewer).items()
        }
        return shown(
            "indicators",
            themes={theme: each for theme, each in found.items() if each},
            wanted=sought,
            offered=offered,
            choice=choice,
            moves={each.id: standards.since_a_year(reader, each, choice.span) for each in INDICATORS.values()},
        )


def _indicator(site: Site, request: Request) -> Shown:
    indicator = _known(request)
    area = request.query_params.get("area", SCOTLAND)
    if area not in AREA_NAMES:
        raise NotThere
    with site.reading(request, definition=_number(request.query_params.get("definition"))) as reader:
        offered = reader.choices()
        choice = chosen(offered, request.query_params.get("period"))
        indicator = reader.in_force(indicator)
        breakdowns = [breakdown(reader, indicator, name, choice.span, area) for name, _ in indicator.breakdowns]
        return shown(
            "indicator",
            indicator=indicator,
            versions=_versions(reader, indicator),
            by_version=by_version(reader, indicator, choice.span, area),
            area=area,
            offered=offered,
            choice=choice,
            headline=headline(reader, indicator, choice.span, area),
            trend=trend(reader, indicator, choice.span, area),
            breakdowns=breakdowns,
            areas=[by_area(reader, indicator, choice.span, by) for by in ("authority", "health_board")],
            area_choices=AREA_CHOICES,
            comparable=indicator.kind is Kind.SHARE,
            **_completeness(site, reader, choice.span, area, indicator),
        )


def _compare(site: Site, request: Request) -> Shown:
    indicator = _known(request)
    if indicator.kind is not Kind.SHARE:
        raise NotThere
    with site.reading(request) as reader:
        offered = reader.choices()
        choice = chosen(offered, request.query_params.get("period"))
        order = Order.of(request.query_params.get("sort"))
        return shown(
            "compare",
            indicator=indicator,
            offered=offered,
            choice=choice,
            order=order,
            sorts=SORTS,
            comparison=comparison(reader, indicator, choice.span, order),
            courses=courses(reader, indicator, choice.span),
            shares=[each for each in INDICATORS.values() if each.kind is Kind.SHARE],
            **_completeness(site, reader, choice.span, indicator=indicator),
        )


def _compare_first(_site: Site, request: Request) -> Response:
    wanted = request.query_params.get("indicator", "")
    to, period = Addresses(release_of(request)), request.query_params.get("period")
    return RedirectResponse(to(f"/compare/{wanted if wanted in INDICATORS else FIRST_COMPARED}", period=period), 303)


def _authorities(site: Site, request: Request) -> Shown:
    with site.reading(request) as reader:
        offered = reader.choices()
        choice = chosen(offered, request.query_params.get("period"))
        indicators = [INDICATORS[name] for name in HEADLINES]
        return shown(
            "authorities",
            offered=offered,
            choice=choice,
            indicators=indicators,
            table=area_table(reader, indicators, choice.span),
            downloads=Downloads(choice.span, None),
        )


def _authority(site: Site, request: Request) -> Shown:
    code = str(request.path_params["code"])
    if code not in AUTHORITIES:
        raise NotThere
    with site.reading(request) as reader:
        offered = reader.choices()
        choice = chosen(offered, request.query_params.get("period"))
        times = scorecard.times_of(reader, code, offered)
        peers = authorities_of(choice.span.first, choice.span.last)
        similar = scorecard.similar_to(code, request.query_params.getlist("similar"), peers)
        scored = scorecard.scorecard(reader, code, choice.span, similar, times)
        by_theme = {
            theme: [
                (headline(reader, each, choice.span, code), figure(reader, each, choice.span))
                for each in indicators
                if each not in STANDARDS
            ]
            for theme, indicators in themes(reader.viewer).items()
        }
        return shown(
            "authority",
            code=code,
            name=AREA_NAMES[code],
            by=grain_of(reader, STANDARDS[0], code).period,
            summary=scorecard.summary(AREA_NAMES[code], scored, times),
            scored=scored,
            peers=len(peers),
            rounded=reader.sees_rounded(code),
            times=times,
            times_said=scorecard.said_of(times),
            similar=similar,
            similar_count=scorecard.SIMILAR,
            so_far=so_far(reader, code),
            others=[each for each in by_name(peers) if each[0] != code],
            offered=offered,
            choice=choice,
            themes=by_theme,
            **_completeness(site, reader, choice.span, code),
        )


def _quality(site: Site, request: Request) -> Shown:
    with site.reading(request) as reader:
        offered, choice = reader.judged(request.query_params.get("period"))
        found = quality.standings(reader.enquiry, choice.span, *reader.enquiry.sources(reader.wanted))
        return shown(
            "quality",
            standings=sorted(found, key=lambda each: AREA_NAMES[each.authority]),
            offered=offered,
            choice=choice,
            now=site.clock(),
            summary=quality.summary(found),
            why=DOUBTS,
            proved=last_proof(reader.connection),
        )


def _releases(site: Site, request: Request) -> Shown:
    with site.reading(request) as reader:
        calendar = [each for each in announcing.calendar(reader.connection) if not each.is_out]
        found = index.all_releases(reader.connection, reader.viewer)
        return shown("releases", releases=found, calendar=sorted(calendar, key=_by_day), now=site.clock())


def _by_day(announcement: Announcement) -> tuple[date, date]:
    """Return a key to sort announcements. A release that was called off comes last."""
    return announcement.day or date.max, announcement.month


def _release(site: Site, request: Request) -> Shown:
    with site.reading(request) as reader:
        listed = index.all_releases(reader.connection, reader.viewer)
        release = next((each for each in listed if each.id == release_of(request)), None)
        if release is None:
            raise NotThere
        area = request.query_params.get("area", SCOTLAND)
        if area not in AREA_NAMES:
            raise NotThere
        address = f"{str(request.base_url).rstrip('/')}/releases/{release.id}"
        told = publications.publication(reader, release, listed, address, area)
        completeness = {} if told.choice is None else _completeness(site, reader, told.choice.span)
        about = as_json_ld(told.about) if told.about else ""
        values = {
            "release": release,
            "told": told,
            "most": CHANGES_SHOWN,
            "about_data": about,
            "area": area,
            "area_choices": AREA_CHOICES,
        }
        return shown("release", **(completeness | values))


def _search(site: Site, request: Request) -> Shown:
    sought = request.query_params.get("q", "").strip()[:LONGEST_SEARCH]
    with site.reading(request) as reader:
        indicators = chain.from_iterable(themes(reader.viewer).values())
        found = search(sought, indicators, index.all_releases(reader.connection, reader.viewer))
    return shown("search", sought=sought, found=found)


def _about(site: Site, _request: Request) -> Shown:
    return shown("about", number_of_authorities=len(in_force(site.clock().date())))


def _known(request: Request) -> Indicator:
    found = INDICATORS.get(str(request.path_params["id"]))
    if found is None:
        raise NotThere
    return found


_PAGES: dict[str, tuple[Page, *tuple[str, ...]]] = {
    "/": (_overview, "period", "release", "standard"),
    "/indicators": (_indicators, "period", "release", "q"),
    "/indicators/{id}": (_indicator, "period", "release", "area", "definition"),
    "/compare": (_compare_first, "indicator", "period", "release"),
    "/compare/{id}": (_compare, "period", "release", "sort"),
    "/authorities": (_authorities, "period", "release"),
    "/authorities/{code}": (_authority, "period", "release", "similar"),
    "/quality": (_quality, "period", "release"),
}
"""By path, the page and its query parameters. Each page exists within every release, too."""
_OTHER_PAGES: dict[str, tuple[Page, *tuple[str, ...]]] = {
    "/releases": (_releases,),
    "/releases/{release}": (_release, "area"),
    "/about": (_about,),
    "/search": (_search, "q"),
}
_LIVE = {_quality, _search}
"""Pages that show the present state, and not that of a release alone."""
