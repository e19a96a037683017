"""The yearly returns, and the reports of quarters and years."""

import asyncio
from datetime import date

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from msgspec import Struct

from contracts.authorities import AUTHORITIES
from services.desk import files, workbook
from services.desk.model import WholeYear
from services.desk.pages.site import Looker, Route, Site
from services.desk.pages.today import XLSX, attachment
from services.desk.platform import Service
from services.desk.report.gathering import quarters_up_to
from services.desk.report.gathering import years_up_to as whole_years

RETURNS = {
    "cpo": (Service.ORDERS, "returns/cpo"),
    "unpaid-work": (Service.UNPAID_WORK, "returns/unpaid-work"),
}
"""The unit-level returns by name: who makes each, and where."""
TABLES = ("Tables of orders", "Tables of unpaid work")
"""In the order of the services, as the returns are."""


class Day(Struct, frozen=True):
    """The day on which the services look."""

    today: date


def years_up_to(day: date) -> list[str]:
    """Return the labels of the last five reporting years, the one that runs first."""
    first = day.year if day.month >= 4 else day.year - 1
    return [f"{year}-{(year + 1) % 100:02}" for year in range(first, first - 5, -1)]


async def today_at(site: Site, looker: Looker) -> date:
    """Return the day on which the services look."""
    return (await site.platform.ask(looker.token, Service.ORDERS, "duties", Day, {"limit": 0})).today


async def _returns(site: Site, looker: Looker, request: Request) -> Response:
    today = await today_at(site, looker)
    return site.page(
        request, "returns", years=years_up_to(today), quarters=quarters_up_to(today), whole=whole_years(today)
    )


async def _return_file(site: Site, looker: Looker, request: Request) -> Response:
    service, path = RETURNS.get(str(request.path_params["name"]), RETURNS["cpo"])
    year = request.query_params.get("year", "")
    answer = await site.platform.fetch(looker.token, service, path, {"year": year})
    headers = {"Content-Disposition": answer.headers.get("content-disposition", "attachment")}
    return Response(answer.content, media_type=answer.headers["content-type"], headers=headers)


async def _workbook(site: Site, looker: Looker, request: Request) -> Response:
    """All of a year in one workbook."""
    year = request.query_params.get("year", "")
    found = await asyncio.gather(
        *(site.platform.ask(looker.token, s, "returns/whole", WholeYear, {"year": year}) for s in Service)
    )
    sheets = workbook.sheets(
        year,
        AUTHORITIES[looker.authority].name,
        {name: whole.unit_return for name, whole in zip(RETURNS, found, strict=True)},
        {title: whole.report for title, whole in zip(TABLES, found, strict=True)},
        [whole.reconciliation for whole in found],
    )
    content = await run_in_threadpool(files.as_xlsx, *sheets)
    return attachment(content, XLSX, f"returns-{year}.xlsx")


ROUTES = (
    Route("/returns", _returns),
    Route("/returns/all.xlsx", _workbook, ("year",)),
    Route("/returns/{name}.csv", _return_file, ("year",)),
)
