"""Why an authority's own number is what it is: the orders and facts behind a cell, and why other orders do not count."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from contracts.authorities import current_code
from contracts.cells import MEASURES
from contracts.events import AUTHORITY_SUBJECT
from services.records.model.deadlines import Cells
from services.records.model.domain import Domain
from services.records.model.people import MEASURES as MEASURES_OF_PEOPLE
from services.records.model.people import Stay, count_people
from services.records.model.record import VOIDING, Record, as_known, is_void, is_withdrawn, name_of

ARRIVAL = {"events", "reporting_delay", "sequence"}
EXAMPLES = 5
MOST_TRIED = 200
"""The most facts of an order that are each taken away: time grows with their square, and the largest order of the simulation has 134."""


class CellName(NamedTuple):
    """A cell of one authority."""

    measure: str
    authority: str
    period: date
    category: str

    @property
    def key(self) -> tuple[str, date, str]:
        return self.measure, self.period, self.category


def cell_name(text: str) -> CellName:
    """Read `measure|authority|period|category`. Raises ValueError, with a message for users."""
    parts = text.split("|")
    if len(parts) not in (3, 4):
        raise ValueError(
            "a cell is measure|authority|period|category, as in orders_imposed|S12000036|2025-04-01|sex=male"
        )
    measure, authority, period, category = (*parts, "")[:4]
    code = current_code(authority)
    if code is None:
        raise ValueError(f"there is no authority {authority}")
    return own_cell(measure, code, period, category)


def own_cell(measure: str, authority: str, period: str, category: str) -> CellName:
    """Return a cell of an authority (current code). `period` is a month, as in 2025-04, or a day. Raises ValueError, with a message for
    users.
    """
    if measure not in MEASURES:
        raise ValueError(f"there is no measure {measure}")
    if measure in ARRIVAL:
        raise ValueError(f"{measure} counts events as they arrive; no order stands behind it")
    return CellName(measure, authority, date.fromisoformat(period if len(period) > 7 else f"{period}-01"), category)


class Behind(NamedTuple):
    """One order that counts in the cell."""

    subject: str
    value: int
    facts: tuple[str, ...] | None
    """The facts without which the number would differ. Empty if no single fact decides it, None if they were not sought."""


@dataclass(slots=True)
class Explanation:
    """The orders behind the number, and those that do not count."""

    value: int = 0
    behind: list[Behind] = field(default_factory=list)
    elsewhere: Counter[str] = field(default_factory=Counter)
    """Why other orders do not count here, and how many."""
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Some of those orders, by reason."""

    def leave_out(self, reason: str, orders: int, examples: list[str]) -> None:
        """Add orders that do not count, without reading them."""
        if orders:
            self.elsewhere[reason] += orders
            self.examples[reason] += examples[: EXAMPLES - len(self.examples[reason])]


def known(records: Iterable[tuple[str, Record]], day: date) -> Iterator[tuple[str, Record]]:
    """Yield the records as they were at the end of that day; records that began later are left out."""
    for subject, record in records:
        was = as_known(record, day)
        if was:
            yield subject, was


def facts_of(cell: CellName, domain: Domain) -> frozenset[str]:
    """Return the names of the fact keys on which the cell, and the reasons why an order does not count in it, depend."""
    if cell.measure in MEASURES_OF_PEOPLE:
        return domain.stay_keys
    return domain.counting.of_measure(cell.measure).reads | {"imposed", "transferred_in"} | VOIDING


def explain(
    cell: CellName, records: Iterable[tuple[str, Record]], domain: Domain, most: int | None = None
) -> Explanation:
    """Explain a cell from the given records, of which facts that `facts_of` does not name may be left out. Facts are sought for the first
    `most` orders behind it, or all.
    """
    names = facts_of(cell, domain)
    domain = replace(domain, counting=domain.counting.of_measure(cell.measure))
    found = Explanation()
    people: defaultdict[str, list[Stay]] = defaultdict(list)
    for subject, record in records:
        if (subject == AUTHORITY_SUBJECT) != (cell.measure == "control_totals"):
            continue
        cells = _cells(record, domain, cell)
        if cell.measure in MEASURES_OF_PEOPLE and (stay := domain.stay_of(record)) is not None:
            people[stay.person].append(stay)
        value = cells.get(cell.key, 0)
        if value:
            keys = [key for key in sorted(record) if name_of(key) in names]
            sought = len(keys) <= MOST_TRIED and (most is None or len(found.behind) < most)
            facts = tuple(key for key in keys if _changes(cell, record, domain, value, key)) if sought else None
            found.behind.append(Behind(subject, value, facts))
            found.value += value
        else:
            reason = _why_not(cell, record, cells)
            found.elsewhere[reason] += 1
            if len(found.examples[reason]) < EXAMPLES:
                found.examples[reason].append(subject)
    if cell.measure in MEASURES_OF_PEOPLE:
        found.value = sum(count_people(stays).get(cell.key, 0) for stays in people.values())
    return found


def _cells(record: Record, domain: Domain, cell: CellName) -> Cells:
    if cell.measure not in MEASURES_OF_PEOPLE:
        return domain.contributions(record)
    stay = domain.stay_of(record)
    return {} if stay is None else count_people([stay])


def _changes(cell: CellName, record: Record, domain: Domain, value: int, key: str) -> bool:
    """Return whether the number would differ without that fact."""
    if cell.measure in MEASURES_OF_PEOPLE:
        without = {k: entry for k, entry in record.items() if k != key}
        return _cells(without, domain, cell).get(cell.key, 0) != value
    return domain.counting.depends_on(record, key, domain.calendar).get(cell.key, 0) != 0


WITHOUT_IMPOSITION = ("sessions", "minutes_credited", "findings", "minutes_outstanding_closed")
"""Measures in which an order counts even if it was never reported as imposed."""
LACKING = {
    "unpaid_work_minutes_imposed": "the order has no unpaid work",
    "supervision_months_imposed": "the order has no supervision",
    "case_meeting": "the order has no supervision",
    "plan": "the order has no supervision",
    "induction": "the order has no unpaid work",
    "placement": "the order has no unpaid work",
    "officer": "the receipt of the order or the nomination of an officer was not reported",
    "reviews": "no review fell due",
    "breach_lodged": "no application for breach was reported",
    "breach_outcomes": "no decision on breach was reported",
    "transfer_answered": "no request for a transfer was reported",
    "unpaid_work_completed": "unpaid work was not reported as completed",
    "unpaid_work_days": "unpaid work was not reported as completed",
    "orders_ended": "the order has not ended",
    "orders_closed": "the order has not ended",
    "persons_closed": "the order has not ended",
    "exit_questionnaires": "the order has not ended",
    "minutes_credited": "no session or adjustment was reported",
    "sessions": "no session was reported",
    "minutes_outstanding_opened": "the order has no unpaid work",
    "minutes_outstanding_closed": "nothing was credited, and the order has not ended",
    "risk_change": "fewer than two assessments were reported",
    "outcome_change": "no domain was measured twice",
    "findings": "the order breaks no such rule",
    "control_totals": "totals are stated by the authority, not by its orders",
}
"""Why an order may count in no month of a measure: what it lacks."""


def _why_not(cell: CellName, record: Record, cells: Cells) -> str:
    if is_withdrawn(record):
        return "the order was withdrawn"
    if is_void(record):
        return "too many facts of the order were sent"
    if cell.measure not in WITHOUT_IMPOSITION and not _has(record, "imposed"):
        return "the order was never reported as imposed, or that was withdrawn"
    counted = sorted((period, category) for measure, period, category in cells if measure == cell.measure)
    in_period = [category for period, category in counted if period == cell.period]
    if in_period:
        dimension = cell.category.partition("=")[0]
        nearest = [category for category in in_period if category.partition("=")[0] == dimension] or in_period
        return f"counts in this period under {' and '.join(category or 'the total' for category in nearest)}"
    if counted:
        return "counts in another period"
    return _why_nowhere(cell.measure, record, cells)


def _why_nowhere(measure: str, record: Record, cells: Cells) -> str:
    if measure.startswith(("pending_", "awaited_")):
        return "nothing is pending: it was met or missed, or does not apply"
    if any(counted == f"pending_{measure}" for counted, _, _ in cells):
        return "the fact that decides is not there yet: still pending"
    if measure not in LACKING and _has(record, "transferred_in"):
        return "the order was transferred in: the authority that it came from counts it"
    return LACKING.get(measure, "nothing of the order counts in this measure")


def _has(record: Record, key: str) -> bool:
    entry = record.get(key)
    return entry is not None and entry.data is not None
