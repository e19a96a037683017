"""The routes that both services put in front of the people who manage orders: findings, standards, returns."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Engine, select

from contracts.authorities import current_code
from contracts.periods import LONDON
from services.chassis.api.auth import Identity, require
from services.chassis.api.http import Written
from services.chassis.api.problems import Problem
from services.chassis.clock import Clock
from services.chassis.database import reading, transaction
from services.chassis.failures import Refused
from services.records.api import listing, years
from services.records.api.listing import Horizon
from services.records.api.order_schemas import (
    FindingCount,
    FindingCounts,
    FindingPage,
    FindingView,
    StandardRow,
    TargetRow,
    Today,
)
from services.records.api.own_findings import OwnFindings
from services.records.api.paging import After, Day, Word
from services.records.config.targets import Targets, decided, latest_due
from services.records.ingest import notes
from services.records.ingest.notes import Kind
from services.records.ingest.tables import recounts
from services.records.model.calendar import Calendar
from services.records.model.deadlines import Reading
from services.records.model.domain import Domain
from services.records.model.findings import Finding, Rule
from services.records.model.record import Record
from services.records.model.standards import ROWS
from services.records.returns.yearly import (
    Filler,
    Report,
    UnitReturn,
    Values,
    as_csv,
    concerns,
    counted,
    faults,
    find,
    not_compared,
    read,
    table_rows,
)


async def manager(identity: Annotated[Identity, Depends(require("orders:read"))]) -> str:
    """Dependency: the current code of the authority whose orders the caller may see."""
    code = current_code(identity.authority or "")
    if code is None:
        raise Problem(403, "Only an authority sees its own orders")
    return code


OwnOrders = Annotated[str, Depends(manager)]


class Manager(NamedTuple):
    """Somebody who may decide for an authority."""

    authority: str
    name: str
    """As the token has it."""


async def deciding(identity: Annotated[Identity, Depends(require("orders:manage"))]) -> Manager:
    """Dependency: who decides, and for which authority (current code)."""
    code = current_code(identity.authority or "")
    if code is None:
        raise Problem(403, "Only an authority decides about its own orders")
    return Manager(code, identity.subject)


Deciding = Annotated[Manager, Depends(deciding)]
Year = Annotated[str, Query(pattern=years.PATTERN, description="April to March", examples=["2025-26"])]
Limit = Annotated[int, Query(ge=1, le=1000)]


@dataclass(frozen=True, slots=True)
class Own:
    """What whoever runs the service gives in place of what is shipped, or beside it."""

    returns: Path | None = None
    """A folder with mappings that stand in place of those of the service."""
    targets: Targets = field(default_factory=dict)


SHIPPED = Own()


@dataclass(frozen=True, slots=True)
class Desk:
    """What the common routes need to know of their service."""

    database: Engine
    domain: Domain
    clock: Clock
    findings: Callable[[Record], Sequence[Finding]]
    rules: Sequence[Rule]
    """All that those can be about."""
    own_findings: OwnFindings
    readings: Callable[[Record, Calendar], Iterable[Reading]]
    values: Callable[[date, date], Values]
    """For a return of the year from the first to the last day."""
    returns: Path
    """The folder of the mappings."""
    unit_return: str
    """The name of the unit-level return, in its address and of its mapping."""
    own: Own

    def today(self) -> date:
        return self.clock().astimezone(LONDON).date()

    def now(self, authority: str) -> Today:
        """The day on which the authority looks, with the calendar and the targets that it has set by now."""
        with transaction(reading(self.database)) as connection:
            set_by_managers = notes.holding(connection, authority, Kind.CLOSED_DAY, Kind.TARGET)
        days = {date.fromisoformat(note.key) for note in set_by_managers if note.kind is Kind.CLOSED_DAY}
        own = [decided(note.key, note.content or {}) for note in set_by_managers if note.kind is Kind.TARGET]
        calendar = notes.with_days(self.domain, {authority: days}).of(authority).calendar
        targets = [*own, *self.own.targets.get(authority, ())]
        return Today(self.today(), calendar, sorted(targets, key=attrgetter("since"), reverse=True))


class Recount(BaseModel):
    """A time at which cells were counted again, because the rules, a standard or the calendar changed."""

    known_on: date = Field(description="The day from which the changed numbers are known.")
    rules_before: str
    rules_after: str
    calendar: str
    cells_changed: int


class Standards(BaseModel):
    """The standards in force, and the calendar by which they are counted."""

    standards: list[StandardRow]
    own_targets: list[TargetRow] = Field(description="The authority's own. National figures know nothing of them.")
    calendar: str
    closed_days: list[date] = Field(description="The authority's own, beside weekends and bank holidays.")
    recounts: list[Recount] = Field(description="The latest ten.")


class Table(BaseModel):
    """One table of the yearly report."""

    id: str
    title: str
    unit: str
    rows: dict[str, float] = Field(description="By category; the total has an empty one.")


class YearlyReport(BaseModel):
    """The tables of the yearly report on community payback orders, as far as this service knows."""

    title: str
    version: str
    authority: str
    year: str
    tables: list[Table]


class Agreement(BaseModel):
    """One number of the unit-level return, beside the national cells that must say the same."""

    title: str
    measure: str
    category: str
    unit_return: int
    cells: int
    agrees: bool


class Reconciliation(BaseModel):
    """The unit-level return and the tables beside the national cells. The tables are sums of those cells."""

    year: str
    agrees: bool
    checks: list[Agreement]
    tables_not_compared: list[str] = Field(
        description="They count facts of orders that have no row. `payback prove` compares their cells with all records."
    )


def horizon(
    now: Today, within: int, left_out: frozenset[tuple[str, str, date]] = frozenset(), caseload: str = ""
) -> Horizon:
    """How far a worklist looks that shows the next `within` working days, without the duties that are left out."""
    until = now.calendar.after(now.day, within)
    return Horizon(
        until, latest_due(now.targets, until, now.calendar), now.own_due if now.targets else None, left_out, caseload
    )


def routers(desk: Desk) -> list[APIRouter]:
    """The common routes."""
    return [_findings(desk), _standards(desk), _returns(desk)]


def _findings(desk: Desk) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["findings"], route_class=Written)

    @routes.get("/findings/counts", summary="How much in the data cannot all be so, by rule")
    def get_counts(authority: OwnOrders, days: Annotated[int, Query(ge=1, le=366)] = 7) -> FindingCounts:
        now = desk.now(authority)
        since = now.day - timedelta(days=days)
        with transaction(desk.database) as connection:
            counted = listing.finding_counts(connection, authority, since)
            own = [list(find(connection, authority, now)) for find in desk.own_findings.values()]
        rows = [_count(rule, *counted[rule.code]) for rule in desk.rules if rule.code in counted]
        rows += [_count(found[0], len(found), 0) for found in own if found]
        return FindingCounts(newly_since=since, rules=sorted(rows, key=lambda row: (-row.number, row.rule)))

    @routes.get("/findings", summary="What in the data cannot all be so, with how to mend it")
    def get_findings(
        authority: OwnOrders,
        rule: Word | None = None,
        since: Annotated[
            Day | None, Query(description="Only of orders of which something that cannot be came on or after this day")
        ] = None,
        after: After = None,
        limit: Limit = 100,
    ) -> FindingPage:
        wanted = [find for code, find in desk.own_findings.items() if not after and rule in (None, code)]
        now = desk.now(authority)
        with transaction(desk.database) as connection:
            found = listing.with_findings(connection, authority, rule, since, after or "", limit)
            own = [view for find in wanted for view in find(connection, authority, now)]
        views = own + [
            FindingView.of(subject, one, record) for subject, record in found for one in desk.findings(record)
        ]
        chosen = [view for view in views if rule in (None, view.rule)]
        return FindingPage(findings=chosen, next=found[-1][0] if len(found) == limit else None)

    return routes


def _count(what: Rule | FindingView, number: int, newly: int) -> FindingCount:
    code = what.code if isinstance(what, Rule) else what.rule
    return FindingCount(rule=code, meaning=what.meaning, remedy=what.remedy, number=number, newly=newly)


def _standards(desk: Desk) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["standards"], route_class=Written)

    @routes.get("/standards", summary="The standards, their sources, and the calendar")
    def get_standards(authority: OwnOrders) -> Standards:
        query = select(recounts).where(recounts.c.authority == authority).order_by(recounts.c.version.desc()).limit(10)
        with transaction(desk.database) as connection:
            rows = connection.execute(query).mappings().all()
        now = desk.now(authority)
        calendar = now.calendar
        return Standards(
            standards=[StandardRow.of(row) for row in ROWS],
            own_targets=[TargetRow.of(target) for target in now.targets],
            calendar=calendar.version,
            closed_days=sorted(calendar.closed - desk.domain.calendar.closed),
            recounts=[Recount.model_validate(dict(row)) for row in rows],
        )

    return routes


def _returns(desk: Desk) -> APIRouter:
    routes = APIRouter(prefix="/v1/returns", tags=["returns"], route_class=Written)
    mapping = read(find(f"{desk.unit_return}.toml", desk.returns, desk.own.returns), UnitReturn)
    report = read(find("annual-report.toml", desk.returns, desk.own.returns), Report)
    if found := faults(mapping, report, desk.values(date.min, date.max)):
        raise Refused(f"The mappings of returns cannot be carried out: {'; '.join(found)}")

    def rows_of(connection: Connection, authority: str, first: date, last: date) -> list[dict[str, str]]:
        calendar = notes.with_own_days(connection, desk.domain, [authority]).of(authority).calendar
        filler = Filler(mapping, authority, desk.values(first, last), lambda record: desk.readings(record, calendar))
        return list(filler.rows(listing.of_year(connection, authority, first, last)))

    @routes.get(
        f"/{desk.unit_return}",
        summary=mapping.title,
        response_class=Response,
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": _columns(mapping)}},
    )
    def get_unit_return(authority: OwnOrders, year: Year) -> Response:
        first, last = years.span_of(year)
        with transaction(desk.database) as connection:
            rows = rows_of(connection, authority, first, last)
        text = as_csv((column.name for column in mapping.column), rows)
        name = f"{desk.unit_return}-{authority}-{year}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(text, media_type="text/csv; charset=utf-8; header=present", headers=headers)

    @routes.get("/annual-report", summary=report.title)
    def get_annual_report(authority: OwnOrders, year: Year) -> YearlyReport:
        first, last = years.span_of(year)
        with transaction(desk.database) as connection:
            sums = listing.cell_sums(connection, authority, {t.measure for t in report.table}, first, last)
        tables = [Table(id=t.id, title=t.title, unit=t.unit, rows=table_rows(t, sums)) for t in report.table]
        return YearlyReport(title=report.title, version=report.version, authority=authority, year=year, tables=tables)

    @routes.get("/reconciliation", summary="Whether the returns agree with the national cells")
    def get_reconciliation(authority: OwnOrders, year: Year) -> Reconciliation:
        first, last = years.span_of(year)
        with transaction(desk.database) as connection:
            rows = rows_of(connection, authority, first, last)
            sums = listing.cell_sums(connection, authority, {check.measure for check in mapping.check}, first, last)
        checks = _agreements(mapping, rows, sums)
        return Reconciliation(
            year=year,
            agrees=all(check.agrees for check in checks),
            checks=checks,
            tables_not_compared=not_compared(mapping, report),
        )

    return routes


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
