"""The routes on which the orders service answers an authority about its own orders."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter
from sqlalchemy import Engine

from contracts.authorities import AUTHORITIES
from contracts.events import Topic
from services.chassis.api.auth import OwnAuthority
from services.chassis.api.http import Written
from services.chassis.api.problems import Problem, documented
from services.chassis.audit import watching
from services.chassis.clock import Clock, system_clock
from services.chassis.database import reading, transaction
from services.orders import transfers
from services.orders.deadlines import readings
from services.orders.findings import RULES, findings
from services.orders.model import order_of
from services.orders.schemas import OrderDetail, TransferFindings, Transfers, Worklist
from services.orders.values import values
from services.records.api import listing, own_routes
from services.records.api.duties.order_lists import MISSED, Caseload, Open, Subjects, Within, due_by, order_page
from services.records.api.duties.worklist import Acknowledged, WantedPage, next_page, page_of
from services.records.api.findings import own as own_findings
from services.records.api.findings.everything import Findings
from services.records.api.findings.own import OwnFindings
from services.records.api.listing import Wanted
from services.records.api.management import SHIPPED, Limit, Management, Own
from services.records.api.order_schemas import (
    ClockView,
    OrderPage,
    facts_of,
    timeline,
)
from services.records.api.paging import After, Word
from services.records.model.calendar import Calendar
from services.records.model.deadlines import Reading
from services.records.model.domain import Domain
from services.records.model.record import Record, is_withdrawn, overfull

_OWN_FINDINGS: OwnFindings = {
    own_findings.RECORD_TIME.code: own_findings.record_times(Topic.ORDERS),
    own_findings.CONTROL_TOTALS.code: own_findings.control_totals("orders_imposed", "orders_ended"),
}
_FINDINGS = Findings(findings, RULES, _OWN_FINDINGS, transfers.UNMATCHED)
Missed = Literal["any", "first_contact", "case_meeting", "plan", "officer", "review", "breach", "transfer"]


def routers(database: Engine, domain: Domain, clock: Clock = system_clock, own: Own = SHIPPED) -> Sequence[APIRouter]:
    """Return the routes of this service alone."""
    management = Management(
        database,
        domain,
        clock,
        _FINDINGS,
        _readings,
        values,
        Path(__file__).parent / "returns",
        "cpo",
        own,
    )
    return [*own_routes.routers(management), _transfers(management), _orders(management)]


def _transfers(management: Management) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["transfers"], route_class=Written)

    @routes.get("/transfers", summary="Transfers that the two authorities report differently, for inspectors")
    def get_transfers() -> Transfers:
        days = {code: management.now(code) for code in AUTHORITIES}
        with transaction(management.database) as connection:
            found = {code: transfers.whole_matching(connection, code, now) for code, now in days.items()}
        watching.show_of({code: [view.subject for view in views] for code, views in found.items()})
        rows = [TransferFindings(authority=code, findings=views) for code, views in found.items() if views]
        return Transfers(today=management.today(), authorities=rows)

    return routes


def _orders(management: Management) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["orders"], route_class=Written)
    at_once = reading(management.database)

    @routes.get("/orders", summary="Orders, the latest imposed first")
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

    @routes.get("/worklist", summary="What open orders have missed, or must meet soon")
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
            dues = listing.worklist(connection, authority, page.horizon, page.begin, limit)
        return Worklist(today=now.day, until=page.horizon.until, items=page.items(dues), next=next_page(dues, limit))

    @routes.get("/orders/{subject:path}", summary="Everything about one order", responses=documented(404))
    def get_order(subject: Word, authority: OwnAuthority) -> OrderDetail:
        now = management.now(authority)
        with transaction(management.database) as connection:
            record = listing.one(connection, authority, subject)
            if record is None:
                raise Problem(404, "No fact of this order has been read yet")
            other_sides = transfers.other_sides(connection, authority, subject, record)
            found = management.findings.of_order(connection, authority, now, subject, record)
        order = order_of(record)
        clocks = [ClockView.of_reading(one, now) for one in _readings(record, now.calendar)]
        return OrderDetail(
            subject=subject,
            imposed_on=order.imposed_on if order else None,
            ended_on=order.ended_on if order else None,
            withdrawn=is_withdrawn(record),
            overfull=bool(overfull(record)),
            transfers=other_sides,
            clocks=clocks,
            findings=found,
            timeline=timeline(record, clocks),
            facts=facts_of(record),
        )

    return routes


def _readings(record: Record, calendar: Calendar) -> Iterator[Reading]:
    order = order_of(record)
    if order is not None:
        yield from readings(record, order, calendar)
