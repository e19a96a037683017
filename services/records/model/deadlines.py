"""The clocks of the standards, pure: the state of each for one order, and how it counts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Generic, NamedTuple, Never, Protocol, TypeVar

from contracts import categories
from contracts.categories import ClockState
from contracts.cells import CATEGORIES
from contracts.codes import NOT_APPLICABLE, LateReason
from contracts.periods import month_of, months_from
from services.records.model.calendar import Calendar
from services.records.model.standards import ROWS, Standard, in_force

Cells = dict[tuple[str, date, str], int]
"""From (measure, period, category) to a count, for one record. Its authority and shard are known from where the record is kept."""

N_co = TypeVar("N_co", covariant=True)


class Counts(NamedTuple, Generic[N_co]):
    """The cells and notes of one part of a record. Records share them, so nobody changes them."""

    cells: Mapping[tuple[str, date, str], int]
    notes: Sequence[N_co] = ()
    span: tuple[date, ...] = ()
    """The first and the last period of its cells."""

    @classmethod
    def of(cls, cells: Cells, notes: Sequence[N_co] = ()) -> "Counts[N_co]":
        """Return them with their span; `NOTHING` if there is nothing."""
        if not cells:
            return cls(cells, notes) if notes else NOTHING
        periods = [period for _, period, _ in cells]
        return cls(cells, notes, (min(periods), max(periods)))


NOTHING: Counts[Never] = Counts({})
REMEMBERED = 20_000
"""How many clocks of each kind are kept as they were counted, for the next order with the same days: in six months of the nation, nearly
all running clocks and three in four stopped ones had been counted before.
"""


def add(cells: Cells, measure: str, period: date, category: str = "", count: int = 1) -> None:
    """Add to a cell. Raises LookupError for a cell that the contract does not have, which is our own fault wherever it is named."""
    if category not in CATEGORIES[measure]:
        raise LookupError(f"{measure} has no category {category!r}")
    key = (measure, period, category)
    cells[key] = cells.get(key, 0) + count


class State(StrEnum):
    """The state of a clock, independent of the day."""

    MET = "met"
    LATE = "met_late"
    PENDING = "pending"
    MISSED = "missed"
    """For good: the order ended without it."""
    NOT_APPLICABLE = "not_applicable"
    IMPOSSIBLE = "impossible"
    """The event that should meet it is dated before the imposition. This is a finding, and counts as nothing else."""


class Stop(NamedTuple):
    """The stop of a clock: the day, and the reason given if it was late."""

    on: date
    reason: LateReason | None


class Reading(NamedTuple):
    """One clock of one order."""

    standard: Standard
    start: date
    state: State
    month: date
    """The month in which it counts once it is decided."""
    due: date | None = None
    """Always set while it is pending."""
    on: date | None = None
    band: str = ""
    reason: LateReason | None = None
    ref: str = ""
    taken_over: bool = False
    """Whether it is a duty of an order from elsewhere, which continues here from its receipt. The nation's figures count it as not
    applicable, apart from pending counts.
    """

    def due_on(self, calendar: Calendar) -> date:
        return self.due or self.standard.limit.after(self.start, calendar)

    @property
    def counted_as(self) -> State:
        """Return its state for the nation's figures, apart from pending counts."""
        return State.NOT_APPLICABLE if self.taken_over else self.state

    def state_on(self, today: date) -> ClockState:
        """Return its state on a day, in the terms shown to users."""
        if self.state is State.PENDING:
            return ClockState.OVERDUE if self.due is not None and self.due < today else ClockState.DUE
        return _SHOWN[self.state]


_SHOWN = {
    State.MET: ClockState.MET,
    State.LATE: ClockState.MET_LATE,
    State.MISSED: ClockState.MISSED,
    State.NOT_APPLICABLE: ClockState.NOT_APPLICABLE,
    State.IMPOSSIBLE: ClockState.NOT_APPLICABLE,
}


class Clocked(Protocol):
    """An order on which clocks run."""

    @property
    def imposed_on(self) -> date: ...
    @property
    def ended_on(self) -> date | None: ...
    @property
    def excluded(self) -> bool:
        """Return whether the order came from elsewhere, so that no clock from imposition applies at this authority."""

    @property
    def begun_on(self) -> date:
        """Return the day from which this authority manages the order: its receipt if it came from elsewhere, else its imposition."""


def from_imposition(name: str, order: Clocked, stop: Stop | None, calendar: Calendar) -> Counts[Reading]:
    """Count a clock that starts with the imposition and sorts orders into bands."""
    if order.excluded:
        on, reason = stop or (None, None)
        standard, month = in_force(name, order.imposed_on), month_of(order.imposed_on)
        reading = Reading(standard, order.imposed_on, State.NOT_APPLICABLE, month, on=on, reason=reason)
        return counted((reading,))
    if stop is None:
        return _running(name, order.imposed_on, order.ended_on, calendar)
    return _stopped(name, order.imposed_on, stop, calendar)


@lru_cache(maxsize=REMEMBERED)
def _running(name: str, start: date, ended: date | None, calendar: Calendar) -> Counts[Reading]:
    return counted((_read(name, start, start, None, ended, calendar),))


@lru_cache(maxsize=REMEMBERED)
def _stopped(name: str, start: date, stop: Stop, calendar: Calendar) -> Counts[Reading]:
    return counted((_read(name, start, start, stop, None, calendar),))


def taken_over(name: str, order: Clocked, stop: Stop | None, calendar: Calendar) -> Reading:
    """Read the clock of a duty that continues at the receiving authority: it starts with the receipt, and has no band."""
    reading = _read(name, order.begun_on, order.imposed_on, stop, order.ended_on, calendar)
    return reading._replace(band="", taken_over=True)


def _read(
    name: str, start: date, imposed_on: date, stop: Stop | None, ended: date | None, calendar: Calendar
) -> Reading:
    standard = in_force(name, start)
    if stop is not None:
        return banded(standard, start, stop, imposed_on, calendar)
    due = standard.due(start, ended, calendar)
    return Reading(standard, start, undone(due, ended), month_of(imposed_on), due)


def undone(due: date, ended: date | None) -> State:
    """Return the state of a clock that nothing has stopped, of an order that ended on that day, if it did."""
    if ended is None:
        return State.PENDING
    return State.NOT_APPLICABLE if ended <= due else State.MISSED


def banded(standard: Standard, start: date, stop: Stop, imposed_on: date, calendar: Calendar) -> Reading:
    """Read a stopped clock with its band, or without one if a reason excuses it, or its start or stop is dated before the imposition."""
    month = month_of(imposed_on)
    if stop.reason in NOT_APPLICABLE:
        return Reading(standard, start, State.NOT_APPLICABLE, month, on=stop.on, reason=stop.reason)
    if stop.on < imposed_on or start < imposed_on:
        return Reading(standard, start, State.IMPOSSIBLE, month, on=stop.on, reason=stop.reason)
    band = standard.band(start, stop.on, calendar)
    state = State.MET if band == standard.within else State.LATE
    return Reading(standard, start, state, month, on=stop.on, band=band, reason=stop.reason)


_CATEGORIES = {
    State.MET: categories.ON_TIME,
    State.LATE: categories.LATE,
    State.MISSED: categories.MISSED,
    State.NOT_APPLICABLE: categories.OUT_OF_REACH,
}


def clocks(*standards: str) -> frozenset[str]:
    """Return the measures in which the clocks of these standards count."""
    named = {measure for row in ROWS if row.name in standards for measure in (row.measure, f"awaited_{row.name}")}
    return frozenset(named | {f"pending_{name}" for name in standards})


def counted(readings: Iterable[Reading]) -> Counts[Reading]:
    """Return clocks with the cells in which they count."""
    cells: Cells = {}
    read = tuple(readings)
    for reading in read:
        _count_clock(cells, reading)
    return Counts.of(cells, read)


def _count_clock(cells: Cells, reading: Reading) -> None:
    """Count one clock of one order."""
    measure, month, state = reading.standard.measure, reading.month, reading.state
    if state is State.PENDING:
        _count_pending(cells, reading)
    if reading.taken_over:
        add(cells, measure, month, categories.OUT_OF_REACH)
    elif reading.band:
        add(cells, measure, month, f"band={reading.band}")
    elif state in _CATEGORIES:
        add(cells, measure, month, _CATEGORIES[state])
    count_reason(cells, reading)


def count_reason(cells: Cells, reading: Reading) -> None:
    """Count the reason for lateness, if one was given."""
    if reading.state is State.LATE and reading.reason is not None and not reading.taken_over:
        add(cells, reading.standard.measure, reading.month, f"reason={reading.reason}")


def _count_pending(cells: Cells, reading: Reading) -> None:
    """Count a pending clock by its due date. It is overdue if that lies before the day on which somebody looks.

    A clock that counts for the nation also counts in a month: that of the imposition if it has bands, else that in which it is due.
    """
    standard, due = reading.standard, reading.due
    assert due is not None
    add(cells, f"pending_{standard.name}", due)
    if not reading.taken_over:
        before = months_from(reading.month, due) if standard.bands else 0
        add(cells, f"awaited_{standard.name}", due, f"months_before={min(before, categories.MOST_MONTHS_BEFORE)}")
