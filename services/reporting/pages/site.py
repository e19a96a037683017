"""The parts that reporting's pages need besides the frame: figures, read in one transaction for the viewer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import Engine

from contracts.authorities import AUTHORITIES
from services.chassis.api.auth import PUBLIC, Identity
from services.chassis.clock import Clock
from services.chassis.database import transaction
from services.chassis.settings import SiteSettings
from services.chassis.web.frame import Frame, Link, Look, templates
from services.reporting.figures.answers import Enquiry
from services.reporting.formats.metadata import provisional_words
from services.reporting.formats.publisher import CONTACT, LICENCE, PUBLISHER
from services.reporting.pages.addresses import Addresses
from services.reporting.pages.content import words
from services.reporting.pages.content.reader import Reader
from services.reporting.pages.content.sections import themes
from services.reporting.pages.page_cache import PageCache
from services.reporting.registry.areas import AREA_NAMES, SCOTLAND
from services.reporting.releases.change_marker import public_state
from services.reporting.releases.notices import leads_to

LOOK = Look(
    subtitle="Community payback orders in Scotland",
    navigation=(
        Link("/", "Overview"),
        Link("/indicators", "Indicators"),
        Link("/authorities", "Authorities"),
        Link("/compare", "Compare"),
        Link("/quality", "Data quality"),
        Link("/releases", "Releases"),
        Link("/about", "About"),
    ),
    footer=(
        Link("/about", "About the figures"),
        Link("/about#contact", "Contact"),
        Link("/about#accessibility", "Accessibility"),
        Link("/about#revisions", "Revisions policy"),
        Link("/quality", "Data quality"),
        Link("/data", "Data to re-use"),
        Link("/docs", "API"),
        Link("/releases/feed.atom", "Feed of releases"),
    ),
    footnote=f"{PUBLISHER}. All figures may be used under the {LICENCE.name}, with acknowledgement.",
    search="/search",
    feed="/releases/feed.atom",
    sign_in="Signed in, you see your authority's figures live, or all figures if you work in national statistics or inspection. "
    "Otherwise you see what has been released.",
)


@dataclass(frozen=True, slots=True)
class Site(Frame):
    """The frame, with the figures behind it."""

    database: Engine
    clock: Clock
    cache: PageCache

    @contextmanager
    def reading(self, request: Request, definition: int | None = None) -> Iterator[Reader]:
        """Open a transaction for the viewer's questions."""
        with transaction(self.database) as connection:
            enquiry = Enquiry(connection, self.reader_of(request), self.clock().date(), many=True)
            yield Reader(enquiry, release_of(request), definition)

    def reader_of(self, request: Request) -> Identity:
        """Return the identity that reads. A release named in the address shows what was published: the same for
        all but national viewers.
        """
        viewer = self.viewer(request)
        return PUBLIC if release_of(request) and viewer.audience == "authority" else viewer

    def page(self, request: Request, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
        """Return a page of the frame, with links that keep the release that is read."""
        release = release_of(request)
        told = {"of_release": release, "corrected_by": self._corrected_by(release)}
        return Frame.page(self, request, template, status, to=Addresses(release), **(told | values))

    def _corrected_by(self, release: str | None) -> str | None:
        """Return the release at which readers of an incorrect one can continue."""
        if release is None:
            return None
        with transaction(self.database) as connection:
            return leads_to(connection, release)

    def seen(self, request: Request, work_out: Callable[[], Response]) -> Response:
        """Return a page. A public page that has not changed since is not made again."""
        if self.viewer(request) is not PUBLIC:
            return work_out()
        with transaction(self.database) as connection:
            made_of = public_state(connection), self.clock().date()
        cached = self.cache.get(request, *made_of)
        if cached is not None:
            return HTMLResponse(cached)
        page = work_out()
        self.cache.put(page, request, *made_of)
        return page


def release_of(request: Request) -> str | None:
    """Return the name of the release that is read."""
    return request.path_params.get("release")


def site_of(database: Engine, clock: Clock, settings: SiteSettings) -> Site:
    """Return the site of this service."""
    names = {
        "words": words,
        "area_names": AREA_NAMES,
        "authority_codes": frozenset(AUTHORITIES),
        "scotland": SCOTLAND,
        "direction": themes.direction,
        "provisional_words": provisional_words,
        "licence": LICENCE,
        "publisher": PUBLISHER,
        "contact": CONTACT,
    }
    return Site(settings, LOOK, templates("services.reporting.pages", names), database, clock, PageCache())
