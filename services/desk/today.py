"""What a manager has to look at today, merged from both services, pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from operator import attrgetter

from services.desk.model import LateForecast, WorkItem, Worklist

PAGE = 100
"""How many tasks a page shows."""
SECTION = 20
"""How many of each urgency the first page shows."""


class When(StrEnum):
    """How urgent a task is. What can still be met comes first."""

    TODAY = "today"
    SOON = "soon"
    OVERDUE = "overdue"

    @property
    def heading(self) -> str:
        """The words above such tasks."""
        return {When.OVERDUE: "Overdue", When.TODAY: "Due today", When.SOON: "Due in the next five working days"}[self]


class Order(StrEnum):
    """By what a list of tasks is sorted."""

    DUE = "due"
    IMPOSED = "imposed"
    SUBJECT = "order"
    STANDARD = "standard"


_SORTED_BY = {
    Order.DUE: attrgetter("due_on", "subject", "standard"),
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

    def of(self, when: When) -> list[WorkItem]:
        """Return the tasks of that urgency."""
        return [task for task in self.tasks if urgency(task, self.day) is when]

    def counts(self) -> Mapping[When, int]:
        """Return how many tasks there are of each urgency."""
        return {when: len(self.of(when)) for when in When}

    def standards(self) -> dict[str, str]:
        """Return the title of each standard that occurs, by its name."""
        return dict(sorted({task.standard: task.title for task in self.tasks}.items(), key=lambda each: each[1]))


@dataclass(frozen=True, slots=True)
class Choice:
    """What of it somebody wants to see."""

    standard: str = ""
    when: When | None = None
    order: Order = Order.DUE
    page: int = 1


def urgency(task: WorkItem, day: date) -> When:
    """Return how urgent a task is on that day."""
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


def chosen(today: Today, choice: Choice) -> list[WorkItem]:
    """Return the tasks that were asked for, sorted as asked."""
    tasks = today.tasks if choice.when is None else today.of(choice.when)
    wanted = [task for task in tasks if choice.standard in ("", task.standard)]
    return sorted(wanted, key=_SORTED_BY[choice.order])


def page_of(tasks: Sequence[WorkItem], number: int) -> tuple[Sequence[WorkItem], int]:
    """Return the tasks of that page, and how many pages there are."""
    pages = max(1, -(-len(tasks) // PAGE))
    begin = (min(number, pages) - 1) * PAGE
    return tasks[begin : begin + PAGE], pages


def sections(today: Today, tasks: Sequence[WorkItem]) -> list[tuple[When, Sequence[WorkItem], int]]:
    """Return the first tasks of each urgency, with how many there are."""
    by_urgency = {when: [task for task in tasks if urgency(task, today.day) is when] for when in When}
    return [(when, found[:SECTION], len(found)) for when, found in by_urgency.items() if found]
