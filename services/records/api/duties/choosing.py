"""Duties by urgency: how many there are of each standard, and the first of them as somebody sorts them. Pure."""

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
    """How urgent a duty is. What can still be met comes first."""

    TODAY = "today"
    SOON = "soon"
    OVERDUE = "overdue"
    ACKNOWLEDGED = "acknowledged"


TO_DO = (Urgency.TODAY, Urgency.SOON, Urgency.OVERDUE)
"""All but what needs nothing more."""


class Sorting(StrEnum):
    """By what duties are sorted."""

    DUE = "due"
    LATEST = "latest"
    IMPOSED = "imposed"
    ORDER = "order"
    STANDARD = "standard"


class Place(NamedTuple):
    """All of a duty that it can be sorted by: where a page of a list begins."""

    due_on: date
    imposed_on: date
    standard: str
    subject: str

    @classmethod
    def of(cls, due: Due) -> "Place":
        return cls(due.due_on, due.imposed_on, due.standard, due.subject)

    @classmethod
    def read(cls, written: str) -> "Place":
        """Raises ValueError for what no place is written as."""
        due_on, imposed_on, standard, subject = written.split(" ", 3)
        return cls(date.fromisoformat(due_on), date.fromisoformat(imposed_on), standard, subject)

    def __str__(self) -> str:
        return " ".join(map(str, self))


_KEYS: Mapping[Sorting, Callable[[Due | Place], Any]] = {
    Sorting.DUE: attrgetter("due_on", "subject", "standard"),
    Sorting.LATEST: attrgetter("due_on", "subject", "standard"),
    Sorting.IMPOSED: attrgetter("imposed_on", "subject", "standard", "due_on"),
    Sorting.ORDER: attrgetter("subject", "due_on", "standard"),
    Sorting.STANDARD: lambda duty: (TITLES.get(duty.standard, ""), duty.due_on, duty.subject),
}


class Chosen(NamedTuple):
    """Which duties somebody wants to see, and how."""

    urgency: Urgency | None = None
    """None for the first of each that is to be done."""
    standard: str = ""
    sorting: Sorting = Sorting.DUE
    after: Place | None = None
    limit: int = 0


def by_urgency(
    dues: Iterable[Due], today: date, acknowledged: Collection[tuple[str, str, date]]
) -> dict[Urgency, list[Due]]:
    """Sort each duty under its urgency. `acknowledged` has order, standard and due date."""
    found: dict[Urgency, list[Due]] = {urgency: [] for urgency in Urgency}
    for due in dues:
        found[_urgency(due, today, acknowledged)].append(due)
    return found


def _urgency(due: Due, today: date, acknowledged: Collection[tuple[str, str, date]]) -> Urgency:
    if due.due_on < today:
        known = (due.subject, due.standard, due.due_on) in acknowledged
        return Urgency.ACKNOWLEDGED if known else Urgency.OVERDUE
    return Urgency.TODAY if due.due_on == today else Urgency.SOON


def of_caseload(dues: Iterable[Due], caseload: str) -> list[Due]:
    """Those of one caseload; all for an empty code."""
    return [due for due in dues if caseload in ("", due.caseload)]


def numbers(dues: Mapping[Urgency, Iterable[Due]]) -> dict[tuple[str, Urgency], int]:
    """How many there are of each standard and urgency, by standard."""
    found = Counter((due.standard, urgency) for urgency, each in dues.items() for due in each)
    return dict(sorted(found.items()))


def first(dues: Mapping[Urgency, Iterable[Due]], chosen: Chosen) -> list[tuple[Urgency, Due]]:
    """The first `limit` of the urgency that is chosen; without one, of each that is to be done."""
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
