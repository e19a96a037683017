"""Orders as lists show them, and their standards that are due up to a day. Pure."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple

from services.records.model.summary import Standing


class Row(NamedTuple):
    """One order as lists show it."""

    subject: str
    imposed_on: date
    ended_on: date | None
    standing: Standing

    @property
    def begun_on(self) -> date:
        """Return the day from which the order is managed here."""
        return self.standing.begun_on or self.imposed_on


class Due(NamedTuple):
    """A standard of an open order that is not met yet."""

    by: date
    """The day that its list shows and is sorted by: in a worklist, the earlier of the two days on which it is due."""
    subject: str
    standard: str
    imposed_on: date
    due_on: date
    own_target_on: date | None
    """The day on which it is due by the authority's own target."""
    caseload: str

    def next_day(self, today: date) -> date:
        """Return the day to work towards: that of the authority's own target while it can be met, else the national one."""
        first = self.due_on if self.own_target_on is None else min(self.due_on, self.own_target_on)
        return first if first >= today else self.due_on


class Horizon(NamedTuple):
    """How far a worklist looks."""

    until: date
    reach: date
    """The last day on which a national standard can be due whose own target falls within the horizon."""
    own_due: Callable[[str, date], date | None] | None
    """Gives the day on which a standard's own target is due for an order imposed on a day; None for an authority without targets."""
    left_out: frozenset[tuple[str, str, date]] = frozenset()
    """The order, standard and due date of each duty that is not listed."""
    caseload: str = ""
    """Only orders of this caseload; empty for all."""

    def dues_of(self, row: Row) -> Iterator[Due]:
        if self.caseload not in ("", row.standing.caseload):
            return
        for due_on, standard in row.standing.dues:
            own = self.own_due and self.own_due(standard, row.begun_on)
            by = due_on if own is None else min(due_on, own)
            if by <= self.until and (row.subject, standard, due_on) not in self.left_out:
                yield Due(by, row.subject, standard, row.imposed_on, due_on, own, row.standing.caseload)
