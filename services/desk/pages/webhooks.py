"""Receivers of webhooks: programs of the authority that receive refusals and findings, added and changed by its managers."""

import asyncio
from typing import NamedTuple

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services.chassis.api.problems import Problem
from services.chassis.failures import Away
from services.desk.model.webhooks import OpenedReceiver, Receiver, Receivers
from services.desk.pages.forms import field, fields_of
from services.desk.pages.site import Looker, Route, Site
from services.desk.platform import Service, place

TITLES = {Service.ORDERS: "Orders", Service.UNPAID_WORK: "Unpaid work"}
BOTH = "both"
_OVERLAP_HOURS = 24


class Opened(NamedTuple):
    """A secret that is shown only this once."""

    title: str
    receiver: Receiver
    secret: str


async def _shown(site: Site, looker: Looker, request: Request) -> Response:
    found: dict[Service, list[Receiver]] = {}
    if looker.may_manage:
        told = await asyncio.gather(*(site.platform.ask(looker.token, s, "webhooks", Receivers) for s in Service))
        found = {service: each.webhooks for service, each in zip(Service, told, strict=True)}
    titles = [(BOTH, "Both"), *TITLES.items()]
    return site.page(request, "webhooks", found=found, titles=titles, names=TITLES, may_manage=looker.may_manage)


async def _add(site: Site, looker: Looker, request: Request) -> Response:
    """Add a receiver at each chosen service. A secret is shown even if the other service refuses, since it is shown only now."""
    fields = await fields_of(request)
    of, body = field(fields, "of"), {"name": field(fields, "name"), "url": field(fields, "url")}
    opened, faults = [], []
    for service in [one for one in Service if of in {one, BOTH}]:
        try:
            told = await site.platform.tell(looker.token, service, "POST", "webhooks", body, OpenedReceiver)
            opened.append(Opened(TITLES[service], told.webhook, told.secret))
        except (Away, Problem) as fault:
            faults.append(f"{TITLES[service]}: {fault.detail if isinstance(fault, Problem) else fault}")
    if not opened:
        raise Problem(422, "; ".join(faults) or "Nothing was chosen.")
    return site.page(request, "secret", opened=opened, faults=faults, overlap=0)


async def _change(site: Site, looker: Looker, request: Request) -> Response:
    """Make a new secret, try again, or remove the receiver."""
    fields = await fields_of(request)  # first, so that a form that is too long is refused whatever the path is
    service, webhook = _service(request), place(str(request.path_params["webhook"]))
    match field(fields, "act"):
        case "secret":
            body, path = {"overlap_hours": _OVERLAP_HOURS}, f"webhooks/{webhook}/secret"
            told = await site.platform.tell(looker.token, service, "POST", path, body, OpenedReceiver)
            opened = [Opened(TITLES[service], told.webhook, told.secret)]
            return site.page(request, "secret", opened=opened, faults=[], overlap=_OVERLAP_HOURS)
        case "resume":
            await site.platform.tell(looker.token, service, "POST", f"webhooks/{webhook}/resume", {}, Receiver)
        case "remove":
            await site.platform.tell(looker.token, service, "DELETE", f"webhooks/{webhook}", None, Receivers)
        case _:
            raise Problem(422, "There is no such action for a receiver.")
    return RedirectResponse("/webhooks", 303)


def _service(request: Request) -> Service:
    name = str(request.path_params["service"])
    if name not in list(Service):
        raise Problem(404, "There is no such service.")
    return Service(name)


ROUTES = (
    Route("/webhooks", _shown),
    Route("/webhooks", _add, method="POST"),
    Route("/webhooks/{service}/{webhook}", _change, method="POST"),
)
