"""The clocks of the standards, pure: how each stands for one order, and how that counts."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple, Protocol

from contracts.codes import NOT_APPLICABLE, LateReason
from contracts.periods import month_of
from services.records.model.calendar import Calendar
from services.records.model.standards import Standard, in_force

Cells = dict[tuple[str, date, str], int]
"""(measure, period, category) -> count, of one record. Authority and shard are known from where the record lies."""


def add(cells: Cells, measure: str, period: date, category: str = "", count: int = 1) -> None:
    key = (measure, period, category)
    cells[key] = cells.get(key, 0) + count


class State(StrEnum):
    """How a clock stands, whatever the day is."""

    MET = "met"
    LATE = "met_late"
    PENDING = "pending"
    MISSED = "missed"
    """For good: the order ended without it."""
    NOT_APPLICABLE = "not_applicable"


class Stop(NamedTuple):
    """What stopped a clock: the day, and the reason given if it was late."""

    on: date
    reason: LateReason | None


class Reading(NamedTuple):
    """One clock of one order."""

    standard: Standard
    start: date
    state: State
    month: date
    """The month in which it counts once it is settled."""
    due: date | None = None
    """Always there while pending."""
    on: date | None = None
    band: str = ""
    reason: LateReason | None = None
    ref: str = ""

    def due_on(self, calendar: Calendar) -> date:
        return self.due or self.standard.limit.after(self.start, calendar)


class Clocked(Protocol):
    """An order on which clocks run."""

    @property
    def imposed_on(self) -> date: ...
    @property
    def ended_on(self) -> date | None: ...
    @property
    def excluded(self) -> bool:
        """Whether it came from elsewhere, so that no clock from imposition applies here."""


def from_imposition(name: str, order: Clocked, stop: Stop | None, calendar: Calendar) -> Reading:
    """A clock that starts with the imposition and sorts orders into bands."""
    start, ended = order.imposed_on, order.ended_on
    standard, month = in_force(name, start), month_of(start)
    if order.excluded:
        return Reading(standard, start, State.NOT_APPLICABLE, month, on=stop.on if stop else None)
    if stop is None:
        due = standard.limit.after(start, calendar)
        over = ended is not None and ended <= due
        return Reading(standard, start, State.NOT_APPLICABLE if over else State.PENDING, month, due)
    if stop.reason in NOT_APPLICABLE:
        return Reading(standard, start, State.NOT_APPLICABLE, month, on=stop.on, reason=stop.reason)
    return banded(standard, start, stop, month, calendar)


def banded(standard: Standard, start: date, stop: Stop, month: date, calendar: Calendar) -> Reading:
    """A clock that was stopped, with its band."""
    band = standard.band(start, stop.on, calendar)
    state = State.MET if band == standard.within else State.LATE
    return Reading(standard, start, state, month, on=stop.on, band=band, reason=stop.reason)


_CATEGORIES = {
    State.MET: "on_time",
    State.LATE: "late",
    State.MISSED: "missed",
    State.NOT_APPLICABLE: "not_applicable",
}


def count_clock(cells: Cells, reading: Reading) -> None:
    """Counts one clock of one order."""
    standard, state = reading.standard, reading.state
    if state is State.PENDING:
        assert reading.due is not None
        add(cells, f"pending_{standard.name}", reading.due)
    elif not standard.bands or state is State.NOT_APPLICABLE:
        add(cells, standard.measure, reading.month, _CATEGORIES[state])
    else:
        add(cells, standard.measure, reading.month, f"band={reading.band}")
        if state is State.LATE and reading.reason is not None:
            add(cells, standard.measure, reading.month, f"reason={reading.reason}")
