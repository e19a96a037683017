"""Ways to find the figures: the catalogue, the feed of releases, the sitemap, and the API's own page."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

import msgspec
from fastapi import APIRouter, Request, Response

from contracts.authorities import AUTHORITIES
from services.chassis.api.auth import PUBLIC
from services.chassis.database import transaction
from services.reporting.files import data_catalogue, store
from services.reporting.files.bundle import stem
from services.reporting.files.store import Listed
from services.reporting.formats.calendar_file import as_ical, said
from services.reporting.formats.metadata import notice_words
from services.reporting.formats.publisher import CONTACT, LICENCE, PUBLISHER, TITLE
from services.reporting.pages.content import words
from services.reporting.pages.site import Site
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.releases import announcing, index
from services.reporting.releases.calendar import Announcement
from services.reporting.releases.index import PUBLISHED, WITHDRAWN, ReleaseInfo

ATOM, JSON_LD, XML = "application/atom+xml", "application/ld+json", "application/xml"
ICAL = "text/calendar; charset=utf-8"
NEWEST = {"Cache-Control": "public, max-age=300"}
_PAGES = ("", "/indicators", "/authorities", "/compare", "/quality", "/releases", "/about", "/data", "/docs")


def add_discovery(pages: APIRouter, site: Site) -> None:
    """Add the pages, none of which requires sign-in."""

    @pages.get("/releases/feed.atom")
    def feed(request: Request) -> Response:
        releases, _ = _public(site)
        return Response(atom(_site(request), releases, _calendar(site)), media_type=ATOM, headers=NEWEST)

    @pages.get("/releases/calendar.ics")
    def calendar(request: Request) -> Response:
        return Response(as_ical(_calendar(site), _site(request)), media_type=ICAL, headers=NEWEST)

    @pages.get("/data/catalogue.jsonld")
    def catalogue(request: Request) -> Response:
        releases, files = _public(site)
        shown = [each for each in releases if each.status == PUBLISHED]
        document = data_catalogue.dcat(_site(request), shown, files)
        return Response(msgspec.json.encode(document), media_type=JSON_LD, headers=NEWEST)

    @pages.get("/data")
    def data(request: Request) -> Response:
        releases, files = _public(site)
        shown = [each for each in releases if each.status == PUBLISHED]
        newest = shown[0] if shown else None
        about = data_catalogue.schema_org(_site(request), newest, files[newest.id]) if newest else None
        return site.page(
            request,
            "data",
            releases=shown,
            newest=newest,
            files=_first_files(newest, files[newest.id]) if newest else [],
            about_data=as_json_ld(about) if about else "",
            origin=_site(request),
        )

    @pages.get("/docs")
    def docs(request: Request) -> Response:
        document, (releases, _) = request.app.openapi(), _public(site)
        newest = next((each for each in releases if each.status == PUBLISHED), None)
        told = {"tags": operations(document), "info": document["info"], "origin": _site(request)}
        return site.page(request, "docs", newest=newest, **told)

    @pages.get("/sitemap.xml")
    def sitemap(request: Request) -> Response:
        releases, _ = _public(site)
        return Response(_sitemap(_site(request), releases), media_type=XML, headers=NEWEST)

    @pages.get("/robots.txt")
    def robots(request: Request) -> Response:
        text = f"User-agent: *\nDisallow: /sign-in\nSitemap: {_site(request)}/sitemap.xml\n"
        return Response(text, media_type="text/plain", headers=NEWEST)


def _site(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _public(site: Site) -> tuple[list[ReleaseInfo], dict[str, list[Listed]]]:
    """Return everything that was ever published, newest first, with the files of what still is."""
    with transaction(site.database) as connection:
        found = [each for each in index.all_releases(connection, PUBLIC) if each.published_at]
        return found, {each.id: store.listed(connection, each.id) for each in found}


def _calendar(site: Site) -> list[Announcement]:
    with transaction(site.database) as connection:
        return announcing.calendar(connection)


def _first_files(release: ReleaseInfo, files: Sequence[Listed]) -> list[Listed]:
    """Return the files that hold everything."""
    return [each for each in files if each.name.startswith(stem(release))]


def as_json_ld(document: dict[str, object]) -> str:
    """Return JSON-LD for a page, in which nothing can end its HTML element."""
    return msgspec.json.encode(document).decode().replace("<", "\\u003c")


def atom(site: str, releases: Sequence[ReleaseInfo], calendar: Sequence[Announcement] = ()) -> str:
    """Return the feed (RFC 4287): announced releases, then published ones, the newest first. A later notice changes their entries."""
    awaited = [each for each in calendar if not each.is_out]
    moments = [*(each.told_at for each in releases), *(each.said[-1].at for each in awaited)]
    updated = f"{max(moments).isoformat()}" if moments else "2011-02-01T00:00:00Z"
    entries = "".join([*(_announced(site, each) for each in awaited), *(_entry(site, each) for each in releases)])
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-GB">'
        f"<id>{site}/releases</id><title>{TITLE}: releases</title><updated>{updated}</updated>"
        f'<link rel="self" type="{ATOM}" href="{site}/releases/feed.atom"/><link rel="alternate" href="{site}/releases"/>'
        f"<author><name>{PUBLISHER}</name><email>{CONTACT}</email></author><rights>{LICENCE.name}: {LICENCE.url}</rights>"
        f"{entries}</feed>\n"
    )


def _entry(site: str, release: ReleaseInfo) -> str:
    assert release.published_at is not None
    address = f"{site}/releases/{release.id}"
    summary = [f"Figures up to {release.last_month:%B %Y}, as known on {release.known_on}."]
    summary += map(notice_words, release.notices)
    related = [f"{site}/releases/{each}" for each in (release.corrected_by, *release.corrects) if each]
    links = "".join(f'<link rel="related" type="text/html" href="{each}"/>' for each in related)
    return (
        f"<entry><id>{address}</id><title>Release {release.id}{_standing(release)}</title>"
        f"<published>{release.published_at.isoformat()}</published><updated>{release.told_at.isoformat()}</updated>"
        f'<link rel="alternate" type="text/html" href="{address}"/>{links}<summary>{escape(" ".join(summary))}</summary></entry>'
    )


def _standing(release: ReleaseInfo) -> str:
    if release.status == WITHDRAWN:
        return ", withdrawn"
    return f", corrected by {release.corrected_by}" if release.corrected_by else ""


def _announced(site: str, announcement: Announcement) -> str:
    """Return the entry of a release to come. Days that were withdrawn are listed with the reason."""
    when = "called off" if announcement.day is None else words.opening(announcement.day)
    return (
        f"<entry><id>{site}/releases#announced-{announcement.month:%Y-%m}</id>"
        f"<title>Announced: figures up to {announcement.month:%B %Y}, {when}</title>"
        f"<published>{announcement.said[0].at.isoformat()}</published>"
        f"<updated>{announcement.said[-1].at.isoformat()}</updated>"
        f'<link rel="alternate" type="text/html" href="{site}/releases#calendar"/>'
        f"<summary>{escape(said(announcement))}</summary></entry>"
    )


def _sitemap(site: str, releases: Sequence[ReleaseInfo]) -> str:
    paths = [
        *_PAGES,
        *(f"/indicators/{name}" for name in INDICATORS),
        *(f"/authorities/{code}" for code in AUTHORITIES),
        *(f"/releases/{each.id}" for each in releases),
    ]
    listed = "".join(f"<url><loc>{site}{path}</loc></url>" for path in paths)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</urlset>\n'


Operation = tuple[str, str, str]
"""Method, path and purpose."""


def operations(document: dict[str, object]) -> dict[str, list[Operation]]:
    """Return the API's operations, by tag."""
    found: dict[str, list[Operation]] = {}
    paths: dict[str, dict[str, dict[str, list[str]]]] = document["paths"]  # type: ignore[assignment]
    for path, methods in paths.items():
        for method, each in methods.items():
            for tag in each.get("tags", ["other"]):
                found.setdefault(tag, []).append((method.upper(), path, str(each.get("summary", ""))))
    return found
