"""An authority's own numbers as the nation counts them, with the orders behind each; and its own totals beside them."""

import asyncio
from collections.abc import Iterable
from datetime import date
from functools import partial
from itertools import chain, groupby
from typing import NamedTuple

from fastapi import Request, Response

from contracts.cells import CATEGORIES, MEASURES
from contracts.events import FACTS
from contracts.periods import add_months, month_of
from services.chassis.web.categories import headed_label
from services.desk.files import Sheet
from services.desk.model.numbers import CellExplanation, Held, HeldFacts, OwnCell, OwnCells
from services.desk.pages.returns import today_at
from services.desk.pages.site import Looker, Route, Site
from services.desk.pages.today import files_of
from services.desk.platform import Service, place
from services.desk.words.labels import amount, measure_label, unit_of

TOTALS = {"orders_imposed": Service.ORDERS, "orders_ended": Service.ORDERS, "minutes_credited": Service.UNPAID_WORK}
"""The totals with which an authority closes a month, and the service that counts each."""
ARRIVAL = {"events", "reporting_delay", "sequence", "control_totals"}
"""Measures that no single order explains."""


FOR_CHECKING = ("awaited_", "pending_", "minutes_outstanding_")
"""Beginnings of measures from which others are worked out."""


class Figure(NamedTuple):
    """One number."""

    service: Service
    cell: OwnCell
    label: str
    """The category; empty for the total."""


class Group(NamedTuple):
    """The numbers of one measure."""

    title: str
    figures: list[Figure]
    for_checking: bool
    """Whether it only shows how others came about."""


class Check(NamedTuple):
    """A total that the authority stated, and the counted one."""

    title: str
    stated: int | None
    counted: int
    service: Service
    measure: str

    @property
    def agrees(self) -> bool | None:
        """Return whether both agree; None if nothing was stated."""
        return None if self.stated is None else self.stated == self.counted


async def _month(site: Site, looker: Looker, request: Request) -> date:
    """Return the requested month, or the last whole one."""
    asked = request.query_params.get("month", "")
    try:
        return date.fromisoformat(f"{asked}-01")
    except ValueError:
        return add_months(month_of(await today_at(site, looker)), -1)


async def _cells(site: Site, looker: Looker, month: date) -> dict[Service, list[OwnCell]]:
    asked = {"month": f"{month:%Y-%m}"}
    found = await asyncio.gather(*(site.platform.ask(looker.token, s, "counted", OwnCells, asked) for s in Service))
    return {service: one.cells for service, one in zip(Service, found, strict=True)}


def _groups(cells: dict[Service, list[OwnCell]]) -> list[Group]:
    figures = [Figure(s, cell, headed_label(cell.category)) for s, found in cells.items() for cell in found]
    shown = sorted((f for f in figures if f.cell.measure not in ARRIVAL), key=_place)
    return [
        Group(measure_label(name), list(found), name.startswith(FOR_CHECKING))
        for name, found in groupby(shown, lambda one: one.cell.measure)
    ]


def _place(figure: Figure) -> tuple[int, date, str]:
    return list(MEASURES).index(figure.cell.measure), figure.cell.period, figure.cell.category


def _checks(cells: dict[Service, list[OwnCell]]) -> Iterable[Check]:
    stated = {
        c.category.removeprefix("total="): c.value for c in chain(*cells.values()) if c.measure == "control_totals"
    }
    for measure, service in TOTALS.items():
        counted = sum(c.value for c in cells[service] if c.measure == measure and not c.category)
        yield Check(measure_label(measure), stated.get(measure), counted, service, measure)


async def _held(site: Site, looker: Looker, request: Request) -> Response:
    month = await _month(site, looker, request)
    held, cells = await asyncio.gather(
        asyncio.gather(*(site.platform.ask(looker.token, service, "held", Held) for service in Service)),
        _cells(site, looker, month),
    )
    standing = await _standing(site, looker, request, held)
    return site.page(
        request,
        "held",
        held=dict(zip(Service, held, strict=True)),
        standing=standing,
        facts=FACTS,
        month=month,
        is_last_whole="month" not in request.query_params,
        before=add_months(month, -1),
        after=add_months(month, 1),
        checks=list(_checks(cells)),
        groups=_groups(cells),
        amount=amount,
    )


AT_ONCE = 20_000
"""Up to so many accepted events, every record is read whenever the page is shown; beyond, on request."""


async def _standing(
    site: Site, looker: Looker, request: Request, held: Iterable[Held]
) -> dict[Service, HeldFacts] | None:
    """Return what has become of the accepted events; None if that takes long and nobody asked."""
    if sum(one.events.get("applied", 0) for one in held) > AT_ONCE and "facts" not in request.query_params:
        return None
    found = await asyncio.gather(*(site.platform.ask(looker.token, s, "held/facts", HeldFacts) for s in Service))
    return dict(zip(Service, found, strict=True))


async def _sheet(site: Site, looker: Looker, request: Request) -> Sheet:
    cells = await _cells(site, looker, await _month(site, looker, request))
    rows = [
        (group.title, one.label or "Total", one.cell.period, amount(one.cell.measure, one.cell.value))
        for group in _groups(cells)
        for one in group.figures
    ]
    return Sheet("Our numbers", ("What is counted", "Of these", "Month or day", "Number"), rows)


async def _behind(site: Site, looker: Looker, request: Request) -> Response:
    asked = request.query_params
    measure, category = asked.get("measure", ""), asked.get("category", "")
    if measure not in MEASURES or category not in CATEGORIES[measure] | {""}:
        return site.page(request, "refused", 404, why="There is no such number.")
    service = Service.UNPAID_WORK if asked.get("service") == Service.UNPAID_WORK else Service.ORDERS
    parameters = {"measure": measure, "period": asked.get("period", ""), "category": category}
    found = await site.platform.ask(looker.token, service, "explain", CellExplanation, parameters)
    return site.page(
        request,
        "behind",
        found=found,
        title=measure_label(measure),
        label=headed_label(category),
        unit=unit_of(measure),
        amount=partial(amount, measure),
    )


async def _counted(site: Site, looker: Looker, request: Request) -> Response:
    subject = str(request.path_params["subject"])
    path = f"counted/{place(subject)}"
    found = await asyncio.gather(*(site.platform.ask_if_there(looker.token, s, path, OwnCells) for s in Service))
    if not any(found):
        return site.page(request, "refused", 404, why="The platform holds no order under this reference.")
    rows = [
        (service, measure_label(cell.measure), headed_label(cell.category), cell)
        for service, one in zip(Service, found, strict=True)
        for cell in (one.cells if one else ())
    ]
    rows.sort(key=lambda row: (list(MEASURES).index(row[3].measure), row[3].period, row[3].category))
    return site.page(request, "counted", subject=subject, rows=rows, amount=amount)


ROUTES = (
    Route("/counted/{subject:path}", _counted),
    Route("/held", _held, ("month", "facts")),
    *files_of("held", _sheet, "month"),
    Route("/figures", _behind, ("service", "measure", "period", "category")),
)
