"""The returns of a reporting year, April to March, labelled like 2025-26."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Connection

from services.chassis.api.auth import OwnAuthority
from services.chassis.api.http import Written
from services.chassis.api.problems import Problem
from services.chassis.audit import watching
from services.chassis.database import transaction
from services.chassis.failures import Refused
from services.chassis.schema import Schema
from services.records.api import listing
from services.records.api.management import Management
from services.records.ingest import notes
from services.records.model.record import Record
from services.records.returns.yearly import (
    Filler,
    Report,
    UnitReturn,
    as_csv,
    concerns,
    counted,
    faults,
    find,
    not_compared,
    read,
    table_rows,
)

Year = Annotated[str, Query(pattern=r"^20\d\d-\d\d$", description="April to March", examples=["2025-26"])]


class Table(Schema, description="One table of the yearly report."):
    id: str
    title: str
    unit: str
    rows: dict[str, float] = Field(description="By category; the category of the total is empty.")


class YearlyReport(
    Schema, description="The tables of the yearly report on community payback orders, as far as this service knows."
):
    title: str
    version: str
    authority: str
    year: str
    tables: list[Table]


class Agreement(
    Schema, description="One number of the unit-level return, beside the national cells that must agree with it."
):
    title: str
    measure: str
    category: str
    unit_return: int
    cells: int
    agrees: bool


class Reconciliation(
    Schema,
    description="The unit-level return and the tables beside the national cells. The tables are sums of those cells.",
):
    year: str
    agrees: bool
    checks: list[Agreement]
    tables_not_compared: list[str] = Field(
        description="They count facts of orders that have no row. `payback prove` compares their cells with all records."
    )


class WholeYear(Schema, description="All returns of a year, made from one reading of the data."):
    unit_return: str = Field(description="As CSV.")
    report: YearlyReport
    reconciliation: Reconciliation


@dataclass(frozen=True, slots=True)
class _Year:
    """A reporting year of one authority, read through one connection."""

    management: Management
    mapping: UnitReturn
    report: Report
    connection: Connection
    authority: str
    label: str
    first: date
    last: date
    subjects: list[str] = field(default_factory=list)
    """The orders that were read for rows."""

    def rows(self) -> list[dict[str, str]]:
        """Return the rows of the unit-level return."""
        calendar = (
            notes.with_own_days(self.connection, self.management.domain, [self.authority]).of(self.authority).calendar
        )
        values = self.management.values(self.first, self.last)
        filler = Filler(self.mapping, self.authority, values, lambda record: self.management.readings(record, calendar))
        return list(filler.rows(self._noted()))

    def _noted(self) -> Iterator[tuple[str, Record]]:
        for subject, record in listing.of_year(self.connection, self.authority, self.first, self.last):
            self.subjects.append(subject)
            yield subject, record

    def tables(self) -> YearlyReport:
        sums = self._sums({table.measure for table in self.report.table})
        found = [Table(id=t.id, title=t.title, unit=t.unit, rows=table_rows(t, sums)) for t in self.report.table]
        title, version = self.report.title, self.report.version
        return YearlyReport(title=title, version=version, authority=self.authority, year=self.label, tables=found)

    def reconciled(self, rows: list[dict[str, str]]) -> Reconciliation:
        checks = _agreements(self.mapping, rows, self._sums({check.measure for check in self.mapping.check}))
        missing = not_compared(self.mapping, self.report)
        agrees = all(check.agrees for check in checks)
        return Reconciliation(year=self.label, agrees=agrees, checks=checks, tables_not_compared=missing)

    def csv(self, rows: list[dict[str, str]]) -> str:
        return as_csv((column.name for column in self.mapping.column), rows)

    def _sums(self, measures: set[str]) -> dict[tuple[str, date, str], int]:
        return listing.cell_sums(self.connection, self.authority, measures, self.first, self.last)


def router(management: Management) -> APIRouter:
    """Return the routes. Raises Refused if a mapping has errors."""
    routes = APIRouter(prefix="/v1/returns", tags=["returns"], route_class=Written)
    mapping = read(find(f"{management.unit_return}.toml", management.returns, management.own.returns), UnitReturn)
    report = read(find("annual-report.toml", management.returns, management.own.returns), Report)
    if found := faults(mapping, report, management.values(date.min, date.max)):
        raise Refused(f"The mappings of returns cannot be carried out: {'; '.join(found)}")

    def of(connection: Connection, authority: str, label: str) -> _Year:
        return _Year(management, mapping, report, connection, authority, label, *span_of(label))

    @routes.get(
        f"/{management.unit_return}",
        summary=mapping.title,
        response_class=Response,
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": _columns(mapping)}},
    )
    def get_unit_return(authority: OwnAuthority, year: Year) -> Response:
        with transaction(management.database) as connection:
            asked = of(connection, authority, year)
            text = asked.csv(asked.rows())
        watching.show(asked.subjects)
        name = f"{management.unit_return}-{authority}-{year}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(text, media_type="text/csv; charset=utf-8; header=present", headers=headers)

    @routes.get("/annual-report", summary=report.title)
    def get_annual_report(authority: OwnAuthority, year: Year) -> YearlyReport:
        with transaction(management.database) as connection:
            return of(connection, authority, year).tables()

    @routes.get("/reconciliation", summary="Whether the returns agree with the national cells")
    def get_reconciliation(authority: OwnAuthority, year: Year) -> Reconciliation:
        with transaction(management.database) as connection:
            asked = of(connection, authority, year)
            return asked.reconciled(asked.rows())

    @routes.get("/whole", summary="All returns of a year, made from one reading of the data")
    def get_whole(authority: OwnAuthority, year: Year) -> WholeYear:
        with transaction(management.database) as connection:
            asked = of(connection, authority, year)
            rows = asked.rows()
            watching.show(asked.subjects)
            return WholeYear(unit_return=asked.csv(rows), report=asked.tables(), reconciliation=asked.reconciled(rows))

    return routes


def span_of(label: str) -> tuple[date, date]:
    """Return the first and last day of a year. Raises Problem 422 if the label is not a year."""
    first = int(label[:4])
    if label[5:] != f"{(first + 1) % 100:02}":
        raise Problem(422, f"A year runs from April to March, as in {first}-{(first + 1) % 100:02}")
    return date(first, 4, 1), date(first + 1, 3, 31)


def _columns(mapping: UnitReturn) -> str:
    return "\n".join(f"- `{column.name}`: {column.about}" for column in mapping.column)


def _agreements(
    mapping: UnitReturn, rows: list[dict[str, str]], sums: dict[tuple[str, date, str], int]
) -> list[Agreement]:
    checks = []
    for check in mapping.check:
        ours = counted(check, rows)
        cells: Counter[str] = Counter()
        for (measure, _, category), value in sums.items():
            if concerns(check, measure, category):
                cells[category] += value
        for category in sorted(ours.keys() | cells.keys()):
            said, held = ours.get(category, 0), cells.get(category, 0)
            checks.append(
                Agreement(
                    title=check.title,
                    measure=check.measure,
                    category=category,
                    unit_return=said,
                    cells=held,
                    agrees=said == held,
                )
            )
    return checks
