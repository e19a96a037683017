"""The orders behind one of the authority's own numbers, for the authority itself."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection

from contracts.cells import MEASURES
from contracts.periods import last_day
from services.chassis.api.auth import OwnAuthority
from services.chassis.api.http import Written
from services.chassis.api.problems import Problem, documented
from services.chassis.database import transaction
from services.chassis.schema import Schema
from services.records.api import listing
from services.records.api.management import Management
from services.records.api.one_by_one import OneByOne
from services.records.api.paging import Word
from services.records.ingest import notes
from services.records.ingest.recount import records_of
from services.records.model.domain import Domain
from services.records.model.people import MEASURES as MEASURES_OF_PEOPLE
from services.records.upkeep.explain import (
    EXAMPLES,
    MOST_TRIED,
    Behind,
    CellName,
    Explanation,
    explain,
    facts_of,
    known,
    own_cell,
)

MOST = 1000
"""Most orders shown in one explanation."""


class Counts(Schema, description="An order that counts in the cell."):
    subject: str
    value: int
    facts: list[str] = Field(
        description="Without any of these facts it would count differently. Empty where any of several suffices."
    )
    facts_sought: bool = Field(
        description=f"False for an order with more than {MOST_TRIED} facts that might matter, of which none is named."
    )


class CountsNot(Schema, description="Why other orders do not count."):
    reason: str
    orders: int
    examples: list[str]


class CellExplanation(Schema, description="Everything behind the number, by today's rules."):
    measure: str
    period: date
    category: str
    as_of: date | None
    value: int
    orders: int = Field(description="How many count.")
    behind: list[Counts] = Field(description=f"The first {MOST} of them.")
    elsewhere: list[CountsNot]


class OwnCell(Schema, description="One of the authority's own numbers, or what one order adds to it."):
    measure: str
    period: date
    category: str = Field(description="Empty for the total.")
    value: int


class OwnCells(Schema, description="Numbers, by measure, period and category."):
    cells: list[OwnCell]


def router(management: Management) -> APIRouter:
    """Return the route. It reads every record of the authority, so a process answers one request at a time."""
    routes = APIRouter(prefix="/v1", tags=["standards"], route_class=Written)
    turn = OneByOne()

    @routes.get(
        "/explain",
        summary="The orders and facts behind one of the authority's own numbers, and why others did not count",
        responses=documented(422, 429),
    )
    def get_explanation(
        authority: OwnAuthority,
        measure: Annotated[Word, Query(examples=["orders_imposed"])],
        period: Annotated[
            Word, Query(pattern=r"^\d{4}-\d{2}(-\d{2})?$", description="A month, or the day of what is pending")
        ],
        category: Annotated[Word, Query(examples=["sex=male"])] = "",
        as_of: Annotated[date | None, Query(description="As it was known at the end of that day")] = None,
    ) -> CellExplanation:
        try:
            cell = own_cell(measure, authority, period, category)
        except ValueError as fault:
            raise Problem(422, str(fault)) from None
        with turn.take(authority), transaction(management.database) as connection:
            domain = notes.with_own_days(connection, management.domain, [authority]).of(authority)
            found = _explain(connection, cell, as_of, domain)
        return _view(cell, as_of, found)

    @routes.get("/counted", summary="The authority's own numbers of a month, as the nation counts them")
    def get_counted(
        authority: OwnAuthority,
        month: Annotated[Word, Query(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$", examples=["2026-03"])],
    ) -> OwnCells:
        first = date.fromisoformat(f"{month}-01")
        with transaction(management.database) as connection:
            sums = listing.cell_sums(connection, authority, MEASURES, first, last_day(first))
        return _cells(sums)

    @routes.get(
        "/counted/{subject:path}", summary="What one order adds to the nation's numbers", responses=documented(404)
    )
    def get_counted_of(subject: Word, authority: OwnAuthority) -> OwnCells:
        with transaction(management.database) as connection:
            domain = notes.with_own_days(connection, management.domain, [authority]).of(authority)
            record = listing.one(connection, authority, subject)
        if record is None:
            raise Problem(404, "No fact of this order has been read yet")
        return _cells(domain.contributions(record))

    return routes


def _explain(connection: Connection, cell: CellName, as_of: date | None, domain: Domain) -> Explanation:
    """Explain a cell. If it is enough, read only the orders that count something in its period."""
    authority, period, names = cell.authority, cell.period, facts_of(cell, domain)
    if as_of:
        return explain(cell, known(records_of(connection, authority, names), as_of), domain, MOST)
    if cell.measure in MEASURES_OF_PEOPLE:  # a person's orders count together, whenever they were
        return explain(cell, records_of(connection, authority, names), domain, MOST)
    found = explain(cell, listing.counting_in(connection, authority, period, names), domain, MOST)
    found.leave_out("counts in another period", *listing.counting_elsewhere(connection, authority, period, EXAMPLES))
    return found


def _cells(counted: Mapping[tuple[str, date, str], int]) -> OwnCells:
    rows = [OwnCell(measure=m, period=p, category=c, value=value) for (m, p, c), value in counted.items() if value]
    return OwnCells(cells=sorted(rows, key=lambda row: (row.measure, row.period, row.category)))


def _view(cell: CellName, as_of: date | None, found: Explanation) -> CellExplanation:
    return CellExplanation(
        measure=cell.measure,
        period=cell.period,
        category=cell.category,
        as_of=as_of,
        value=found.value,
        orders=len(found.behind),
        behind=list(map(_behind, found.behind[:MOST])),
        elsewhere=[
            CountsNot(reason=reason, orders=number, examples=found.examples[reason])
            for reason, number in found.elsewhere.most_common()
        ],
    )


def _behind(one: Behind) -> Counts:
    sought = one.facts is not None
    return Counts(subject=one.subject, value=one.value, facts=list(one.facts or ()), facts_sought=sought)
