"""Twelve monthly releases of ten years of the pretend nation; some orders are told late, and come with one of the next releases."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor
from datetime import date, timedelta
from functools import partial
from itertools import accumulate
from random import Random

from contracts.authorities import AUTHORITIES
from contracts.periods import month_of, months_between
from services.reporting.disclosure.linked_tables import NATIONAL_ONLY
from services.reporting.disclosure.rounding import CellKey, Cells
from services.simulate.nation import Simulation
from services.simulate.truth import Life, Truth

FIRST, LAST = date(2016, 4, 1), date(2026, 3, 1)
MONTHS = months_between(FIRST, LAST)
MONTHS_BEFORE, END = 12, date(2026, 4, 1)
"""The pretend nation begins a year earlier, so that there are orders to end."""
RELEASES = MONTHS[-12:]
"""Each release by its last month."""
LATE, LATEST = 0.1, 3
"""One order in ten is told so many releases late at most: one, two or three, each as often as the others."""


def releases(seed: int, workers: Executor) -> tuple[Cells, ...]:
    """Return the true cells of each release, as they are known when it is made."""
    told: list[Counter[CellKey]] = [Counter() for _ in RELEASES]
    for found in workers.map(partial(_of_authority, seed), AUTHORITIES):
        for all_cells, own in zip(told, found, strict=True):
            all_cells.update(own)
    known = accumulate(told, lambda so_far, more: so_far + more)
    return tuple(_until(last, cells) for last, cells in zip(RELEASES, known, strict=True))


def _until(last: date, cells: Cells) -> Cells:
    return {key: value for key, value in cells.items() if key.period <= last}


def _of_authority(seed: int, code: str) -> list[dict[CellKey, int]]:
    """Return what each release tells of one authority that none before it told."""
    nation, chance = Simulation(seed, MONTHS_BEFORE + len(MONTHS), END, [code]), Random(f"{seed}/{code}")
    truths = [Truth() for _ in RELEASES]
    for life in _lives(nation, code):
        at = max(0, _in_time(_begun(life)) + (chance.randint(1, LATEST) if chance.random() < LATE else 0))
        if at < len(RELEASES):
            truths[at].count(code, life)
    return [dict(_cells(truth)) for truth in truths]


def _lives(nation: Simulation, code: str) -> Iterator[Life]:
    """Yield the final facts of each order."""
    for day in range((END - nation.first).days):
        for course in nation.authorities[code].courses(nation.first + timedelta(days=day), END):
            if life := {fact.key: fact for known_on, fact in course.facts if known_on < END}:
                yield life


def _in_time(month: date) -> int:
    """Return the place of the release that has this month as its last; negative before the first."""
    return MONTHS.index(max(month, FIRST)) - MONTHS.index(RELEASES[0])


def _begun(life: Life) -> date:
    days: list[date] = [getattr(fact, name) for fact in life.values() for name in fact.DATES]
    return month_of(min(days))


def _cells(truth: Truth) -> Iterator[tuple[CellKey, int]]:
    for (measure, authority, month, category), value in truth.cells.items():
        if value and str(FIRST) <= month <= str(LAST) and (measure, category) in NATIONAL_ONLY:
            yield CellKey(measure, category, date.fromisoformat(month), authority), value
