"""Two releases of one year of the pretend nation: between them come the orders that were told late."""

from collections.abc import Iterator
from datetime import date
from random import Random

from services.reporting.disclosure.linked_tables import NATIONAL_ONLY
from services.reporting.disclosure.rounding import CellKey, Cells
from services.simulate.nation import Simulation
from services.simulate.truth import Life, Truth

MONTHS_BEFORE, END = 12, date(2026, 4, 1)
FIRST, LAST = date(2025, 4, 1), date(2026, 3, 1)
LATE_SINCE, LATE = date(2026, 1, 1), 0.1
"""Of the orders of the last three months, so many are told only after the first release."""


class _Remembered(Truth):
    """Keeps the lives that it counts."""

    def __init__(self) -> None:
        super().__init__()
        self.lives: list[Life] = []

    def count(self, authority: str, life: Life) -> None:
        self.lives.append(life)
        super().count(authority, life)


def releases(seed: int = 1) -> tuple[Cells, Cells]:
    """Return the true cells of the year as the two releases know them."""
    nation, chance = Simulation(seed, MONTHS_BEFORE + 12, END), Random(seed)
    first, second = Truth(), Truth()
    for code, authority in nation.authorities.items():
        authority.truth = remembered = _Remembered()
        for _ in nation.of(code):
            pass
        for life in remembered.lives:
            second.count(code, life)
            if not (_begun(life) >= LATE_SINCE and chance.random() < LATE):
                first.count(code, life)
    return dict(_cells(first)), dict(_cells(second))


def _begun(life: Life) -> date:
    days: list[date] = [getattr(fact, name) for fact in life.values() for name in fact.DATES]
    return min(days)


def _cells(truth: Truth) -> Iterator[tuple[CellKey, int]]:
    for (measure, authority, month, category), value in truth.cells.items():
        if value and str(FIRST) <= month <= str(LAST) and (measure, category) in NATIONAL_ONLY:
            yield CellKey(measure, category, date.fromisoformat(month), authority), value
