"""Lists of orders, and the yearly returns."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from msgspec import Struct

from services.chassis.api.query import Takes
from services.desk.pages.site import Looker, Site
from services.desk.platform import Service

RETURNS = {
    "cpo": (Service.ORDERS, "returns/cpo"),
    "unpaid-work": (Service.UNPAID_WORK, "returns/unpaid-work"),
}
"""The unit-level returns by name: who makes each, and where."""


class OrderRow(Struct, frozen=True):
    """One order in a list."""

    subject: str
    imposed_on: date
    ended_on: date | None
    late: list[str]
    overdue: list[str]
    next_due_on: date | None
    findings: list[str]


class OrderPage(Struct, frozen=True):
    """A page of orders, the latest imposed first."""

    orders: list[OrderRow]
    next: str | None


Guarded = Callable[[Site, Any], Callable[[Request], Awaitable[Response]]]


def years_up_to(day: date) -> list[str]:
    """Return the labels of the last five reporting years, the one that runs first."""
    first = day.year if day.month >= 4 else day.year - 1
    return [f"{year}-{(year + 1) % 100:02}" for year in range(first, first - 5, -1)]


def add_returns(pages: APIRouter, site: Site, guarded: Guarded) -> None:
    """Add the page of the returns, and their files as the services make them."""
    pages.add_api_route("/returns", guarded(site, _returns), methods=["GET"])
    takes = [Depends(Takes("year"))]
    pages.add_api_route("/returns/{name}.csv", guarded(site, _return_file), methods=["GET"], dependencies=takes)


async def _returns(site: Site, looker: Looker, request: Request) -> Response:
    today = await site.platform.ask(looker.token, Service.ORDERS, "worklist", Day, {"limit": 1})
    return site.page(request, "returns", years=years_up_to(today.today))


class Day(Struct, frozen=True):
    """The day on which the services look."""

    today: date


async def _return_file(site: Site, looker: Looker, request: Request) -> Response:
    service, path = RETURNS.get(str(request.path_params["name"]), RETURNS["cpo"])
    year = request.query_params.get("year", "")
    answer = await site.platform.fetch(looker.token, service, path, {"year": year})
    headers = {"Content-Disposition": answer.headers.get("content-disposition", "attachment")}
    return Response(answer.content, media_type=answer.headers["content-type"], headers=headers)
