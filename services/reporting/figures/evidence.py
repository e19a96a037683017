"""Finds signs in an authority's own numbers that its figures are incomplete. Nobody has to declare anything.

Sources number their events, close months with their own totals, and report about as much as in earlier months; and events that break the
contract are refused. Each of these shows what is missing, whatever anybody says.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from statistics import median

from sqlalchemy import Connection

from contracts.periods import add_months, months_between
from services.reporting.read import own_numbers
from services.reporting.read.vintages import Vintage

REFUSED_SHARE = 0.02
USUAL_MONTHS = 12
LEAST_OF_USUAL = 0.5
FEWEST_TO_COMPARE = 20
TOTALS = ("orders_imposed", "orders_ended", "minutes_credited")
"""Measures for which an authority may state its own total of a month."""


class Doubt(StrEnum):
    """Why figures of a period may be incomplete, or cannot be judged."""

    NOT_IN_CUT = "not_in_cut"
    NO_EXPECTATION = "no_expectation"
    NOT_ALL_MONTHS = "not_all_months"
    ONE_SERVICE = "one_service"
    NOT_SINCE = "not_since"
    MISSING_EVENTS = "missing_events"
    TOTALS_DIFFER = "totals_differ"
    REFUSED = "refused"
    FEWER = "fewer_than_usual"


DOUBTS = {
    Doubt.NOT_IN_CUT: "The figures shown do not reach this period",
    Doubt.NO_EXPECTATION: "It neither numbers its events nor closes its months, and has no past to compare with",
    Doubt.NOT_ALL_MONTHS: "It did not report on every month",
    Doubt.ONE_SERVICE: "No event about its orders, or none about its unpaid work, was ever accepted",
    Doubt.NOT_SINCE: "Nothing has been heard since the period ended",
    Doubt.MISSING_EVENTS: "Numbers are missing in its own numbering of events",
    Doubt.TOTALS_DIFFER: "The totals with which it closed its months differ from the events that arrived",
    Doubt.REFUSED: f"More than {REFUSED_SHARE:.0%} of its events were refused",
    Doubt.FEWER: f"It reported less than half of what is usual: the middle of its {USUAL_MONTHS} months before",
}
"""The doubts in words."""


@dataclass(slots=True)
class Evidence:
    """The evidence of one authority and period."""

    missing: int = 0
    refused: int = 0
    numbered: int = 0
    """How many events have a number of the source's own."""
    closed: bool = False
    """Whether it closed a month with a total of its own."""
    taken: dict[date, int] = field(default_factory=dict)
    """Accepted events by month, including the months before the period."""
    totals_differ: bool = False

    def doubts(self, first: date, last: date) -> list[Doubt]:
        """Return the doubts whether the months from first to last are complete."""
        months = months_between(first, last)
        here = [self.taken.get(month, 0) for month in months]
        found = []
        if self.missing:
            found.append(Doubt.MISSING_EVENTS)
        if self.totals_differ:
            found.append(Doubt.TOTALS_DIFFER)
        if self.refused > REFUSED_SHARE * (self.refused + sum(here)):
            found.append(Doubt.REFUSED)
        usual = self._usual(first)
        if usual >= FEWEST_TO_COMPARE and sum(here) < LEAST_OF_USUAL * usual * len(months):
            found.append(Doubt.FEWER)
        return found

    def expects(self, first: date) -> bool:
        """Return whether anything could show that the months from the first are incomplete."""
        return self.numbered > 0 or self.closed or self._usual(first) >= FEWEST_TO_COMPARE

    def _usual(self, first: date) -> float:
        """Return how many events a usual month before the first had."""
        return median(self.taken.get(add_months(first, -n), 0) for n in range(1, USUAL_MONTHS + 1))


_COUNTED = {
    ("sequence", "missing"): "missing",
    ("sequence", "received"): "numbered",
    ("events", "outcome=rejected"): "refused",
}


def evidence(connection: Connection, vintage: Vintage, first: date, last: date) -> Mapping[str, Evidence]:
    """Return the evidence by authority, about the months from first to last."""
    found: dict[str, Evidence] = defaultdict(Evidence)
    for authority, cell, number in own_numbers.counted(connection, vintage, tuple(_COUNTED), (first, last)):
        setattr(found[authority], _COUNTED[cell], number)
    before = add_months(first, -USUAL_MONTHS)
    for authority, month, number in own_numbers.taken(connection, vintage, (before, last)):
        found[authority].taken[month] = number
    for authority, differs in own_numbers.closed(connection, vintage, TOTALS, (first, last)):
        found[authority].closed = True
        found[authority].totals_differ |= differs
    return found
