"""The addresses of the desk, and the answers if a page cannot be shown."""

import logging
from collections.abc import Awaitable, Callable
from itertools import chain

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.chassis.api.query import Takes
from services.chassis.failures import Away
from services.chassis.web.assets import add_static
from services.chassis.web.sign_in import add_sign_in
from services.desk.pages import feeds, figures, orders, own, reports, returns, sending, today, webhooks, wrong
from services.desk.pages.site import NotForYou, Page, Site
from services.desk.platform import SignedOut, Unreadable

_PARTS = (today, orders, wrong, sending, figures, returns, reports, own, feeds, webhooks)

log = logging.getLogger(__name__)


def router(site: Site) -> APIRouter:
    """Return all pages."""
    pages = APIRouter(include_in_schema=False)
    for route in chain.from_iterable(part.ROUTES for part in _PARTS):
        pages.add_api_route(
            route.path,
            guarded(site, route.page),
            methods=[route.method],
            response_class=HTMLResponse,
            dependencies=[Depends(Takes(*route.takes))],
        )
    feeds.add_calendar(pages, site)
    add_sign_in(pages, site)
    add_static(pages)
    return pages


def guarded(site: Site, page: Page[Response]) -> Callable[[Request], Awaitable[Response]]:
    """Return the page with answers for everybody to whom it cannot be shown."""

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
            route = request.scope["route"].path  # the address itself may name an order
            log.error("%s: %s", route, unreadable)  # noqa: TRY400 - the answer itself stays out of the log
            return site.page(request, "unavailable", 502, why=str(unreadable))
        except HTTPException as problem:
            return site.page(request, "refused", problem.status_code, why=problem.detail)

    return answer
