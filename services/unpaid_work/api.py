"""What the unpaid work service answers to an authority about its own orders."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection, Engine

from services.chassis.clock import Clock, system_clock
from services.chassis.database import transaction
from services.chassis.problems import Problem, documented
from services.records import desk as common
from services.records import listing, own_findings
from services.records.calendar import Calendar
from services.records.clocks import Reading
from services.records.desk import SHIPPED, Desk, Limit, Own, OwnOrders
from services.records.fold import Domain
from services.records.listing import Row
from services.records.paging import after_day, page_key
from services.records.record import Record
from services.records.views import ClockView, FindingView, Today, WorkItem, facts_of, timeline
from services.unpaid_work.answers import ForecastView, HoursStep, LateForecast, Ledger, Worklist
from services.unpaid_work.clocks import completion_of, readings
from services.unpaid_work.findings import findings
from services.unpaid_work.ledger import credit_of, forecast
from services.unpaid_work.model import order_of
from services.unpaid_work.values import values

Within = Annotated[int, Query(ge=0, le=250, description="Working days from today")]


def routers(database: Engine, domain: Domain, clock: Clock = system_clock, own: Own = SHIPPED) -> Sequence[APIRouter]:
    """The routes beyond intake and mirror."""
    returns = Path(__file__).parent / "returns"
    desk = Desk(database, domain, clock, findings, _own_findings, _readings, values, returns, "unpaid-work", own)
    return [*common.routers(desk), _ledgers(desk)]


def _ledgers(desk: Desk) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["unpaid work"])

    @routes.get("/worklist", summary="What open orders have missed, must meet soon, or will miss at the pace so far")
    def get_worklist(
        authority: OwnOrders,
        within: Within = 5,
        after: Annotated[str | None, Query(description="`next` of the page before")] = None,
        limit: Limit = 500,
    ) -> Worklist:
        now = desk.now(authority)
        horizon = common.horizon(now, within)
        begin = after_day(after, 3)
        key = (begin[0], begin[1][0], begin[1][1]) if begin else None
        with transaction(desk.database) as connection:
            dues = listing.worklist(connection, authority, horizon, key, limit)
            rows = [] if after else listing.open_with_unpaid_work(connection, authority)
        last = page_key(dues[-1].by, dues[-1].subject, dues[-1].standard) if len(dues) == limit else None
        return Worklist(
            today=now.day,
            until=horizon.until,
            items=[WorkItem.of(due, now) for due in dues],
            will_be_late=_will_be_late(rows, now.day, now.calendar),
            next=last,
        )

    @routes.get("/ledgers/{subject:path}", summary="The hours of one order", responses=documented(404))
    def get_ledger(subject: str, authority: OwnOrders) -> Ledger:
        with transaction(desk.database) as connection:
            record = listing.one(connection, authority, subject)
        if record is None:
            raise Problem(404, "No fact of this order has been read yet")
        return _ledger(subject, record, desk.now(authority))

    return routes


def _will_be_late(rows: Sequence[Row], today: date, calendar: Calendar) -> list[LateForecast]:
    late = []
    for row in rows:
        deadline = next((due for due, standard in row.standing.dues if standard == "completion"), None)
        if deadline is None or deadline < today or row.standing.minutes is None:
            continue
        expected = forecast(row.standing.minutes, row.imposed_on, deadline, today, calendar)
        if not expected.in_time:
            view = ForecastView.of(expected)
            late.append(LateForecast(subject=row.subject, imposed_on=row.imposed_on, deadline=deadline, forecast=view))
    return sorted(late, key=lambda one: (one.deadline, one.subject))


def _ledger(subject: str, record: Record, now: Today) -> Ledger:
    order, credit = order_of(record), credit_of(record)
    steps = order.minutes_ordered() if order else []
    ordered, credited = sum(minutes for _, minutes in steps), sum(credit.values())
    is_open = order is not None and order.ended is None
    completion = completion_of(record, order) if order else None
    deadline = completion.due if completion else None
    expected = None
    if order is not None and is_open and steps and deadline is not None:
        expected = ForecastView.of(forecast((ordered, credited), order.imposed_on, deadline, now.day, now.calendar))
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
        deadline=deadline,
        forecast=expected,
        clocks=clocks,
        findings=[FindingView.of(subject, finding) for finding in findings(record)],
        timeline=timeline(record, clocks),
        facts=facts_of(record),
    )


def _readings(record: Record, calendar: Calendar) -> Iterator[Reading]:
    order = order_of(record)
    if order is not None:
        yield from readings(record, order, calendar)


def _own_findings(connection: Connection, authority: str, _today: date) -> Iterator[FindingView]:
    return chain(
        own_findings.control_totals(connection, authority, "minutes_credited"),
        own_findings.gaps(connection, authority),
    )
