"""What a manager has to look at today, merged from both services, pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from operator import attrgetter
from typing import TypeVar

from services.desk.model import LateForecast, WorkItem, Worklist

T = TypeVar("T")
PAGE = 50
"""How many rows a page shows."""
SECTION = 10
"""How many of each urgency the first page shows."""


class When(StrEnum):
    """How urgent a task is. What can still be met comes first."""

    TODAY = "today"
    SOON = "soon"
    OVERDUE = "overdue"
    ACKNOWLEDGED = "acknowledged"

    @property
    def heading(self) -> str:
        """The words above such tasks."""
        return _HEADINGS[self]


_HEADINGS = {
    When.OVERDUE: "Overdue",
    When.TODAY: "Due today",
    When.SOON: "Due in the next five working days",
    When.ACKNOWLEDGED: "Overdue and acknowledged",
}


class Order(StrEnum):
    """By what a list of tasks is sorted."""

    DUE = "due"
    LATEST = "latest"
    IMPOSED = "imposed"
    SUBJECT = "order"
    STANDARD = "standard"

    @property
    def words(self) -> str:
        """As people choose it."""
        return _ORDERS[self]


_ORDERS = {
    Order.DUE: "date due, earliest first",
    Order.LATEST: "date due, latest first",
    Order.IMPOSED: "date imposed",
    Order.SUBJECT: "order",
    Order.STANDARD: "standard",
}
_SORTED_BY = {
    Order.DUE: attrgetter("due_on", "subject", "standard"),
    Order.LATEST: attrgetter("due_on", "subject", "standard"),
    Order.IMPOSED: attrgetter("imposed_on", "subject", "standard"),
    Order.SUBJECT: attrgetter("subject", "due_on"),
    Order.STANDARD: attrgetter("title", "due_on", "subject"),
}


@dataclass(frozen=True, slots=True)
class Today:
    """All that needs doing, as both services hold it."""

    day: date
    until: date
    tasks: Sequence[WorkItem]
    at_risk: Sequence[LateForecast]

    def of(self, when: When | None) -> list[WorkItem]:
        """Return the tasks of that urgency; without one, all that need doing."""
        if when is None:
            return [task for task in self.tasks if not task.acknowledged]
        return [task for task in self.tasks if urgency(task, self.day) is when]

    def counts(self) -> Mapping[When, int]:
        """Return how many tasks there are of each urgency."""
        return {when: len(self.of(when)) for when in When}

    @property
    def hours_at_risk(self) -> float:
        """How many hours are left of the orders that will not be done by their deadline at the pace so far."""
        return sum(late.forecast.hours_left for late in self.at_risk)

    def standards(self) -> dict[str, str]:
        """Return the title of each standard that occurs, by its name."""
        return dict(sorted({task.standard: task.title for task in self.tasks}.items(), key=lambda each: each[1]))

    def caseloads(self) -> list[str]:
        """Return the codes of the caseloads that occur."""
        found = {task.caseload for task in self.tasks} | {late.caseload for late in self.at_risk}
        return sorted(filter(None, found))


@dataclass(frozen=True, slots=True)
class Choice:
    """What of it somebody wants to see."""

    standard: str = ""
    caseload: str = ""
    when: When | None = None
    order: Order = Order.DUE
    page: int = 1


def urgency(task: WorkItem, day: date) -> When:
    """Return how urgent a task is on that day."""
    if task.acknowledged:
        return When.ACKNOWLEDGED
    if task.due_on < day:
        return When.OVERDUE
    return When.TODAY if task.due_on == day else When.SOON


def merged(worklists: Iterable[Worklist]) -> Today:
    """Return the worklists of all services as one."""
    lists = list(worklists)
    return Today(
        day=lists[0].today,
        until=max(each.until for each in lists),
        tasks=[item for each in lists for item in each.items],
        at_risk=sorted((late for each in lists for late in each.will_be_late), key=attrgetter("deadline", "subject")),
    )


def of_caseload(today: Today, caseload: str) -> Today:
    """Return what of it belongs to one caseload; all of it for an empty code."""
    if not caseload:
        return today
    return Today(
        today.day,
        today.until,
        [task for task in today.tasks if task.caseload == caseload],
        [late for late in today.at_risk if late.caseload == caseload],
    )


def chosen(today: Today, choice: Choice) -> list[WorkItem]:
    """Return the tasks that were asked for, sorted as asked."""
    wanted = [
        task
        for task in today.of(choice.when)
        if choice.standard in ("", task.standard) and choice.caseload in ("", task.caseload)
    ]
    return sorted(wanted, key=_SORTED_BY[choice.order], reverse=choice.order is Order.LATEST)


def page_of(tasks: Sequence[T], number: int) -> tuple[Sequence[T], int]:
    """Return the rows of that page, and how many pages there are."""
    pages = max(1, -(-len(tasks) // PAGE))
    begin = (min(number, pages) - 1) * PAGE
    return tasks[begin : begin + PAGE], pages


def sections(today: Today, tasks: Sequence[WorkItem]) -> list[tuple[When, Sequence[WorkItem], int]]:
    """Return the first tasks of each urgency, with how many there are."""
    by_urgency = {when: [task for task in tasks if urgency(task, today.day) is when] for when in When}
    return [(when, found[:SECTION], len(found)) for when, found in by_urgency.items() if found]
