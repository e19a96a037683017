"""What an authority's own numbers say against its figures being complete. Nobody has to declare anything.

Sources number their events, close months with their own totals, and report about as much as in the months before; and what
does not keep to the contract is refused. Each of these shows what is lacking, whatever anybody says.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from statistics import median

from sqlalchemy import Connection, case, func, select

from contracts.periods import add_months, last_day, months_between
from services.reporting.read.vintages import Cut, Wanted, rows_of

REFUSED_SHARE = 0.02
USUAL_MONTHS = 12
LEAST_OF_USUAL = 0.5
FEWEST_TO_COMPARE = 20
TOTALS = ("orders_imposed", "orders_ended", "minutes_credited")
"""Measures that months are closed with."""
_TAKEN = ("outcome=applied", "outcome=superseded")


class Doubt(StrEnum):
    """Why figures of a period may lack something."""

    NOT_SINCE = "not_since"
    MISSING_EVENTS = "missing_events"
    TOTALS_DIFFER = "totals_differ"
    REFUSED = "refused"
    FEWER = "fewer_than_usual"


DOUBTS = {
    Doubt.NOT_SINCE: "Nothing has been heard since the period ended",
    Doubt.MISSING_EVENTS: "Numbers are missing in its own numbering of events",
    Doubt.TOTALS_DIFFER: "The totals with which it closed its months differ from what arrived",
    Doubt.REFUSED: f"More than {REFUSED_SHARE:.0%} of its events were refused",
    Doubt.FEWER: f"It reported less than half of what is usual: the middle of its {USUAL_MONTHS} months before",
}
"""In words."""


@dataclass(slots=True)
class Evidence:
    """Of one authority and period."""

    missing: int = 0
    refused: int = 0
    taken: dict[date, int] = field(default_factory=dict)
    """Events by month, the months before the period among them."""
    totals_differ: bool = False

    def doubts(self, first: date, last: date) -> list[Doubt]:
        """What speaks against the months from first to last being complete."""
        months = months_between(first, last)
        here = [self.taken.get(month, 0) for month in months]
        found = []
        if self.missing:
            found.append(Doubt.MISSING_EVENTS)
        if self.totals_differ:
            found.append(Doubt.TOTALS_DIFFER)
        if self.refused > REFUSED_SHARE * (self.refused + sum(here)):
            found.append(Doubt.REFUSED)
        usual = median(self.taken.get(add_months(first, -n), 0) for n in range(1, USUAL_MONTHS + 1))
        if usual >= FEWEST_TO_COMPARE and sum(here) < LEAST_OF_USUAL * usual * len(months):
            found.append(Doubt.FEWER)
        return found


def evidence(connection: Connection, cut: Cut, first: date, last: date) -> Mapping[str, Evidence]:
    """By authority, of the months from first to last."""
    found: dict[str, Evidence] = defaultdict(Evidence)
    lacking = Wanted(("sequence", "events"), ("missing", "outcome=rejected"), None, first, last_day(last))
    rows = rows_of(cut, lacking)
    both = select(rows.c.authority, rows.c.measure, func.sum(rows.c.value)).group_by(rows.c.authority, rows.c.measure)
    for authority, measure, number in connection.execute(both):
        setattr(found[authority], "missing" if measure == "sequence" else "refused", int(number))
    rows = rows_of(cut, Wanted(("events",), _TAKEN, None, add_months(first, -USUAL_MONTHS), last_day(last)))
    by_month = select(rows.c.authority, rows.c.period, func.sum(rows.c.value)).group_by(rows.c.authority, rows.c.period)
    for authority, month, number in connection.execute(by_month):
        found[authority].taken[month] = int(number)
    for authority in _differing(connection, cut, first, last):
        found[authority].totals_differ = True
    return found


def _differing(connection: Connection, cut: Cut, first: date, last: date) -> Iterable[str]:
    """Authorities that closed a month with another total than what was counted."""
    categories = ("", *(f"total={name}" for name in TOTALS))
    rows = rows_of(cut, Wanted(("control_totals", *TOTALS), categories, None, first, last_day(last)))
    is_stated = rows.c.measure == "control_totals"
    name = case((is_stated, func.substr(rows.c.category, len("total=") + 1)), else_=rows.c.measure)
    stated = func.coalesce(func.sum(rows.c.value).filter(is_stated), 0)
    counted = func.coalesce(func.sum(rows.c.value).filter(~is_stated), 0)
    query = select(rows.c.authority).group_by(rows.c.authority, rows.c.period, name)
    return connection.scalars(query.having(stated != 0, stated != counted).distinct())
