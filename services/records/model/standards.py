"""The standards as data, pure: a change of guidance is a new row with the date from which it holds, not new code.

A row holds for orders imposed from its date on. Rows of one name, and variant, are in the order of their dates. Bands are
those of the published tables; the first one meets the standard. What no public source let us verify says so.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

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
        """The last day on which it is in time."""
        match self.unit:
            case Unit.WORKING_DAYS:
                return calendar.after(start, self.number)
            case Unit.DAYS:
                return start + timedelta(days=self.number)
            case Unit.MONTHS:
                return add_months(start, self.number)

    def holds(self, start: date, end: date, calendar: Calendar) -> bool:
        """Whether what ended on `end` took no longer. What is done on a closed day took as long as to the working day before."""
        if self.unit is Unit.WORKING_DAYS:
            return calendar.working_days(start, end) <= self.number
        return end <= self.after(start, calendar)


class Band(NamedTuple):
    upto: Length
    name: str


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
    variant: str = ""
    bands: tuple[Band, ...] = ()
    over: str = ""

    def band(self, start: date, end: date, calendar: Calendar) -> str:
        """The published band of what took from `start` to `end`."""
        for upto, name in self.bands:
            if upto.holds(start, end, calendar):
                return name
        return self.over

    @property
    def within(self) -> str:
        """The band that meets the standard."""
        return self.bands[0].name


_TABLES = "published tables of Justice Social Work statistics"
_GUIDANCE = "practice guidance; not verified in public sources"
_NOMINATION = "Criminal Procedure (Scotland) Act 1995, section 227C"
_COMPLETION = "Criminal Procedure (Scotland) Act 1995, section 227L"
_BEGINNING = date(2011, 2, 1)
"""The first day on which a court could impose a community payback order."""


def _working(number: int) -> Length:
    return Length(number, Unit.WORKING_DAYS)


def _months(number: int) -> Length:
    return Length(number, Unit.MONTHS)


ROWS: tuple[Standard, ...] = (
    Standard("first_contact", "First contact", "first_contact", _working(1), "imposition", "first contact", _TABLES, True, _BEGINNING,
             bands=(Band(_working(1), "within_1"), Band(_working(5), "2_to_5")), over="over_5"),
    Standard("officer", "Responsible officer nominated", "officer", Length(2, Unit.DAYS), "receipt of the order", "nomination",
             _NOMINATION, True, _BEGINNING, bands=(Band(Length(2, Unit.DAYS), "within_2"),), over="over_2"),
    Standard("case_meeting", "First case management meeting", "case_meeting", _working(5), "imposition", "meeting held", _TABLES, True,
             _BEGINNING, bands=(Band(_working(5), "within_5"), Band(_working(10), "6_to_10")), over="over_10"),
    Standard("induction", "Induction to unpaid work", "induction", _working(5), "imposition", "induction held", _TABLES, True,
             _BEGINNING, bands=(Band(_working(5), "within_5"), Band(_working(10), "6_to_10")), over="over_10"),
    Standard("placement", "First placement", "placement", _working(7), "imposition", "placement started", _TABLES, True, _BEGINNING,
             bands=(Band(_working(7), "within_7"), Band(Length(21, Unit.DAYS), "to_3_weeks"), Band(_months(1), "to_1_month"),
                    Band(_months(2), "to_2_months")), over="over_2_months"),
    Standard("plan", "Case management plan", "plan", _working(20), "imposition", "plan agreed", _GUIDANCE, False, _BEGINNING,
             bands=(Band(_working(20), "within_20"),), over="over_20"),
    Standard("review", "Departmental review", "reviews", _months(3), "imposition", "first review", _GUIDANCE, False, _BEGINNING,
             variant="first"),
    Standard("review", "Departmental review", "reviews", _months(6), "imposition", "second review", _GUIDANCE, False, _BEGINNING,
             variant="second"),
    Standard("review", "Departmental review", "reviews", _months(6), "the review due before", "review", _GUIDANCE, False, _BEGINNING,
             variant="further"),
    Standard("breach", "Breach application lodged", "breach_lodged", _working(5), "decision to apply", "application lodged", _TABLES,
             True, _BEGINNING),
    Standard("transfer", "Request for transfer answered", "transfer_answered", _working(5), "request", "answer", _GUIDANCE, False,
             _BEGINNING),
    Standard("transfer_match", "Transfer told by both authorities", "", _working(20), "transfer", "the other authority's report",
             "set by this platform, so that no order is lost or counted twice", False, _BEGINNING),
    Standard("completion", "Unpaid work completed", "unpaid_work_completed", _months(3), "imposition", "work completed", _COMPLETION,
             True, _BEGINNING, variant="level 1"),
    Standard("completion", "Unpaid work completed", "unpaid_work_completed", _months(6), "imposition", "work completed", _COMPLETION,
             True, _BEGINNING, variant="level 2"),
)  # fmt: skip

_BY_NAME: dict[tuple[str, str], tuple[Standard, ...]] = {
    (row.name, row.variant): tuple(r for r in ROWS if (r.name, r.variant) == (row.name, row.variant)) for row in ROWS
}
TITLES = {row.name: row.title for row in ROWS}


def in_force(name: str, on: date, variant: str = "") -> Standard:
    """The row that holds for what began on this day; the oldest for what began before all of them."""
    first, *later = _BY_NAME[name, variant]
    return next((row for row in reversed(later) if row.since <= on), first)


def _late() -> dict[tuple[str, str], str]:
    met = {(row.measure, row.within) for row in ROWS if row.bands}
    late = {("unpaid_work_completed", "class=late"): "completion"}
    for row in ROWS:
        if row.bands:
            names = [band.name for band in row.bands] + [row.over]
            late |= {(row.measure, f"band={name}"): row.name for name in names if (row.measure, name) not in met}
        else:
            late |= {(row.measure, "late"): row.name, (row.measure, "missed"): row.name}
    return late


LATE = _late()
"""Measure and category that count something done late or missed for good, and the standard that was missed."""
