"""The pages of the desk: plain HTML from the server, the same with and without scripts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from services.chassis.api.query import Takes
from services.chassis.failures import Away
from services.chassis.web.assets import add_static
from services.chassis.web.sign_in import add_sign_in
from services.desk import files
from services.desk.course import course
from services.desk.model import FindingPage, Held, Ledger, OrderDetail, Worklist
from services.desk.pages.lists import OrderPage, add_returns
from services.desk.pages.sending import add_sending
from services.desk.pages.site import Looker, NotForYou, Site, site_of
from services.desk.platform import Platform, Service, SignedOut, Unreadable, place
from services.desk.settings import ApiSettings
from services.desk.today import Choice, Order, Today, When, chosen, merged, page_of, sections

log = logging.getLogger(__name__)

MOST = 1000
"""How many tasks each service is asked for at once."""

Page = Callable[[Site, Looker, Request], Awaitable[Response]]


def router(platform: Platform, settings: ApiSettings) -> APIRouter:
    """Return all pages."""
    site = site_of(platform, settings)
    pages = APIRouter(include_in_schema=False)
    for path, page in _PAGES.items():
        takes = [Depends(Takes(*_ASKED.get(path, ())))]
        pages.add_api_route(path, guarded(site, page), methods=["GET"], response_class=HTMLResponse, dependencies=takes)
    add_returns(pages, site, guarded)
    add_sending(pages, site, guarded)
    add_sign_in(pages, site)
    add_static(pages)
    return pages


def guarded(site: Site, page: Page) -> Callable[[Request], Awaitable[Response]]:
    """Return the page with an answer for everybody whom it cannot be shown to."""

    async def answer(request: Request) -> Response:
        try:
            return await page(site, site.looker(request), request)
        except SignedOut:
            return RedirectResponse("/sign-in", 303)
        except NotForYou:
            return site.page(request, "not_for_you", 403)
        except Away as away:
            return site.page(request, "unavailable", 503, why=str(away))
        except Unreadable as unreadable:
            log.error("%s: %s", request.url.path, unreadable)  # noqa: TRY400 - the answer itself stays out of the log
            return site.page(request, "unavailable", 502, why=str(unreadable))
        except HTTPException as problem:
            return site.page(request, "refused", problem.status_code, why=problem.detail)

    return answer


async def _all_tasks(site: Site, looker: Looker, service: Service) -> Worklist:
    """The whole worklist of a service, page by page."""
    first = await site.platform.ask(looker.token, service, "worklist", Worklist, {"within": 5, "limit": MOST})
    items, after = list(first.items), first.next
    while after:
        parameters: dict[str, str | int] = {"within": 5, "limit": MOST, "after": after}
        page = await site.platform.ask(looker.token, service, "worklist", Worklist, parameters)
        items += page.items
        after = page.next
    return Worklist(first.today, first.until, items, None, first.will_be_late)


async def today_of(site: Site, looker: Looker) -> Today:
    """Return what needs doing, from both services at once."""
    return merged(await asyncio.gather(*(_all_tasks(site, looker, service) for service in Service)))


def choice_of(request: Request) -> Choice:
    """Return what was asked for; what is not known is left out."""
    asked = request.query_params
    page = asked.get("page", "1")
    return Choice(
        standard=asked.get("standard", ""),
        when=When(asked["when"]) if asked.get("when") in list(When) else None,
        order=Order(asked["order"]) if asked.get("order") in list(Order) else Order.DUE,
        page=int(page) if page.isdecimal() and 0 < len(page) < 6 else 1,
    )


async def _today(site: Site, looker: Looker, request: Request) -> Response:
    today, choice = await today_of(site, looker), choice_of(request)
    tasks = chosen(today, choice)
    shown, pages = page_of(tasks, choice.page)
    return site.page(
        request,
        "today",
        today=today,
        choice=choice,
        sections=sections(today, tasks) if choice.when is None else [],
        tasks=shown,
        found=len(tasks),
        pages=pages,
        orders=Order,
        whens=When,
    )


async def _today_csv(site: Site, looker: Looker, request: Request) -> Response:
    today = await today_of(site, looker)
    return _file(files.as_csv(today, chosen(today, choice_of(request))), "text/csv; charset=utf-8", today, "csv")


async def _today_xlsx(site: Site, looker: Looker, request: Request) -> Response:
    today = await today_of(site, looker)
    return _file(files.as_xlsx(today, chosen(today, choice_of(request))), XLSX, today, "xlsx")


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _file(content: bytes, media_type: str, today: Today, extension: str) -> Response:
    name = f"to-do-{today.day}.{extension}"
    return Response(content, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


async def _orders(site: Site, looker: Looker, request: Request) -> Response:
    asked = {name: value for name in ("open", "missed", "after") if (value := request.query_params.get(name))}
    page = await site.platform.ask(looker.token, Service.ORDERS, "orders", OrderPage, asked)
    return site.page(request, "orders", page=page, asked=asked)


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
        return site.page(request, "refused", 404, why="The platform holds no order under this reference.")
    return site.page(request, "order", course=found)


async def _wrong(site: Site, looker: Looker, request: Request) -> Response:
    asked = {name: value for name in ("rule",) if (value := request.query_params.get(name))}
    pages = await asyncio.gather(
        *(site.platform.ask(looker.token, service, "findings", FindingPage, asked) for service in Service)
    )
    findings = [finding for page in pages for finding in page.findings]
    return site.page(request, "wrong", findings=findings, more=any(page.next for page in pages))


async def _held(site: Site, looker: Looker, request: Request) -> Response:
    held = await asyncio.gather(*(site.platform.ask(looker.token, service, "held", Held) for service in Service))
    return site.page(request, "held", held=dict(zip(Service, held, strict=True)))


_PAGES: dict[str, Page] = {
    "/": _today,
    "/today.csv": _today_csv,
    "/today.xlsx": _today_xlsx,
    "/orders": _orders,
    "/find": _find_order,
    "/orders/{subject:path}": _order,
    "/wrong": _wrong,
    "/held": _held,
}

_OF_TASKS = ("standard", "when", "order", "page")
_ASKED = {
    "/": _OF_TASKS,
    "/today.csv": _OF_TASKS,
    "/today.xlsx": _OF_TASKS,
    "/orders": ("open", "missed", "after"),
    "/find": ("reference",),
    "/wrong": ("rule",),
}
"""By path, the query parameters that a page takes."""
