"""Duties by urgency: their number for each standard, and the first of them in a chosen order. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from enum import StrEnum
from heapq import nlargest, nsmallest
from operator import attrgetter, gt, lt
from typing import Any, NamedTuple

from services.records.api.duties.due import Due
from services.records.model.standards import TITLES


class Urgency(StrEnum):
    """How urgent a duty is. Duties that can still be met come first."""

    TODAY = "today"
    SOON = "soon"
    PAST_TARGET = "past_target"
    """Past the authority's own target, while the national date lies beyond the days ahead."""
    OVERDUE = "overdue"
    ACKNOWLEDGED = "acknowledged"


MANY = 5
"""So many overdue duties of one standard raise the question whether the authority ever records that it was met."""
TO_DO = (Urgency.TODAY, Urgency.SOON, Urgency.PAST_TARGET, Urgency.OVERDUE)
"""Every urgency that calls for action."""


class Sorting(StrEnum):
    """The order of duties."""

    DUE = "due"
    LATEST = "latest"
    IMPOSED = "imposed"
    ORDER = "order"
    STANDARD = "standard"


class Place(NamedTuple):
    """Everything by which a duty can be sorted: the key at which a page of a list begins."""

    by: date
    imposed_on: date
    standard: str
    subject: str

    @classmethod
    def of(cls, due: Due) -> "Place":
        return cls(due.by, due.imposed_on, due.standard, due.subject)

    @classmethod
    def read(cls, written: str) -> "Place":
        """Read a place from text. Raises ValueError if the text is not a place."""
        by, imposed_on, standard, subject = written.split(" ", 3)
        return cls(date.fromisoformat(by), date.fromisoformat(imposed_on), standard, subject)

    def __str__(self) -> str:
        return " ".join(map(str, self))


_KEYS: Mapping[Sorting, Callable[[Due | Place], Any]] = {
    Sorting.DUE: attrgetter("by", "subject", "standard"),
    Sorting.LATEST: attrgetter("by", "subject", "standard"),
    Sorting.IMPOSED: attrgetter("imposed_on", "subject", "standard", "by"),
    Sorting.ORDER: attrgetter("subject", "by", "standard"),
    Sorting.STANDARD: lambda duty: (TITLES.get(duty.standard, ""), duty.by, duty.subject),
}


class Chosen(NamedTuple):
    """The duties that a caller asks for, and their order."""

    urgency: Urgency | None = None
    """None for the first duties of each urgency that calls for action."""
    standard: str = ""
    sorting: Sorting = Sorting.DUE
    after: Place | None = None
    limit: int = 0


def by_urgency(
    dues: Iterable[Due], today: date, until: date, acknowledged: Collection[tuple[str, str, date]]
) -> dict[Urgency, list[Due]]:
    """Sort each duty under its urgency, with the day by which it lies there. `acknowledged` has order, standard and due date."""
    found: dict[Urgency, list[Due]] = {urgency: [] for urgency in Urgency}
    for due in dues:
        urgency, by = _urgency(due, today, until, acknowledged)
        found[urgency].append(due if due.by == by else due._replace(by=by))
    return found


def _urgency(
    due: Due, today: date, until: date, acknowledged: Collection[tuple[str, str, date]]
) -> tuple[Urgency, date]:
    """Return the urgency, and the day that lies within it: before today, today, or up to the last of the days ahead."""
    if due.due_on < today:
        known = (due.subject, due.standard, due.due_on) in acknowledged
        return Urgency.ACKNOWLEDGED if known else Urgency.OVERDUE, due.due_on
    by = due.next_day(today)
    if by <= until:
        return Urgency.TODAY if by == today else Urgency.SOON, by
    return Urgency.PAST_TARGET, due.own_target_on or by


def of_caseload(dues: Iterable[Due], caseload: str) -> list[Due]:
    """Return the duties of one caseload; all duties for an empty code."""
    return [due for due in dues if caseload in ("", due.caseload)]


def many_overdue(dues: Mapping[Urgency, Iterable[Due]]) -> list[str]:
    """Return the standards of which so many duties are overdue that they fill a list."""
    found = Counter(due.standard for due in dues[Urgency.OVERDUE])
    return sorted(standard for standard, number in found.items() if number >= MANY)


def without_overdue(dues: Mapping[Urgency, list[Due]], standards: Collection[str]) -> dict[Urgency, list[Due]]:
    """Return the same without the overdue duties of these standards."""
    rest = [due for due in dues[Urgency.OVERDUE] if due.standard not in standards]
    return {**dues, Urgency.OVERDUE: rest}


def numbers(dues: Mapping[Urgency, Iterable[Due]]) -> dict[tuple[str, Urgency], int]:
    """Count the duties of each standard and urgency, by standard."""
    found = Counter((due.standard, urgency) for urgency, each in dues.items() for due in each)
    return dict(sorted(found.items()))


def first(dues: Mapping[Urgency, Iterable[Due]], chosen: Chosen) -> list[tuple[Urgency, Due]]:
    """Return the first `limit` duties of the chosen urgency, or of each urgency that needs action."""
    wanted = TO_DO if chosen.urgency is None else (chosen.urgency,)
    return [(urgency, due) for urgency in wanted for due in _first(dues[urgency], chosen)]


def _first(dues: Iterable[Due], chosen: Chosen) -> list[Due]:
    key, after = _KEYS[chosen.sorting], chosen.after
    pick, behind = (nlargest, lt) if chosen.sorting is Sorting.LATEST else (nsmallest, gt)
    wanted = [due for due in dues if chosen.standard in ("", due.standard)]
    if after is not None:
        begin = key(after)
        wanted = [due for due in wanted if behind(key(due), begin)]
    return pick(chosen.limit, wanted, key)
