"""The parts of other services' answers that the desk reads, as types, pure. It does not read what it does not show."""

from datetime import date, datetime
from typing import Any

from msgspec import Struct

from services.desk.words.origin import ExtractRow, row_of, subject_of
from services.desk.words.urgency import When


class WorkItem(Struct, frozen=True):
    """One standard of one open order that was missed or is due soon."""

    subject: str
    imposed_on: date
    standard: str
    title: str
    due_on: date
    working_days_left: int
    """Up to its day; negative once that has passed."""
    urgency: When
    place: str
    """Its place in its list: given as `after`, it returns the items after it."""
    day: date
    """The day by which it lies there: `due_on`, or that of the own target."""
    own_target_on: date | None = None
    acknowledged: str | None = None
    """The reason for which it was acknowledged."""
    caseload: str | None = None


class DutyCount(Struct, frozen=True):
    """How many duties of one standard have one urgency."""

    standard: str
    title: str
    urgency: When
    number: int


class NeverRecorded(Struct, frozen=True):
    """A standard of which many duties are overdue and which the authority never recorded as met."""

    standard: str
    title: str
    overdue: int
    orders: int


class Duties(Struct, frozen=True):
    """The duties that one service holds for its authority: counts of all, and some of them."""

    today: date
    until: date
    counts: list[DutyCount]
    caseloads: list[str]
    items: list[WorkItem]
    next: str | None
    never_recorded: list[NeverRecorded] = []


class Forecast(Struct, frozen=True):
    """Hours left, at the pace so far."""

    hours_left: float
    working_days_left: int
    hours_a_week: float
    hours_a_week_needed: float | None
    done_on: date | None
    in_time: bool
    too_early: bool = False
    """Whether nothing can be foreseen yet."""


class LateForecast(Struct, frozen=True):
    """An open order that will not be done by its deadline at the pace so far."""

    subject: str
    imposed_on: date
    deadline: date
    forecast: Forecast
    caseload: str | None = None


class AtRisk(Struct, frozen=True):
    """A page of the orders that will not be done by their deadline, the earliest first, with their number."""

    today: date
    orders: int
    hours_left: float
    caseloads: list[str]
    items: list[LateForecast]
    next: str | None
    too_early: int = 0
    """Further orders of which it is too early to say."""


class Finding(Struct, frozen=True):
    """A contradiction in the data."""

    rule: str
    subject: str
    on: date
    meaning: str
    remedy: str
    facts: list[str] = []
    detail: str | None = None
    since: date | None = None
    """The day since which it is known."""


class FindingCount(Struct, frozen=True):
    """How many orders break one rule."""

    rule: str
    meaning: str
    remedy: str
    number: int
    newly: int


class FindingCounts(Struct, frozen=True):
    """How many orders break each rule."""

    newly_since: date
    rules: list[FindingCount]


class FindingPage(Struct, frozen=True):
    """A page of findings."""

    findings: list[Finding]
    next: str | None


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


class Refusal(Struct, frozen=True):
    """A refused event as it came."""

    offset: int
    id: str | None
    reason: str
    path: str
    message: str
    remedy: str
    arrived_at: datetime
    event: str | None
    mended_by: int | None = None

    @property
    def row(self) -> ExtractRow | None:
        """Return the row of a file that states it, if its sender gave one that can be read."""
        return row_of(self.event or "")

    @property
    def subject(self) -> str:
        """Return the order that it is about; empty if that cannot be read."""
        return subject_of(self.event or "")


class Arrival(Struct, frozen=True):
    """One arrival of an event."""

    offset: int
    arrived_at: datetime


class EventStory(Struct, frozen=True):
    """All arrivals of an event under one id, the latest first."""

    arrivals: list[Arrival]

    def at(self, offset: int | None) -> datetime | None:
        """Return when the arrival with this offset came; None if it is not among them."""
        return next((one.arrived_at for one in self.arrivals if one.offset == offset), None)


class RefusalPage(Struct, frozen=True):
    """A page of refused events, the latest first."""

    rejections: list[Refusal]
    next: str | None


class Held(Struct, frozen=True):
    """Totals of what one service holds about the authority."""

    events: dict[str, int]
    rejected: dict[str, int]
    rejected_open: int
    orders: int
    orders_open: int
    orders_ended: int
    orders_withdrawn: int
    orders_not_imposed: int
    last_heard_at: datetime | None
    first_heard_on: date | None = None
    orders_emptied: int = 0
    """Orders of which every fact was withdrawn; they are not among the others."""
    orders_overfull: int = 0
    rejected_counted: int = 0
    """Refused events that are only counted, since more were refused in a day than are kept."""


class FactsOfKind(Struct, frozen=True):
    """Facts that one kind of event stated."""

    event: str
    counting: int
    withdrawn: int


class HeldFacts(Struct, frozen=True):
    """The accepted events of one service, divided by what became of them: each is in one number after the first."""

    accepted: int
    counting: int
    withdrawals: int
    of_withdrawn_orders: int
    about_itself: int
    replaced: int
    kinds: list[FactsOfKind]


class Told(Struct, frozen=True):
    """The answer about events that were sent or checked."""

    accepted: int
    rejected: list["ToldRefusal"]


class ToldRefusal(Struct, frozen=True):
    """Why one event was refused."""

    index: int
    id: str | None
    reason: str
    path: str
    message: str
    remedy: str


class NotAcknowledged(Struct, frozen=True):
    """A duty that cannot be acknowledged."""

    subject: str
    why: str


class Acknowledged(Struct, frozen=True):
    """The answer about duties that a manager acknowledged."""

    acknowledged: int
    refused: list[NotAcknowledged]


class Capacity(Struct, frozen=True):
    """Hours outstanding, and hours credited."""

    today: date
    since: date
    """The first day over which the pace is measured."""
    until: date
    """The last one."""
    weeks: int
    """Those over which hours ordered are measured."""
    orders: int
    hours_outstanding: float
    hours_credited_a_week: float
    hours_ordered_a_week: float
    due_by_month: dict[str, float]
    """Hours outstanding by the month of their deadline, as in 2026-03."""


class OwnCell(Struct, frozen=True):
    """One of the authority's own numbers, or what one order adds to it."""

    measure: str
    period: date
    category: str
    value: int


class OwnCells(Struct, frozen=True):
    """Some of the authority's own numbers."""

    cells: list[OwnCell]


class Counts(Struct, frozen=True):
    """An order that counts in a number."""

    subject: str
    value: int
    facts: list[str]


class CountsNot(Struct, frozen=True):
    """Why other orders do not count."""

    reason: str
    orders: int
    examples: list[str]


class CellExplanation(Struct, frozen=True):
    """The orders behind a number."""

    measure: str
    period: date
    category: str
    value: int
    orders: int
    behind: list[Counts]
    elsewhere: list[CountsNot]


class Change(Struct, frozen=True):
    """One decision of a manager."""

    key: str
    content: dict[str, Any] | None
    by: str
    at: datetime
    names_orders: bool | None = None
    """Of a calendar address in force, whether it names orders."""


class Decided(Struct, frozen=True):
    """The entries in force, and all changes, the latest first."""

    now: list[Change]
    changes: list[Change]


class ReturnTable(Struct, frozen=True):
    """One table of the yearly report."""

    id: str
    title: str
    unit: str
    rows: dict[str, float]


class YearlyReport(Struct, frozen=True):
    """The tables of the yearly report that one service provides."""

    title: str
    tables: list[ReturnTable]


class Agreement(Struct, frozen=True):
    """One number of the unit-level return, with the nation's."""

    title: str
    measure: str
    category: str
    unit_return: int
    cells: int
    agrees: bool


class Reconciliation(Struct, frozen=True):
    """The unit-level return compared with the nation's numbers."""

    year: str
    agrees: bool
    checks: list[Agreement]


class WholeYear(Struct, frozen=True):
    """All returns of a year from one service, the unit-level one as CSV."""

    unit_return: str
    report: YearlyReport
    reconciliation: Reconciliation


class DuesOfDay(Struct, frozen=True):
    """How many duties of one standard are due on a day."""

    day: date
    title: str
    number: int


class DueOrder(Struct, frozen=True):
    """An order that has something due on a day."""

    day: date
    title: str
    subject: str


class Dues(Struct, frozen=True):
    """The duties that a calendar may show."""

    today: date
    overdue: int
    days: list[DuesOfDay]
    orders: list[DueOrder] | None = None
    """None if the address shows counts only."""


class Receiver(Struct, frozen=True):
    """A program that receives refusals and findings, and its state."""

    webhook: str
    name: str
    url: str
    by: str
    at: datetime
    delivered_at: datetime | None
    failing_since: datetime | None
    attempts: int
    next_at: datetime | None
    fault: str | None
    stopped_at: datetime | None
    former_secret_until: datetime | None


class Receivers(Struct, frozen=True):
    """All receivers of the authority at one service."""

    webhooks: list[Receiver]


class OpenedReceiver(Struct, frozen=True):
    """A receiver, and its secret, which is shown only this once."""

    webhook: Receiver
    secret: str
