"""Duties of open orders, and duties that a manager acknowledged. Pure."""

from datetime import date

from msgspec import Struct

from services.desk.model.urgency import When


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


class NotAcknowledged(Struct, frozen=True):
    """A duty that cannot be acknowledged."""

    subject: str
    why: str


class Acknowledged(Struct, frozen=True):
    """The answer about duties that a manager acknowledged."""

    acknowledged: int
    refused: list[NotAcknowledged]
