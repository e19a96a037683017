"""Lists of orders, and one order."""

import asyncio
from datetime import date

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from msgspec import Struct

from services.desk.course import course
from services.desk.files import Sheet
from services.desk.model import Ledger, OrderDetail
from services.desk.pages.site import Looker, Route, Site
from services.desk.pages.today import files_of
from services.desk.platform import Service, place
from services.desk.words.clocks import reasons_of
from services.desk.words.facts import content_of
from services.desk.words.ledger import ledger_of

MOST = 1000
_NONE = "The platform holds no order under this reference. Write it in full, as your own system does, with every slash and zero."
FILTERS = ("open", "missed", "due_within", "caseload")


class OrderRow(Struct, frozen=True):
    """One order in a list."""

    subject: str
    imposed_on: date
    ended_on: date | None
    late: list[str]
    overdue: list[str]
    next_due_on: date | None
    findings: list[str]
    caseload: str | None = None


class OrderPage(Struct, frozen=True):
    """A page of orders, the latest imposed first."""

    orders: list[OrderRow]
    next: str | None


def _asked(request: Request, *names: str) -> dict[str, str | int]:
    return {name: value for name in names if (value := request.query_params.get(name))}


async def _orders(site: Site, looker: Looker, request: Request) -> Response:
    asked = _asked(request, *FILTERS, "after")
    page = await site.platform.ask(looker.token, Service.ORDERS, "orders", OrderPage, {"limit": 50, **asked})
    return site.page(request, "orders", page=page, asked=asked)


async def _sheet(site: Site, looker: Looker, request: Request) -> Sheet:
    """Return all orders that match, read page by page."""
    asked: dict[str, str | int] = {**_asked(request, *FILTERS), "limit": MOST}
    page = await site.platform.ask(looker.token, Service.ORDERS, "orders", OrderPage, asked)
    found = list(page.orders)
    while page.next:
        page = await site.platform.ask(looker.token, Service.ORDERS, "orders", OrderPage, {**asked, "after": page.next})
        found += page.orders
    headings = (
        "Order",
        "Imposed on",
        "Ended on",
        "Overdue",
        "Met late or missed",
        "Next due",
        "Caseload",
        "Wrong data",
    )
    rows = [
        (
            *(row.subject, row.imposed_on, row.ended_on, _words(row.overdue), _words(row.late)),
            *(row.next_due_on, row.caseload, _words(row.findings)),
        )
        for row in found
    ]
    return Sheet("Orders", headings, rows)


def _words(codes: list[str]) -> str:
    return ", ".join(codes).replace("_", " ")


async def _find_order(_site: Site, _looker: Looker, request: Request) -> Response:
    return RedirectResponse(f"/orders/{place(request.query_params.get('reference', '').strip())}", 303)


async def _order(site: Site, looker: Looker, request: Request) -> Response:
    subject = place(str(request.path_params["subject"]))
    order, ledger = await asyncio.gather(
        site.platform.ask_if_there(looker.token, Service.ORDERS, f"orders/{subject}", OrderDetail),
        site.platform.ask_if_there(looker.token, Service.UNPAID_WORK, f"ledgers/{subject}", Ledger),
    )
    found = course(order, ledger)
    if found is None:
        return site.page(request, "refused", 404, why=_NONE)
    steps = ledger_of(found.hours) if found.hours else None
    return site.page(
        request,
        "order",
        course=found,
        reasons=reasons_of(found.clocks),
        ledger=steps,
        contents=[content_of(fact) for fact in found.facts],
    )


ROUTES = (
    Route("/orders", _orders, (*FILTERS, "after")),
    *files_of("orders", _sheet, *FILTERS),
    Route("/find", _find_order, ("reference",)),
    Route("/orders/{subject:path}", _order),
)
