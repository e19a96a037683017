"""Refused events, mended and sent again; and files that are checked before they are sent."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request, Response

from services.chassis.api.problems import Problem
from services.chassis.api.query import Takes
from services.chassis.web.sign_in import from_here
from services.desk.model import Refusal, RefusalPage, Told
from services.desk.pages.site import Looker, Site
from services.desk.platform import Service

ONE = "application/cloudevents+json"

Guarded = Callable[[Site, Any], Callable[[Request], Awaitable[Response]]]


class Listed(NamedTuple):
    """A refused event, and which service holds it."""

    service: Service
    refusal: Refusal


def add_sending(pages: APIRouter, site: Site, guarded: Guarded) -> None:
    """Add the pages about what is sent."""
    pages.add_api_route("/refusals", guarded(site, _refusals), methods=["GET"], dependencies=[Depends(Takes("reason"))])
    for path, page, method in (
        ("/refusals/{service}/{offset}", _refusal, "GET"),
        ("/refusals/{service}/{offset}", _send_again, "POST"),
        ("/check", _check_form, "GET"),
        ("/check", _check, "POST"),
    ):
        pages.add_api_route(path, guarded(site, page), methods=[method])


async def _refusals(site: Site, looker: Looker, request: Request) -> Response:
    asked = {name: value for name in ("reason",) if (value := request.query_params.get(name))}
    pages = await asyncio.gather(
        *(site.platform.ask(looker.token, service, "rejections", RefusalPage, asked) for service in Service)
    )
    listed = [Listed(service, one) for service, page in zip(Service, pages, strict=True) for one in page.rejections]
    listed.sort(key=_arrival, reverse=True)
    return site.page(request, "refusals", listed=listed, more=any(page.next for page in pages), asked=asked)


def _arrival(listed: Listed) -> datetime:
    return listed.refusal.arrived_at


async def _refusal(site: Site, looker: Looker, request: Request) -> Response:
    service, refusal = await _found(site, looker, request)
    return _mending(site, looker, request, service, refusal, refusal.event or "", None)


async def _send_again(site: Site, looker: Looker, request: Request) -> Response:
    """Check what was mended, or check and send it, as the button says."""
    fields = await _form(request)
    service, refusal = await _found(site, looker, request)
    event = fields.get("event", [""])[0]
    path = "events" if fields.get("act") == ["send"] and looker.may_send else "validate"
    told = await site.platform.hand_over(looker.token, service, path, event.encode(), ONE)
    return _mending(site, looker, request, service, refusal, event, (path, told))


async def _found(site: Site, looker: Looker, request: Request) -> Listed:
    """The refused event that the address names. Raises Problem 404."""
    name, offset = str(request.path_params["service"]), str(request.path_params["offset"])
    if name not in list(Service) or not offset.isdecimal() or len(offset) > 18:
        raise Problem(404, "There is no such refused event.")
    asked: dict[str, str | int] = {"after": int(offset) + 1, "limit": 1}
    page = await site.platform.ask(looker.token, Service(name), "rejections", RefusalPage, asked)
    if not page.rejections or page.rejections[0].offset != int(offset):
        raise Problem(404, "There is no such refused event.")
    return Listed(Service(name), page.rejections[0])


def _mending(  # noqa: PLR0913, PLR0917
    site: Site,
    looker: Looker,
    request: Request,
    service: Service,
    refusal: Refusal,
    event: str,
    outcome: tuple[str, Told] | None,
) -> Response:
    return site.page(
        request,
        "refusal",
        service=service,
        refusal=refusal,
        event=event,
        may_send=looker.may_send,
        sent=outcome is not None and outcome[0] == "events",
        told=outcome[1] if outcome else None,
    )


async def _check_form(site: Site, looker: Looker, request: Request) -> Response:
    return site.page(request, "check", told={}, lines="", may_send=looker.may_send)


async def _check(site: Site, looker: Looker, request: Request) -> Response:
    """Check lines against the contract, without sending them."""
    fields = await _form(request)
    lines = fields.get("lines", [""])[0].replace("\r\n", "\n")
    service = Service.UNPAID_WORK if fields.get("service") == [str(Service.UNPAID_WORK)] else Service.ORDERS
    media = "application/x-ndjson"
    told = await site.platform.hand_over(looker.token, service, "validate", lines.encode(), media)
    return site.page(request, "check", told={service: told}, lines=lines, may_send=looker.may_send)


async def _form(request: Request) -> dict[str, list[str]]:
    """The fields of a form of our own. Raises Problem 403 where another site sent it, and 413 where it is too large."""
    if not from_here(request):
        raise Problem(403, "The form did not come from this site.")
    return parse_qs((await request.body()).decode("ascii", "replace"), keep_blank_values=True)
