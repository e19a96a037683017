"""Everything that a service holds about one order. Pure."""

from datetime import date, datetime
from typing import Any

from msgspec import Struct

from services.desk.model.findings import Finding
from services.desk.model.hours import Forecast


class NotCounted(Struct, frozen=True):
    """A day from Monday to Friday that does not count, since the office is closed."""

    day: date
    name: str


class OwnTarget(Struct, frozen=True):
    """The state of an order by the authority's own target."""

    limit: int
    unit: str
    due_on: date
    state: str


class Clock(Struct, frozen=True):
    """The state of one standard for one order."""

    standard: str
    title: str
    limit: int
    unit: str
    state: str
    started_on: date
    due_on: date | None
    done_on: date | None
    late_reason: str | None
    source: str
    verified: bool
    calendar: str
    not_counted: list[NotCounted] = []
    longer: str | None = None
    own_target: OwnTarget | None = None
    reason_lies_with: str | None = None


class Moment(Struct, frozen=True):
    """One day in the history of an order."""

    on: date
    what: str
    fact: str | None


class Fact(Struct, frozen=True):
    """The latest statement of one fact."""

    key: str
    event: str
    recorded_at: datetime
    withdrawn: bool
    data: dict[str, Any] | None


class OtherSide(Struct, frozen=True):
    """The same order at another authority."""

    direction: str
    authority: str | None
    subject: str | None
    matched: bool


class OrderDetail(Struct, frozen=True):
    """Everything that the orders service holds about one order."""

    subject: str
    imposed_on: date | None
    ended_on: date | None
    withdrawn: bool
    clocks: list[Clock]
    findings: list[Finding]
    timeline: list[Moment]
    facts: list[Fact]
    transfers: list[OtherSide] = []
    overfull: bool = False
    """Whether more facts of it were sent than an order may have."""


class HoursStep(Struct, frozen=True):
    """Hours first ordered, then each change by the court."""

    on: date
    hours: float


class Ledger(Struct, frozen=True):
    """Everything that the unpaid work service holds about one order."""

    subject: str
    ordered: list[HoursStep]
    hours_ordered: float
    hours_credited: float
    credited_by_activity: dict[str, float]
    hours_outstanding: float
    deadline: date | None
    forecast: Forecast | None
    clocks: list[Clock]
    findings: list[Finding]
    timeline: list[Moment]
    facts: list[Fact]
    overfull: bool = False
    """Whether more facts of it were sent than an order may have."""
