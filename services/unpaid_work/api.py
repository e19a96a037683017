"""The routes on which the unpaid work service answers an authority about its own orders."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter
from sqlalchemy import Engine

from contracts.events import Topic
from services.chassis.api.auth import OwnAuthority
from services.chassis.api.http import Written
from services.chassis.api.problems import Problem, documented
from services.chassis.clock import Clock, system_clock
from services.chassis.database import reading, transaction
from services.records.api import listing, own_routes
from services.records.api.duties.order_lists import MISSED, Caseload, Open, Subjects, Within, due_by, order_page
from services.records.api.duties.worklist import Acknowledged, WantedPage, next_page, page_of
from services.records.api.findings import own as own_findings
from services.records.api.findings.everything import Findings
from services.records.api.findings.own import OwnFindings
from services.records.api.listing import Wanted
from services.records.api.management import SHIPPED, Limit, Management, Own
from services.records.api.order_schemas import ClockView, FindingView, OrderPage, Today, facts_of, timeline
from services.records.api.paging import After, Word
from services.records.model.calendar import Calendar
from services.records.model.deadlines import Reading
from services.records.model.domain import Domain
from services.records.model.record import Record, overfull
from services.unpaid_work import at_risk
from services.unpaid_work.capacity import Capacity, capacity
from services.unpaid_work.deadlines import completion_of, readings
from services.unpaid_work.findings import RULES, findings
from services.unpaid_work.ledger import credit_of, forecast
from services.unpaid_work.model import order_of
from services.unpaid_work.schemas import ForecastView, HoursStep, Ledger, Worklist
from services.unpaid_work.values import values

_OWN_FINDINGS: OwnFindings = {
    own_findings.RECORD_TIME.code: own_findings.record_times(Topic.UNPAID_WORK),
    own_findings.CONTROL_TOTALS.code: own_findings.control_totals("minutes_credited"),
    own_findings.GAP.code: own_findings.gaps,
    own_findings.REUSED.code: own_findings.reused,
}
_FINDINGS = Findings(findings, RULES, _OWN_FINDINGS)
Missed = Literal["any", "induction", "placement", "completion"]


def routers(database: Engine, domain: Domain, clock: Clock = system_clock, own: Own = SHIPPED) -> Sequence[APIRouter]:
    """Return the routes of this service alone."""
    mappings = Path(__file__).parent / "returns"
    management = Management(database, domain, clock, _FINDINGS, _readings, values, mappings, "unpaid-work", own)
    return [*own_routes.routers(management), at_risk.router(management), _ledgers(management)]


def _ledgers(management: Management) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["unpaid work"], route_class=Written)
    at_once = reading(management.database)

    @routes.get("/orders", summary="Orders with their standards of unpaid work, the latest imposed first")
    def get_orders(  # noqa: PLR0913, PLR0917
        authority: OwnAuthority,
        is_open: Open = None,
        missed: Annotated[Missed | None, MISSED] = None,
        due_within: Within | None = None,
        caseload: Caseload = "",
        subjects: Subjects = [],  # noqa: B006 - FastAPI copies it
        after: After = None,
        limit: Limit = 100,
    ) -> OrderPage:
        now = management.now(authority)
        wanted = Wanted(now.day, is_open, missed, due_by(now, due_within), caseload, subjects)
        return order_page(management, authority, now, wanted, after, limit)

    @routes.get("/worklist", summary="What open orders have missed, must meet soon, or will miss at the pace so far")
    def get_worklist(
        authority: OwnAuthority,
        within: Within = 5,
        acknowledged: Acknowledged = False,
        caseload: Caseload = "",
        after: After = None,
        limit: Limit = 200,
    ) -> Worklist:
        wanted, now = WantedPage(within, caseload, acknowledged, after), management.now(authority)
        with transaction(at_once) as connection:
            page = page_of(connection, authority, now, wanted)
            if page.begin:
                rows, dues = [], listing.worklist(connection, authority, page.horizon, page.begin, limit)
            else:
                rows = listing.open_with_unpaid_work(connection, authority)
                dues = listing.first_dues(rows, page.horizon, None, limit)
        return Worklist(
            today=now.day,
            until=page.horizon.until,
            items=page.items(dues),
            will_be_late=at_risk.first(at_risk.of_caseload(at_risk.late(rows, now), caseload), now, limit),
            next=next_page(dues, limit),
        )

    @routes.get("/capacity", summary="Hours outstanding, beside the pace at which hours are credited and ordered")
    def get_capacity(authority: OwnAuthority) -> Capacity:
        with transaction(at_once) as connection:
            return capacity(connection, authority, management.today())

    @routes.get("/ledgers/{subject:path}", summary="The hours of one order", responses=documented(404))
    def get_ledger(subject: Word, authority: OwnAuthority) -> Ledger:
        now = management.now(authority)
        with transaction(management.database) as connection:
            record = listing.one(connection, authority, subject)
            if record is None:
                raise Problem(404, "No fact of this order has been read yet")
            found = management.findings.of_order(connection, authority, now, subject, record)
        return _ledger(subject, record, now, found)

    return routes


def _ledger(subject: str, record: Record, now: Today, found: list[FindingView]) -> Ledger:
    order, credit = order_of(record), credit_of(record)
    steps = order.minutes_ordered() if order else []
    ordered, credited = sum(minutes for _, minutes in steps), sum(credit.values())
    is_open = order is not None and order.ended is None
    completion = completion_of(record, order, now.calendar) if order else None
    deadline = completion.due if completion else None
    expected = None
    if order is not None and is_open and steps and completion is not None and completion.on is None and deadline:
        expected = ForecastView.of(forecast((ordered, credited), order.begun_on, deadline, now.day, now.calendar))
    clocks = [ClockView.of_reading(one, now) for one in _readings(record, now.calendar)]
    return Ledger(
        subject=subject,
        imposed_on=order.imposed_on if order else None,
        ended_on=order.ended_on if order else None,
        ordered=[HoursStep(on=on, hours=minutes / 60) for on, minutes in steps],
        hours_ordered=ordered / 60,
        hours_credited=round(credited / 60, 2),
        credited_by_activity={activity: round(minutes / 60, 2) for activity, minutes in sorted(credit.items())},
        hours_outstanding=round((ordered - credited) / 60, 2) if is_open else 0,
        overfull=bool(overfull(record)),
        deadline=deadline,
        forecast=expected,
        clocks=clocks,
        findings=found,
        timeline=timeline(record, clocks),
        facts=facts_of(record),
    )


def _readings(record: Record, calendar: Calendar) -> Iterator[Reading]:
    order = order_of(record)
    if order is not None:
        yield from readings(record, order, calendar)
