"""What the pages of reporting need beside the frame: figures, read in one transaction for the one who looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Engine

from services.chassis.clock import Clock
from services.chassis.database import transaction
from services.chassis.settings import SiteSettings
from services.chassis.web.frame import Frame, Link, Look, templates
from services.reporting.figures.answers import Desk
from services.reporting.formats.metadata import provisional_words
from services.reporting.pages import views, words
from services.reporting.pages.views import Reader
from services.reporting.registry.areas import AREA_NAMES, SCOTLAND

LOOK = Look(
    subtitle="Community payback orders in Scotland",
    navigation=(
        Link("/", "Overview"),
        Link("/indicators", "Indicators"),
        Link("/authorities", "Authorities"),
        Link("/compare", "Compare"),
        Link("/quality", "Data quality"),
        Link("/releases", "Releases"),
        Link("/about", "About the figures"),
    ),
    footer=(Link("/about", "About the figures"), Link("/quality", "Data quality"), Link("/openapi.json", "API")),
)


@dataclass(frozen=True, slots=True)
class Site(Frame):
    """The frame, with the figures behind it."""

    database: Engine
    clock: Clock

    @contextmanager
    def reading(self, request: Request, definition: int | None = None, *, many: bool = False) -> Iterator[Reader]:
        """Ask for the one who looks, in one transaction. `many` as a Desk has it."""
        release = request.query_params.get("release") or None
        with transaction(self.database) as connection:
            yield Reader(Desk(connection, self.viewer(request), self.clock().date(), many), release, definition)


def site_of(database: Engine, clock: Clock, settings: SiteSettings) -> Site:
    """Return the site of this service."""
    names = {
        "words": words,
        "area_names": AREA_NAMES,
        "scotland": SCOTLAND,
        "direction": views.direction,
        "provisional_words": provisional_words,
    }
    return Site(settings, LOOK, templates("services.reporting.pages", names), database, clock)
