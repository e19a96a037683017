"""Prepares, before the service is ready, the pages for which its first visitor would have to wait, and again for each new release."""

import logging
from contextlib import suppress
from threading import Event

from fastapi import FastAPI

from services.chassis.api.auth import PUBLIC, Identity
from services.chassis.database import transaction
from services.chassis.failures import Away
from services.reporting.figures.answers import Enquiry, NothingReleased
from services.reporting.pages.content.reader import Reader
from services.reporting.pages.content.sections import headlines
from services.reporting.pages.site import Site
from services.reporting.read.vintages import Rounded
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.releases.index import newest_and_held

log = logging.getLogger(__name__)

LOOK_SECONDS, RETRY_SECONDS = 30.0, 1.0
_NATIONAL = Identity("warming", frozenset({"national:read"}))


class Warming:
    """Prepares pages for the first visitor. A permanent failure does not block the service: those pages are slow once."""

    def __init__(self, site: Site) -> None:
        self._site, self._done = site, Event()

    def is_done(self) -> bool:
        """Return whether it is done."""
        return self._done.is_set()

    def check(self) -> None:
        """Raise Away until it is done."""
        if not self.is_done():
            raise Away("pages are being made ready")

    def run(self, app: FastAPI, stop: Event) -> None:
        """Prepare everything once; then, until told to stop, whatever a new or held release needs."""
        while not stop.is_set():
            try:
                if not self._done.is_set():
                    self._all(app)
                self._releases()
                self._done.set()
            except Away as away:
                log.info("pages are not ready: %s", away)
            except Exception:
                log.exception("pages could not be made ready")
                self._done.set()
            stop.wait(LOOK_SECONDS if self._done.is_set() else RETRY_SECONDS)

    def _all(self, app: FastAPI) -> None:
        for name in ("postgresql", "schema"):
            app.state.dependencies[name]()
        for template in self._site.templates.list_templates(("html",)):
            self._site.templates.get_template(template)
        app.openapi()
        for viewer in (PUBLIC, _NATIONAL):
            self._look(viewer)

    def _look(self, viewer: Identity) -> None:
        with transaction(self._site.database) as connection, suppress(NothingReleased):
            reader = Reader(Enquiry(connection, viewer, self._site.clock().date(), many=True))
            headlines.headline(reader, INDICATORS["orders_imposed"], reader.choices()[0].span)

    def _releases(self) -> None:
        """Prepare all cells of the newest release, and of the held one: many visitors come at the moment at which it opens."""
        with transaction(self._site.database) as connection:
            enquiry = Enquiry(connection, _NATIONAL, self._site.clock().date(), many=True)
            for name in newest_and_held(connection):
                enquiry.coverage(Rounded(name))
