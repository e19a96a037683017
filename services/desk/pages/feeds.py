"""The calendar feed: opened and closed by a manager, read by calendar programs that know its address."""

import asyncio
import re
import secrets
from hashlib import sha256

from fastapi import APIRouter, Request, Response

from services.chassis.failures import Away
from services.chassis.guarding.guessing import check_guesses, count_wrong
from services.desk.model.calendar import Dues
from services.desk.model.decisions import Decided
from services.desk.pages.forms import field, fields_of
from services.desk.pages.site import Looker, Route, Site
from services.desk.platform import Service

CALENDAR = "text/calendar; charset=utf-8"
SECRET = re.compile("[A-Za-z0-9_-]{32,128}")
RETRY_SECONDS = "60"
CALENDARS = "addresses of calendars"
"""Those that lead to none are counted: each asks both services, and anybody can make one up."""
NO_CALENDAR = "There is no such calendar, or it was closed."


async def _open(site: Site, looker: Looker, request: Request) -> Response:
    """Make a secret and show its address once; the services keep only its hash."""
    fields = await fields_of(request)
    secret = secrets.token_urlsafe(32)
    names_orders = field(fields, "shows") == "references"
    body: dict[str, object] = {"hash": sha256(secret.encode()).hexdigest(), "name": field(fields, "feed")}
    if names_orders:
        body["references"] = True
    for service in Service:
        await site.platform.tell(looker.token, service, "PUT", "own/feeds", body, Decided)
    address = f"{request.url.scheme}://{request.headers['host']}/calendar/{secret}.ics"
    return site.page(request, "feed", address=address, name=body["name"], names_orders=names_orders)


def add_calendar(pages: APIRouter, site: Site) -> None:
    """Add the only address that requires no sign-in."""

    @pages.get("/calendar/{secret}.ics")
    async def calendar(secret: str, request: Request) -> Response:
        if not SECRET.fullmatch(secret):
            return Response(NO_CALENDAR, 404, media_type="text/plain")
        check_guesses(request.scope, CALENDARS)
        try:
            dues = await asyncio.gather(*(site.platform.feed(secret, service) for service in Service))
        except Away as away:
            return Response(str(away), 503, headers={"Retry-After": RETRY_SECONDS}, media_type="text/plain")
        if None in dues:
            count_wrong(request.scope, CALENDARS)
            return Response(NO_CALENDAR, 404, media_type="text/plain")
        from services.desk.words.calendar import as_ical  # noqa: PLC0415 - 2 MB that only calendars need

        found: list[Dues] = [one for one in dues if one is not None]
        address = f"{request.url.scheme}://{request.headers['host']}/"
        return Response(as_ical(found, address), media_type=CALENDAR, headers={"Cache-Control": "private, no-store"})


ROUTES = (Route("/feeds", _open, method="POST"),)
