"""Why an authority's own number is what it is: the orders and facts behind a cell, and why others did not count."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from contracts.authorities import current_code
from contracts.cells import MEASURES
from services.records.model.deadlines import Cells
from services.records.model.domain import Domain
from services.records.model.people import MEASURES as MEASURES_OF_PEOPLE
from services.records.model.people import Stay, count_people
from services.records.model.record import Record, is_withdrawn

ARRIVAL = {"events", "reporting_delay", "sequence"}
EXAMPLES = 5


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
    """Reads `measure|authority|period|category`. Raises ValueError, in words."""
    parts = text.split("|")
    if len(parts) not in (3, 4):
        raise ValueError(
            "a cell is measure|authority|period|category, as in orders_imposed|S12000036|2025-04-01|sex=male"
        )
    measure, authority, period, category = (*parts, "")[:4]
    code = current_code(authority)
    if measure not in MEASURES:
        raise ValueError(f"there is no measure {measure}")
    if measure in ARRIVAL:
        raise ValueError(f"{measure} counts events as they arrive; no order stands behind it")
    if code is None:
        raise ValueError(f"there is no authority {authority}")
    return CellName(measure, code, date.fromisoformat(period if len(period) > 7 else f"{period}-01"), category)


class Behind(NamedTuple):
    """One order that counts in the cell."""

    subject: str
    value: int
    facts: tuple[str, ...]
    """The facts without any of which it would count another number here. None where any of several would do."""


@dataclass(slots=True)
class Explanation:
    """All that makes the number, and what does not."""

    value: int = 0
    behind: list[Behind] = field(default_factory=list)
    elsewhere: Counter[str] = field(default_factory=Counter)
    """Why other orders do not count here, and how many."""
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Some of those orders, by reason."""


def explain(cell: CellName, records: Iterable[tuple[str, Record]], domain: Domain) -> Explanation:
    """Looks at every record of the authority."""
    found = Explanation()
    people: defaultdict[str, list[Stay]] = defaultdict(list)
    for subject, record in records:
        cells = _cells(record, domain, cell)
        if cell.measure in MEASURES_OF_PEOPLE and (stay := domain.stay(record)) is not None:
            people[stay.person].append(stay)
        value = cells.get(cell.key, 0)
        if value:
            found.behind.append(Behind(subject, value, _facts_behind(cell, record, domain, value)))
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
    stay = domain.stay(record)
    return {} if stay is None else count_people([stay])


def _facts_behind(cell: CellName, record: Record, domain: Domain, value: int) -> tuple[str, ...]:
    """Takes each fact away in turn, and sees whether the number stays."""
    return tuple(
        key
        for key in sorted(record)
        if _cells({k: entry for k, entry in record.items() if k != key}, domain, cell).get(cell.key, 0) != value
    )


def _why_not(cell: CellName, record: Record, cells: Cells) -> str:
    if is_withdrawn(record):
        return "the order was withdrawn"
    imposed = record.get("imposed")
    if imposed is None or imposed.data is None:
        return "the order was never reported as imposed, or that was withdrawn"
    counted = sorted((period, category) for measure, period, category in cells if measure == cell.measure)
    in_period = [category for period, category in counted if period == cell.period]
    if in_period:
        dimension = cell.category.partition("=")[0]
        nearest = [category for category in in_period if category.partition("=")[0] == dimension] or in_period
        return f"counts in this period under {' and '.join(category or 'the total' for category in nearest)}"
    if counted:
        return "counts in another period"
    pending = f"pending_{cell.measure}"
    if any(measure == pending for measure, _, _ in cells):
        return "the fact that decides is not there yet: still pending"
    transferred = record.get("transferred_in")
    if transferred is not None and transferred.data is not None:
        return "the order was transferred in: the authority that it came from counts it"
    return "nothing of the order counts in this measure"
