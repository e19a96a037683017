"""Two releases of a year of a few authorities, with what came late between them, and what is in them in truth."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from sqlalchemy import Engine, select

from contracts.authorities import HEALTH_BOARDS
from contracts.cells import Cell as Published
from contracts.codes import CLIENT_BASED, SERVICE_BASED
from contracts.periods import months_between
from services.chassis.clock import FixedClock
from services.reporting.ingest.store import Folded, fold, write
from services.reporting.read.tables import release_cells
from services.reporting.registry.areas import SCOTLAND
from services.reporting.releases import publication
from tests.integration.reporting.conftest import NOW, position, taken
from tests.support.attacker.program import Cell
from tests.support.attacker.reading import World
from tests.support.figures import national_cells

FIRST, LAST = date(2025, 4, 1), date(2026, 3, 1)
CODES = ("S12000005", "S12000006", "S12000014", "S12000030")
"""Small ones: few of their months have no small number. Three of them make up a health board area."""
LATE = {(CODES[0], date(2026, 2, 1)): 3, (CODES[2], date(2026, 1, 1)): 5, (CODES[3], date(2025, 6, 1)): 2}
"""Of how many more orders the second release has heard that were imposed then, and ended."""
ONE_MORE = {
    "orders_imposed": ("", "sex=", "age_band=", "ethnicity=", "employment=", "court_type="),
    "orders_opened": ("",),
    "first_contact": ("band=",),
    "officer": ("band=",),
    "orders_ended": ("", "sex=", "age_band=", "end_reason="),
    "orders_closed": ("",),
    "exit_questionnaires": ("not_returned",),
}
"""Where an order counts: in the largest category that begins so."""
WORLD = World(
    {code: (code,) for code in CODES}
    | {
        board.code: found
        for board in HEALTH_BOARDS.values()
        if (found := tuple(c for c in CODES if c in board.members))
    }
    | {SCOTLAND: CODES},
    tuple(f"{month:%Y-%m}" for month in months_between(FIRST, LAST)),
)
REASONS = sorted(CLIENT_BASED | SERVICE_BASED)
CLOCKS = ("first_contact", "induction", "placement", "case_meeting", "plan")


class Made(NamedTuple):
    """The releases, the days on which each was the latest, and the cells as they were released."""

    names: tuple[str, ...]
    days: tuple[str, ...]
    cells: dict[Cell, int]

    def truth(self, cell: Cell) -> int:
        return self.cells.get(cell, 0)


def release(database: Engine) -> Made:
    """Fill the database and release twice."""
    clock, names, days = FixedClock(NOW - timedelta(days=2)), [], []
    for cells in (_cells(1), _corrected()):
        positions = [position(c, service=s) for c in CODES for s in ("orders", "unpaid_work")]
        folded: Folded = fold([*cells, *(heard for each in positions for heard in taken(each)), *positions])
        with database.begin() as connection:
            write(connection, folded)
        names.append(publication.make(database, LAST, clock().date() - timedelta(days=1), clock))
        publication.publish(database, names[-1], clock)
        days.append(f"{clock().date()}")
        clock.move(timedelta(days=1))
    return Made(tuple(names), tuple(days), _released(database, names))


def _released(database: Engine, names: list[str]) -> dict[Cell, int]:
    c = release_cells.c
    with database.connect() as connection:
        rows = connection.execute(select(c.release, c.measure, c.category, c.period, c.authority, c.value)).all()
    return {
        Cell(names.index(name), measure, category, f"{period:%Y-%m}", area): value
        for name, measure, category, period, area, value in rows
    }


def _corrected() -> Iterator[Published]:
    day = NOW.date() - timedelta(days=1)
    for (area, month), more in LATE.items():
        there = [cell for cell in _cells(1) if (cell.authority, cell.period) == (area, month)]
        for measure, prefixes in ONE_MORE.items():
            for prefix in prefixes:
                alike = [
                    c
                    for c in there
                    if c.measure == measure and (c.category.startswith(prefix) if prefix else not c.category)
                ]
                cell = max(alike, key=lambda each: each.value)
                yield _known(cell, measure, cell.category, cell.value + more, day, 2)


def _cells(seed: int) -> list[Published]:
    made = [cell for cell in national_cells(seed, FIRST, 12) if cell.authority in CODES]
    return [*made, *_beyond(seed, made)]


def _beyond(seed: int, made: Iterable[Published]) -> Iterator[Published]:
    """What follows from these counts, and is not made with them."""
    rng, people = np.random.default_rng(seed), dict[str, int]()
    for cell in made:
        name = f"{cell.measure}|{cell.category}"
        if name == "orders_imposed|":
            first_orders = max(0, cell.value - int(rng.integers(3)))
            people[cell.authority] = people.get(cell.authority, 0) + max(0, first_orders - int(rng.integers(3)))
            yield _beside(cell, "persons_with_new_order", "", first_orders)
        elif name == "requirements_imposed|requirement=supervision":
            yield _beside(cell, "supervision_months_imposed", "", int(rng.integers(6, 24)) * cell.value)
        elif name == "exit_questionnaires|returned":
            for question in ("helped", "treated_with_respect", "less_likely_to_offend"):
                yield _beside(cell, cell.measure, f"sum={question}", int(rng.integers(1, 6, cell.value).sum()))
        elif name == "orders_ended|":
            for measure in ("risk_change", "outcome_change", "transfer_answered"):
                codes = ("on_time", "late", "missed") if measure == "transfer_answered" else _CHANGES
                for code, count in zip(codes, rng.multinomial(cell.value // 2, (0.5, 0.3, 0.2)), strict=True):
                    yield _beside(cell, measure, code, int(count))
        elif name in {"breach_lodged|late", "unpaid_work_completed|class=late"}:
            for reason, count in _reasons(rng, cell.value):
                yield _beside(cell, cell.measure, f"reason={reason}", count)
        elif cell.measure in CLOCKS and cell.category.startswith("band=") and "within" not in cell.category:
            for reason, count in _reasons(rng, cell.value):
                if cell.category in _FIRST_LATE:
                    yield _beside(cell, cell.measure, f"reason={reason}", count)

    for authority, count in people.items():
        first = next(each for each in made if each.authority == authority and each.period == FIRST)
        yield _beside(first, "persons_with_new_order_in_year", "", count)


_CHANGES = ("change=improved", "change=same", "change=worse")
_FIRST_LATE = {"band=2_to_5", "band=6_to_10", "band=to_3_weeks", "band=over_20"}


def _reasons(rng: np.random.Generator, late: int) -> Iterator[tuple[str, int]]:
    counts = rng.multinomial(late, np.ones(len(REASONS) + 1) / (len(REASONS) + 1))
    yield from zip(REASONS, map(int, counts[:-1]), strict=True)


def _beside(cell: Published, measure: str, category: str, value: int) -> Published:
    return _known(cell, measure, category, value, cell.known_on, 1)


def _known(cell: Published, measure: str, category: str, value: int, day: date, version: int) -> Published:
    return Published(cell.service, cell.authority, 1, version, measure, cell.period, category, day, value)
