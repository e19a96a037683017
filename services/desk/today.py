"""The tasks and orders that a manager must look at today, merged from both services, pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from operator import attrgetter
from typing import TypeVar

from services.desk.model.duties import Duties, DutyCount, NeverRecorded, WorkItem
from services.desk.model.hours import AtRisk
from services.desk.model.urgency import TO_DO, When

T = TypeVar("T")
PAGE = 50
"""How many rows a page shows."""
SECTION = 10
"""How many tasks of each urgency the first page shows."""


class Order(StrEnum):
    """The order of a list of tasks."""

    DUE = "due"
    LATEST = "latest"
    IMPOSED = "imposed"
    SUBJECT = "order"
    STANDARD = "standard"

    @property
    def words(self) -> str:
        """Return the words with which people choose it."""
        return _ORDERS[self]


_ORDERS = {
    Order.DUE: "due, earliest first",
    Order.LATEST: "due, latest first",
    Order.IMPOSED: "date imposed",
    Order.SUBJECT: "order",
    Order.STANDARD: "standard",
}
_SORTED_BY = {
    Order.DUE: attrgetter("day", "subject", "standard"),
    Order.LATEST: attrgetter("day", "subject", "standard"),
    Order.IMPOSED: attrgetter("imposed_on", "subject", "standard", "day"),
    Order.SUBJECT: attrgetter("subject", "day", "standard"),
    Order.STANDARD: attrgetter("title", "day", "subject"),
}
"""The order of the services, so that the first tasks of both are the first of all."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The choice of the part that somebody wants to see."""

    standard: str = ""
    caseload: str = ""
    when: When | None = None
    order: Order = Order.DUE
    after: str = ""
    """The place after which the page begins."""

    @property
    def limit(self) -> int:
        """Return how many rows of each urgency are shown."""
        return PAGE if self.when else SECTION

    @property
    def asked(self) -> dict[str, str | int]:
        """Return the choice as parameters of a service."""
        when = {"urgency": self.when.value} if self.when else {}
        after = {"after": self.after} if self.after else {}
        return {"standard": self.standard, "caseload": self.caseload, "sorting": self.order.value, **when, **after}


@dataclass(frozen=True, slots=True)
class Today:
    """How much must be done, as both services count it, and the part of it that is shown."""

    day: date
    until: date
    counted: Sequence[DutyCount]
    caseloads: Sequence[str]
    orders_at_risk: int
    hours_at_risk: float
    tasks: Sequence[WorkItem] = ()
    next: str | None = None
    """The place after which the next page begins."""
    never: Sequence[NeverRecorded] = ()
    """Standards that were never recorded as met; their overdue duties are counted, but listed only on request."""

    def number(self, when: When | None, standard: str = "") -> int:
        """Return how many tasks of that urgency there are; without one, how many need action."""
        wanted = TO_DO if when is None else (when,)
        return sum(one.number for one in self.counted if one.urgency in wanted and standard in ("", one.standard))

    def listed(self, when: When | None, standard: str = "") -> int:
        """Return how many of them a list shows: all but those that one line stands for."""
        apart = self.never if not standard and when in (None, When.OVERDUE) else ()
        return self.number(when, standard) - sum(one.overdue for one in apart)

    def counts(self) -> Mapping[When, int]:
        """Return how many tasks there are of each urgency."""
        return {when: self.number(when) for when in When}

    def titles(self, when: When) -> dict[str, int]:
        """Return how many tasks of that urgency there are, by the title of their standard, the most frequent first."""
        found: Counter[str] = Counter()
        for one in self.counted:
            found[one.title] += one.number if one.urgency is when else 0
        return {title: number for title, number in found.most_common() if number}

    def standards(self) -> dict[str, str]:
        """Return the title of each standard that occurs, by its name."""
        return dict(sorted({one.standard: one.title for one in self.counted}.items(), key=lambda each: each[1]))


def merged(duties: Iterable[Duties], at_risk: AtRisk, choice: Choice) -> Today:
    """Combine what all services hold, with the rows of the page that was chosen."""
    held = list(duties)
    tasks = in_order((item for each in held for item in each.items), choice.order)
    shown = tasks[:PAGE] if choice.when else tasks
    more = len(shown) < len(tasks) or any(each.next for each in held)
    return Today(
        day=held[0].today,
        until=max(each.until for each in held),
        counted=[count for each in held for count in each.counts],
        caseloads=sorted({*at_risk.caseloads, *(code for each in held for code in each.caseloads)}),
        orders_at_risk=at_risk.orders,
        hours_at_risk=at_risk.hours_left,
        tasks=shown,
        next=shown[-1].place if shown and more else None,
        never=[one for each in held for one in each.never_recorded],
    )


def in_order(tasks: Iterable[WorkItem], order: Order) -> list[WorkItem]:
    """Return the tasks sorted as asked."""
    return sorted(tasks, key=_SORTED_BY[order], reverse=order is Order.LATEST)


def page_of(rows: Sequence[T], number: int) -> tuple[Sequence[T], int]:
    """Return the rows of that page, and how many pages there are."""
    pages = max(1, -(-len(rows) // PAGE))
    begin = (min(number, pages) - 1) * PAGE
    return rows[begin : begin + PAGE], pages


def sections(today: Today, standard: str) -> list[tuple[When, Sequence[WorkItem], int]]:
    """Return the first tasks of each urgency that needs action, with their number."""
    found = {when: [task for task in today.tasks if task.urgency is when][:SECTION] for when in TO_DO}
    return [(when, tasks, today.listed(when, standard)) for when, tasks in found.items() if tasks]
