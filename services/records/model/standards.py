"""The standards as data, pure: a change of guidance or law is a new row with the days for which it holds, not new code.

A row applies to clocks that start between its first and its last day. Rows with the same name and variant follow each other without a gap.
The bands are those of the published tables; the first one meets the standard. Rows that no public source verifies are marked.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from contracts.categories import BANDS
from contracts.periods import add_months
from services.records.model.calendar import Calendar


class Unit(StrEnum):
    WORKING_DAYS = "working days"
    DAYS = "days"
    MONTHS = "months"


class Length(NamedTuple):
    """How long something may take. The day on which it begins is day 0."""

    number: int
    unit: Unit

    def after(self, start: date, calendar: Calendar) -> date:
        """Return the last day that is in time."""
        match self.unit:
            case Unit.WORKING_DAYS:
                return calendar.after(start, self.number)
            case Unit.DAYS:
                return start + timedelta(days=self.number)
            case Unit.MONTHS:
                return add_months(start, self.number)

    def holds(self, start: date, end: date, calendar: Calendar) -> bool:
        """Return whether the time up to `end` is within the limit. An end on a closed day counts as the working day before."""
        if self.unit is Unit.WORKING_DAYS:
            return calendar.working_days(start, end) <= self.number
        return end <= self.after(start, calendar)


class Band(NamedTuple):
    upto: Length
    name: str


class Extension(NamedTuple):
    """More time by law for everything that was open on the day on which the law came into force."""

    open_on: date
    more: Length
    source: str

    @property
    def words(self) -> str:
        return f"{self.more.number} {self.more.unit} more for what was open on {self.open_on}: {self.source}"

    def applies(self, start: date, closed: date | None) -> bool:
        """Return whether something that began on `start` was still open. It was, even if it closed on that very day."""
        return start < self.open_on and (closed is None or closed >= self.open_on)


@dataclass(frozen=True, slots=True)
class Standard:
    """One row: how long may pass from `starts` until `stops`."""

    name: str
    title: str
    measure: str
    limit: Length
    starts: str
    stops: str
    source: str
    verified: bool
    """Whether a public source states the limit."""
    since: date
    until: date | None = None
    """The last day for which it holds; None while it is in force."""
    variant: str = ""
    bands: tuple[Band, ...] = ()
    over: str = ""
    extension: Extension | None = None

    def due(self, start: date, closed: date | None, calendar: Calendar) -> date:
        """Return the last day in time for something that began on `start`. `closed` is when it was done or the order ended, if it was."""
        return self.extended(self.limit.after(start, calendar), start, closed, calendar)

    def extended(self, due: date, start: date, closed: date | None, calendar: Calendar) -> date:
        """Return a due date that was set before the law gave more time, with that time added."""
        longer = self.extension
        if longer is None or not longer.applies(start, closed):
            return due
        return longer.more.after(due, calendar)

    def band(self, start: date, end: date, calendar: Calendar) -> str:
        """Return the published band for the time from `start` to `end`."""
        for upto, name in self.bands:
            if upto.holds(start, end, calendar):
                return name
        return self.over

    @property
    def within(self) -> str:
        """Return the band that meets the standard."""
        return self.bands[0].name


_TABLES = "published tables of Justice Social Work statistics"
_GUIDANCE = "practice guidance; not verified in public sources"
_NOMINATION = "Criminal Procedure (Scotland) Act 1995, section 227C"
_COMPLETION = "Criminal Procedure (Scotland) Act 1995, section 227L"
_CORONAVIRUS = "Coronavirus (Scotland) Act 2020, schedule 4, paragraph"
_BEGINNING = date(2011, 2, 1)
"""The first day on which a court could impose a community payback order."""
_CORONAVIRUS_BEGAN, _CORONAVIRUS_ENDED = date(2020, 4, 7), date(2022, 9, 30)
_DAY = timedelta(days=1)


def _working(number: int) -> Length:
    return Length(number, Unit.WORKING_DAYS)


def _days(number: int) -> Length:
    return Length(number, Unit.DAYS)


def _months(number: int) -> Length:
    return Length(number, Unit.MONTHS)


def _bands(standard: str, *limits: Length) -> tuple[Band, ...]:
    return tuple(Band(*each) for each in zip(limits, BANDS[standard], strict=False))


def _clock(name: str, title: str, starts: str, stops: str, source: str, verified: bool, *limits: Length) -> Standard:
    """Return a standard: its first limit is the one to keep, and the others divide what is late into bands."""
    return Standard(name, title, name, limits[0], starts, stops, source, verified, _BEGINNING,
                    bands=_bands(name, *limits), over=BANDS[name][-1])  # fmt: skip


def _review(variant: str, months: int, starts: str, stops: str) -> Standard:
    return Standard("review", "Departmental review", "reviews", _months(months), starts, stops, _GUIDANCE, False, _BEGINNING,
                    variant=variant)  # fmt: skip


def _completion(level: int, months: int) -> tuple[Standard, ...]:
    """Return the rows for the legal period of a level of unpaid work. The law that gave more time applied from its day, to open orders and
    to new ones.
    """

    def row(limit: int, source: str, since: date, until: date | None, longer: Extension | None = None) -> Standard:
        return Standard(
            "completion",
            "Unpaid work completed",
            "unpaid_work_completed",
            _months(limit),
            "imposition",
            "work completed",
            source,
            True,
            since,
            until,
            variant=f"level {level}",
            extension=longer,
        )

    longer = Extension(_CORONAVIRUS_BEGAN, _months(12), f"{_CORONAVIRUS} 12")
    return (
        row(months, _COMPLETION, _BEGINNING, _CORONAVIRUS_BEGAN - _DAY, longer),
        row(12, f"{_CORONAVIRUS} 13", _CORONAVIRUS_BEGAN, _CORONAVIRUS_ENDED),
        row(months, _COMPLETION, _CORONAVIRUS_ENDED + _DAY, None),
    )  # fmt: skip


ROWS: tuple[Standard, ...] = (
    _clock("first_contact", "First contact", "imposition", "first contact", _TABLES, True, _working(1), _working(5)),
    _clock("officer", "Responsible officer nominated", "receipt of the order", "nomination", _NOMINATION, True, _days(2)),
    _clock("case_meeting", "First case management meeting", "imposition", "meeting held", _TABLES, True, _working(5), _working(10)),
    _clock("induction", "Induction to unpaid work", "imposition", "induction held", _TABLES, True, _working(5), _working(10)),
    _clock("placement", "First placement", "imposition", "placement started", _TABLES, True,
           _working(7), _days(21), _months(1), _months(2)),
    _clock("plan", "Case management plan", "imposition", "plan agreed", _GUIDANCE, False, _working(20)),
    _review("first", 3, "imposition", "first review"),
    _review("second", 6, "imposition", "second review"),
    _review("further", 6, "the review due before", "review"),
    Standard("breach", "Breach application lodged", "breach_lodged", _working(5), "decision to apply", "application lodged", _TABLES,
             True, _BEGINNING),
    Standard("transfer", "Request for transfer answered", "transfer_answered", _working(5), "request", "answer", _GUIDANCE, False,
             _BEGINNING),
    Standard("transfer_match", "Transfer told by both authorities", "", _working(20), "transfer", "the other authority's report",
             "set by this platform, so that no order is lost or counted twice", False, _BEGINNING),
    *_completion(1, 3),
    *_completion(2, 6),
)  # fmt: skip

_BY_NAME: dict[tuple[str, str], tuple[Standard, ...]] = {
    (row.name, row.variant): tuple(r for r in ROWS if (r.name, r.variant) == (row.name, row.variant)) for row in ROWS
}
TITLES = {row.name: row.title for row in ROWS}


def in_force(name: str, on: date, variant: str = "") -> Standard:
    """Return the row for clocks that start on this day; the oldest row for earlier days."""
    rows = _BY_NAME[name, variant]
    for row in reversed(rows):
        if row.since <= on:
            return row
    return rows[0]
