"""The yearly returns, and the reports of quarters and years."""

import asyncio
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from msgspec import Struct

from contracts.authorities import AUTHORITIES
from contracts.periods import quarter_of, year_of
from services.desk import files, workbook
from services.desk.model.returns import WholeYear
from services.desk.pages.site import Looker, Route, Site
from services.desk.pages.today import XLSX, attachment
from services.desk.platform import Service
from services.desk.report.gathering import quarters_up_to, span_of
from services.desk.report.gathering import years_up_to as whole_years

RETURNS = {
    "cpo": (Service.ORDERS, "returns/cpo"),
    "unpaid-work": (Service.UNPAID_WORK, "returns/unpaid-work"),
}
"""The unit-level returns by name: the service that makes each, and its path."""
TABLES = ("Tables of orders", "Tables of unpaid work")
"""In the order of the services, as the returns are."""


class Day(Struct, frozen=True):
    """The day that the services take for today."""

    today: date


class Offered(NamedTuple):
    """A quarter or year in the list."""

    label: str
    so_far: bool
    """Whether it is not over yet."""

    @property
    def months(self) -> str:
        """Return its months in words, as in July to September 2026."""
        return span_of(self.label).label


def years_up_to(day: date) -> list[Offered]:
    """Return the last five reporting years, the present one first."""
    return _offered(whole_years(day, 4), year_of(day))


def reports_up_to(day: date) -> list[Offered]:
    """Return the quarters of a year and the years on which to report, each with the present one first."""
    quarters, years = quarters_up_to(day)[:4], whole_years(day)
    return [*_offered(quarters, quarter_of(day)), *_offered(years, year_of(day))]


def _offered(whole: Iterable[str], *running: str) -> list[Offered]:
    return [*(Offered(label, so_far=True) for label in running), *(Offered(label, so_far=False) for label in whole)]


async def today_at(site: Site, looker: Looker) -> date:
    """Return the day that the services take for today."""
    return (await site.platform.ask(looker.token, Service.ORDERS, "duties", Day, {"limit": 0})).today


async def _returns(site: Site, looker: Looker, request: Request) -> Response:
    today = await today_at(site, looker)
    return site.page(
        request,
        "returns",
        years=years_up_to(today),
        reports=reports_up_to(today),
        whole=_offered(whole_years(today)),
    )


async def _return_file(site: Site, looker: Looker, request: Request) -> Response:
    service, path = RETURNS.get(str(request.path_params["name"]), RETURNS["cpo"])
    year = request.query_params.get("year", "")
    answer = await site.platform.fetch(looker.token, service, path, {"year": year})
    headers = {"Content-Disposition": answer.headers.get("content-disposition", "attachment")}
    return Response(answer.content, media_type=answer.headers["content-type"], headers=headers)


async def _workbook(site: Site, looker: Looker, request: Request) -> Response:
    """Return everything about a year in one workbook."""
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
