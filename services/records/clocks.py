"""The clocks of the standards, pure: bands, due dates and what counts when. `events.md` names each limit's source."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol

from contracts.codes import NOT_APPLICABLE, LateReason
from services.records.calendar import Calendar, add_months, month_of

Cells = dict[tuple[str, date, str], int]
"""(measure, period, category) -> count, of one record. Authority and shard are known from where the record lies."""


def add(cells: Cells, measure: str, period: date, category: str = "", count: int = 1) -> None:
    key = (measure, period, category)
    cells[key] = cells.get(key, 0) + count


class Source(StrEnum):
    """Where a limit comes from, and so how sure it is."""

    LAW = "the Criminal Procedure (Scotland) Act 1995"
    PUBLISHED = "published tables of Justice Social Work statistics"
    GUIDANCE = "practice guidance, not verified in public sources"


@dataclass(frozen=True, slots=True)
class Standard:
    """One clock: how long may pass, and into which bands the published tables sort what did."""

    name: str
    title: str
    limit: int
    unit: str
    source: Source
    due: Callable[[date, Calendar], date]
    band: Callable[[date, date, Calendar], str]
    within: str
    """The band that meets the standard."""
    key: str
    """The fact that stops the clock."""


def _working_days(limit: int) -> Callable[[date, Calendar], date]:
    return lambda start, calendar: calendar.after(start, limit)


def _working_day_bands(*edges: tuple[int, str], over: str) -> Callable[[date, date, Calendar], str]:
    def band(start: date, end: date, calendar: Calendar) -> str:
        passed = calendar.working_days(start, end)
        return next((name for limit, name in edges if passed <= limit), over)

    return band


def _placement_band(start: date, end: date, calendar: Calendar) -> str:
    if calendar.working_days(start, end) <= 7:
        return "within_7"
    if end <= start + timedelta(days=21):
        return "to_3_weeks"
    if end <= add_months(start, 1):
        return "to_1_month"
    return "to_2_months" if end <= add_months(start, 2) else "over_2_months"


FIRST_CONTACT = Standard(
    "first_contact", "First contact", 1, "working days", Source.PUBLISHED, _working_days(1),
    _working_day_bands((1, "within_1"), (5, "2_to_5"), over="over_5"), "within_1", "first_contact",
)  # fmt: skip
CASE_MEETING = Standard(
    "case_meeting", "First case management meeting", 5, "working days", Source.PUBLISHED, _working_days(5),
    _working_day_bands((5, "within_5"), (10, "6_to_10"), over="over_10"), "within_5", "case_meeting",
)  # fmt: skip
INDUCTION = Standard(
    "induction", "Induction to unpaid work", 5, "working days", Source.PUBLISHED, _working_days(5),
    _working_day_bands((5, "within_5"), (10, "6_to_10"), over="over_10"), "within_5", "induction",
)  # fmt: skip
PLACEMENT = Standard(
    "placement", "First placement", 7, "working days", Source.PUBLISHED, _working_days(7),
    _placement_band, "within_7", "placement",
)  # fmt: skip
PLAN = Standard(
    "plan", "Case management plan", 20, "working days", Source.GUIDANCE, _working_days(20),
    _working_day_bands((20, "within_20"), over="over_20"), "within_20", "plan",
)  # fmt: skip
BREACH_LIMIT = 5
"""Working days from the decision to apply until the application is lodged; published tables."""
TRANSFER_LIMIT = 5
"""Working days from a request for transfer until its answer; practice guidance, not verified in public sources."""
OFFICER_LIMIT = 2
"""Days from receipt of the order until a responsible officer is nominated; section 227C."""


@dataclass(frozen=True, slots=True)
class Stop:
    """What stopped a clock: the day, and the reason given if it was late."""

    on: date
    reason: LateReason | None


class Clocked(Protocol):
    """An order on which clocks run."""

    @property
    def imposed_on(self) -> date: ...
    @property
    def ended_on(self) -> date | None: ...
    @property
    def excluded(self) -> bool:
        """Whether it came from elsewhere, so that no clock from imposition applies here."""


def count_clock(cells: Cells, standard: Standard, order: Clocked, stop: Stop | None, calendar: Calendar) -> None:
    """Counts one order under a standard."""
    start, ended = order.imposed_on, order.ended_on
    month = month_of(start)
    if order.excluded:
        add(cells, standard.name, month, "not_applicable")
    elif stop is None:
        due = standard.due(start, calendar)
        if ended is not None and ended <= due:
            add(cells, standard.name, month, "not_applicable")
        else:
            add(cells, f"pending_{standard.name}", due)
    elif stop.reason in NOT_APPLICABLE:
        add(cells, standard.name, month, "not_applicable")
    else:
        band = standard.band(start, stop.on, calendar)
        add(cells, standard.name, month, f"band={band}")
        if band != standard.within and stop.reason is not None:
            add(cells, standard.name, month, f"reason={stop.reason}")
