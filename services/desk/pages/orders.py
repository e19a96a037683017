"""Lists of orders, and one order."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import islice

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from msgspec import Struct

from contracts.codes import LateReason
from services.desk.course import course
from services.desk.files import Sheet
from services.desk.model.duties import Duties
from services.desk.model.orders import Ledger, OrderDetail
from services.desk.pages.site import Looker, Route, Site
from services.desk.pages.today import files_of
from services.desk.platform import Service, place
from services.desk.words.deadlines import reasons_of
from services.desk.words.facts import content_of
from services.desk.words.labels import code_label
from services.desk.words.ledger import ledger_of, sessions_in_words

MOST, NAMED = 1000, 100
"""How many orders one question is answered with, and may name."""
OF_WORK = ("induction", "placement", "completion")
"""Standards that the service of unpaid work counts."""
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

    def with_other(self, other: "OrderRow | None") -> "OrderRow":
        """Return the order with the standards and findings of the other service, which knows others."""
        if other is None:
            return self
        due = [day for day in (self.next_due_on, other.next_due_on) if day is not None]
        return OrderRow(
            self.subject,
            self.imposed_on,
            self.ended_on or other.ended_on,
            [*self.late, *other.late],
            [*self.overdue, *other.overdue],
            min(due, default=None),
            list(dict.fromkeys([*self.findings, *other.findings])),
            self.caseload or other.caseload,
        )


class OrderPage(Struct, frozen=True):
    """A page of orders, the latest imposed first."""

    orders: list[OrderRow]
    next: str | None


def _asked(request: Request, *names: str) -> dict[str, str | int]:
    return {name: value for name in names if (value := request.query_params.get(name))}


async def _orders(site: Site, looker: Looker, request: Request) -> Response:
    asked = _asked(request, *FILTERS, "after")
    page, duties = await asyncio.gather(
        _page(site, looker, {"limit": 50, **asked}),
        site.platform.ask(looker.token, Service.ORDERS, "duties", Duties, {"limit": 0}),
    )
    chosen = {str(asked["caseload"])} if "caseload" in asked else set()
    return site.page(request, "orders", page=page, asked=asked, caseloads=sorted({*duties.caseloads} | chosen))


def batched(subjects: Sequence[str], most: int) -> Iterator[list[str]]:
    """Yield the references in lists of so many at most."""
    left = iter(subjects)
    while some := list(islice(left, most)):
        yield some


async def _page(site: Site, looker: Looker, asked: Mapping[str, str | int]) -> OrderPage:
    """Return a page of the service that counts the standard asked for, with what the other service counts of the same orders."""
    first, second = (Service.UNPAID_WORK, Service.ORDERS) if asked.get("missed") in OF_WORK else Service
    page = await site.platform.ask(looker.token, first, "orders", OrderPage, asked)
    subjects = [row.subject for row in page.orders]
    beside = await asyncio.gather(
        *(
            site.platform.ask(looker.token, second, "orders", OrderPage, {"subject": some, "limit": NAMED})
            for some in batched(subjects, NAMED)
        )
    )
    others = {row.subject: row for part in beside for row in part.orders}
    return OrderPage([row.with_other(others.get(row.subject)) for row in page.orders], page.next)


async def _sheet(site: Site, looker: Looker, request: Request) -> Sheet:
    """Return all orders that match, read page by page."""
    asked: dict[str, str | int] = {**_asked(request, *FILTERS), "limit": MOST}
    page = await _page(site, looker, asked)
    found = list(page.orders)
    while page.next:
        page = await _page(site, looker, {**asked, "after": page.next})
        found += page.orders
    headings = (
        "Order",
        "Imposed on",
        "Ended on",
        "Overdue",
        "Met late or missed",
        "Next national due date",
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


def _inside(text: str) -> str:
    return text[:1].lower() + text[1:]


async def _find_order(_site: Site, _looker: Looker, request: Request) -> Response:
    return RedirectResponse(f"/orders/{place(request.query_params.get('reference', '').strip())}", 303)


async def _order(site: Site, looker: Looker, request: Request) -> Response:
    subject = place(str(request.path_params["subject"]))
    order, ledger = await asyncio.gather(
        site.platform.ask_if_there(looker.token, Service.ORDERS, f"orders/{subject}", OrderDetail),
        site.platform.ask_if_there(looker.token, Service.UNPAID_WORK, f"ledgers/{subject}", Ledger),
    )
    found = course(order, ledger, sessions_in_words(ledger.facts) if ledger else {})
    if found is None:
        return site.page(request, "refused", 404, why=_NONE)
    steps = ledger_of(found.hours) if found.hours else None
    return site.page(
        request,
        "order",
        course=found,
        reasons=reasons_of(found.clocks),
        late_reason=lambda code: _inside(code_label(LateReason, code)),
        ledger=steps,
        contents=[content_of(fact) for fact in found.facts],
    )


ROUTES = (
    Route("/orders", _orders, (*FILTERS, "after")),
    *files_of("orders", _sheet, *FILTERS),
    Route("/find", _find_order, ("reference",)),
    Route("/orders/{subject:path}", _order),
)
