"""The routes of both services for people who manage orders: findings, standards, returns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from operator import attrgetter
from pathlib import Path
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from sqlalchemy import Engine

from contracts.periods import LONDON
from services.chassis.api.auth import Caller, OwnAuthority
from services.chassis.api.http import Written
from services.chassis.clock import Clock
from services.chassis.database import reading, transaction
from services.chassis.schema import Schema
from services.records.api.duties.due import Horizon
from services.records.api.findings.everything import Asked, Findings
from services.records.api.order_schemas import (
    FindingCounts,
    FindingPage,
    StandardRow,
    TargetRow,
    Today,
)
from services.records.api.paging import After, Day, Word
from services.records.config.settings import WebhookSettings
from services.records.config.targets import Targets, decided, latest_due
from services.records.ingest import notes, recount
from services.records.ingest.notes import Kind
from services.records.model.calendar import Calendar
from services.records.model.deadlines import Reading
from services.records.model.domain import Domain
from services.records.model.record import Record
from services.records.model.standards import ROWS
from services.records.returns.yearly import (
    Values,
)


class Manager(NamedTuple):
    """Somebody who may decide for an authority."""

    authority: str
    name: str
    """The manager's name as the token has it; without one, its subject."""


async def deciding(identity: Caller, authority: OwnAuthority) -> Manager:
    """Depend on the manager who decides, and on the authority decided for."""
    return Manager(authority, identity.called)


Deciding = Annotated[Manager, Depends(deciding)]
Limit = Annotated[int, Query(ge=1, le=1000)]


OFF = WebhookSettings()
"""No webhooks."""


@dataclass(frozen=True, slots=True)
class Own:
    """The operator's own files, which replace the shipped ones or add to them."""

    returns: Path | None = None
    """A folder with mappings that replace those of the service."""
    targets: Targets = field(default_factory=dict)
    webhooks: WebhookSettings = OFF


SHIPPED = Own()


@dataclass(frozen=True, slots=True)
class Management:
    """The parts of a service that the common routes need."""

    database: Engine
    domain: Domain
    clock: Clock
    findings: Findings
    readings: Callable[[Record, Calendar], Iterable[Reading]]
    values: Callable[[date, date], Values]
    """Gives the values for a return of the year from the first to the last day."""
    returns: Path
    """The folder with the mappings."""
    unit_return: str
    """The name of the unit-level return, both in its address and of its mapping."""
    own: Own

    def today(self) -> date:
        return self.clock().astimezone(LONDON).date()

    def now(self, authority: str) -> Today:
        """Return today's date for the authority, with its present calendar and targets."""
        with transaction(reading(self.database)) as connection:
            set_by_managers = notes.holding(connection, authority, Kind.CLOSED_DAY, Kind.TARGET)
        days = {date.fromisoformat(note.key) for note in set_by_managers if note.kind is Kind.CLOSED_DAY}
        own = [decided(note.key, note.content or {}) for note in set_by_managers if note.kind is Kind.TARGET]
        calendar = notes.with_days(self.domain, {authority: days}).of(authority).calendar
        targets = [*own, *self.own.targets.get(authority, ())]
        return Today(self.today(), calendar, sorted(targets, key=attrgetter("since"), reverse=True))


class Recount(
    Schema,
    description="A time at which cells were counted again, because the rules, a standard or the calendar changed.",
):
    known_on: date = Field(description="The day from which the changed numbers are known.")
    rules_before: str
    rules_after: str
    calendar: str
    cells_changed: int


class Standards(Schema, description="The standards in force, and the calendar by which they are counted."):
    standards: list[StandardRow]
    own_targets: list[TargetRow] = Field(description="The authority's own. National figures ignore them.")
    calendar: str
    closed_days: list[date] = Field(description="The authority's own, beside weekends and bank holidays.")
    recounts: list[Recount] = Field(description="The latest ten.")


def horizon(
    now: Today, within: int, left_out: frozenset[tuple[str, str, date]] = frozenset(), caseload: str = ""
) -> Horizon:
    """Return the horizon of a worklist for the next `within` working days, with the duties that it leaves out."""
    until = now.calendar.after(now.day, within)
    return Horizon(
        until, latest_due(now.targets, until, now.calendar), now.own_due if now.targets else None, left_out, caseload
    )


def routers(management: Management) -> list[APIRouter]:
    """Return the common routes."""
    return [_findings(management), _standards(management)]


def _findings(management: Management) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["findings"], route_class=Written)

    @routes.get("/findings/counts", summary="Contradictions in the data, counted by rule")
    def get_counts(authority: OwnAuthority, days: Annotated[int, Query(ge=1, le=366)] = 7) -> FindingCounts:
        now = management.now(authority)
        since = now.day - timedelta(days=days)
        with transaction(management.database) as connection:
            return management.findings.counts(connection, authority, now, since)

    @routes.get("/findings", summary="Contradictions in the data, and how to correct them")
    def get_findings(
        authority: OwnAuthority,
        rule: Word | None = None,
        since: Annotated[
            Day | None, Query(description="Only of orders about which a contradiction arrived on or after this day")
        ] = None,
        after: After = None,
        limit: Limit = 100,
    ) -> FindingPage:
        now = management.now(authority)
        asked = Asked(rule, since, after or "", limit)
        with transaction(management.database) as connection:
            return management.findings.page(connection, authority, now, asked)

    return routes


def _standards(management: Management) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["standards"], route_class=Written)

    @routes.get("/standards", summary="The standards, their sources, and the calendar")
    def get_standards(authority: OwnAuthority) -> Standards:
        with transaction(management.database) as connection:
            rows = recount.latest(connection, authority)
        now = management.now(authority)
        calendar = now.calendar
        return Standards(
            standards=[StandardRow.of(row) for row in ROWS],
            own_targets=[TargetRow.of(target) for target in now.targets],
            calendar=calendar.version,
            closed_days=sorted(calendar.closed - management.domain.calendar.closed),
            recounts=[Recount.model_validate(row) for row in rows],
        )

    return routes
