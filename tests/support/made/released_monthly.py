"""A year of a few authorities, released month by month with late events in between; and the same nation as the public saw it."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import cache
from typing import NamedTuple

import numpy as np
from msgspec import structs
from sqlalchemy import Engine, select

from contracts.categories import MONTHS_BEFORE
from contracts.cells import Cell, Service
from contracts.codes import CLIENT_BASED, SERVICE_BASED
from contracts.periods import last_day, months_between, year_months, year_of
from services.chassis.clock import FixedClock
from services.reporting.disclosure.linked_tables import NATIONAL_ONLY
from services.reporting.ingest.fold import fold
from services.reporting.ingest.store import write
from services.reporting.read.tables import public_cells
from services.reporting.registry.deadlines import AWAITED, OVERDUE
from services.reporting.releases import publication
from tests.integration.reporting.conftest import NOW, position, taken
from tests.support.made.figures import national_cells

FIRST, LAST = date(2025, 4, 1), date(2026, 3, 1)
CODES = ("S12000005", "S12000006", "S12000014", "S12000030")
"""Small authorities, most of whose months have a small number. Three of them make up a health board area."""
MONTHS = months_between(FIRST, LAST)
RELEASES = len(MONTHS)
"""One for each month, as its last."""


class Late(NamedTuple):
    """So many more orders imposed in a month, all of which ended, as a release knows them that is not the first with this month."""

    release: int
    authority: str
    month: date
    more: int


LATE = (
    *(
        Late(number, CODES[number % 2 * 2], MONTHS[max(0, number - number % 4 - 1)], 1 + number % 4)
        for number in range(1, 11)
    ),
    Late(11, CODES[0], date(2026, 2, 1), 3),
    Late(11, CODES[2], date(2026, 1, 1), 5),
    Late(11, CODES[3], date(2025, 6, 1), 2),
)
ONE_MORE = {
    "orders_imposed": ("", "sex=", "age_band=", "ethnicity=", "employment=", "court_type="),
    "orders_opened": ("",),
    "first_contact": ("band=",),
    "officer": ("band=",),
    "orders_ended": ("", "sex=", "age_band=", "end_reason="),
    "orders_closed": ("",),
    "exit_questionnaires": ("not_returned",),
}
"""The cells of one more order: the largest category with each of these prefixes."""
REASONS = sorted(CLIENT_BASED | SERVICE_BASED)
CLOCKS = ("first_contact", "induction", "placement", "case_meeting", "plan")
DAYS = tuple(NOW.date() - timedelta(days=2 + RELEASES - number) for number in range(1, RELEASES + 1))
"""The day up to whose end each release is known: the releases of a year are made on successive days, since only their months matter."""


class World(NamedTuple):
    """The new facts of each release, and the names of the releases."""

    told: tuple[list[Cell], ...]
    releases: tuple[str, ...]


def truth(database: Engine, newest: int = RELEASES) -> World:
    """Fill the database with what happened, and make the newest releases, so many."""
    late = [list(_late(number)) for number in range(RELEASES)]
    at_first = RELEASES - newest
    before = [cell for cells in late[: at_first + 1] for cell in cells]
    return _released(database, ([*_of_few(), *before], *late[at_first + 1 :]))


def as_published(database: Engine, world: World, published: Engine) -> World:
    """Make the nation that was published of this world: every public cell has its rounded value, and everything else is the same."""
    services = {cell.measure: cell.service for cell in world.told[0]}
    other = [cell for cell in world.told[0] if not _is_public(cell) and cell.measure not in AWAITED.values()]
    told, before, first = list[list[Cell]](), dict[Key, int](), RELEASES - len(world.releases)
    for number, name in enumerate(world.releases, first):
        now = _public(database, name)
        values = dict.fromkeys(before.keys() - now.keys(), 0) | now
        told.append([_of_key(key, value, services, DAYS[number], 1 + number) for key, value in values.items()])
        before = now
    return _released(published, ([*other, *told[0]], *told[1:]))


Key = tuple[str, str, date, str]


def _is_public(cell: Cell) -> bool:
    return (cell.measure, cell.category) in NATIONAL_ONLY


def _public(database: Engine, release: str) -> dict[Key, int]:
    c = public_cells.c
    query = select(c.measure, c.category, c.period, c.authority, c.value).where(c.release == release)
    with database.connect() as connection:
        return {
            (measure, category, day, area): value for measure, category, day, area, value in connection.execute(query)
        }


def _of_key(key: Key, value: int, services: dict[str, Service], day: date, version: int) -> Cell:
    """Return the cell of a key. Overdue cells become awaited ones on the day on which they fell due."""
    measure, category, period, authority = key
    if category == OVERDUE:
        measure, category, period = AWAITED[measure], MONTHS_BEFORE[0], last_day(period)
    return Cell(services.get(measure, "orders"), authority, 1, version, measure, period, category, day, value)


def _released(database: Engine, told: tuple[list[Cell], ...]) -> World:
    first, names = RELEASES - len(told), list[str]()
    for number, cells in enumerate(told, first):
        clock = FixedClock(datetime.combine(DAYS[number] + timedelta(days=1), NOW.timetz()))
        positions = [position(code, service=each) for code in CODES for each in ("orders", "unpaid_work")]
        with database.begin() as connection:
            write(connection, fold([*cells, *(heard for each in positions for heard in taken(each)), *positions]))
        names.append(publication.make(database, MONTHS[number], DAYS[number], clock))
        publication.publish(database, names[-1], clock)
    return World(told, tuple(names))


def cells_of(seed: int, first: date, months: int, authorities: int) -> list[Cell]:
    """Return national cells, and those that follow from these counts and are not made with them."""
    made = list(national_cells(seed, first, months, authorities))
    return [*made, *_beyond(seed, made)]


@cache
def _of_few() -> list[Cell]:
    made = [cell for cell in national_cells(1, FIRST, 12) if cell.authority in CODES]
    return [_known(cell, cell.measure, cell.category, cell.value, DAYS[0], 1) for cell in (*made, *_beyond(1, made))]


def _late(number: int) -> Iterator[Cell]:
    """Yield what a release knows that none before it knew."""
    for each in LATE:
        if each.release == number:
            for cell in _grown(each.authority, each.month):
                so_far = sum(e.more for e in LATE if e[1:3] == each[1:3] and e.release <= number)
                yield _known(cell, cell.measure, cell.category, cell.value + so_far, DAYS[number], 1 + number)


@cache
def _grown(authority: str, month: date) -> tuple[Cell, ...]:
    """Return the cells to which one more order adds."""
    there = [cell for cell in _of_few() if (cell.authority, cell.period) == (authority, month)]
    return tuple(
        max(
            (
                c
                for c in there
                if c.measure == measure and (c.category.startswith(prefix) if prefix else not c.category)
            ),
            key=lambda each: each.value,
        )
        for measure, prefixes in ONE_MORE.items()
        for prefix in prefixes
    )


def _beyond(seed: int, made: Iterable[Cell]) -> Iterator[Cell]:
    """Yield cells that follow from these counts, and are not made with them."""
    rng, people = np.random.default_rng(seed), dict[tuple[str, str], int]()
    for cell in made:
        name = f"{cell.measure}|{cell.category}"
        if name == "orders_imposed|":
            first_orders = max(0, cell.value - int(rng.integers(3)))
            of_year = cell.authority, year_of(cell.period)
            people[of_year] = people.get(of_year, 0) + max(0, first_orders - int(rng.integers(3)))
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

    for (authority, year), count in people.items():
        any_cell = next(each for each in made if each.authority == authority)
        in_year = structs.replace(any_cell, period=year_months(year)[0])
        yield _beside(in_year, "persons_with_new_order_in_year", "", count)


_CHANGES = ("change=improved", "change=same", "change=worse")
_FIRST_LATE = {"band=2_to_5", "band=6_to_10", "band=to_3_weeks", "band=over_20"}


def _reasons(rng: np.random.Generator, late: int) -> Iterator[tuple[str, int]]:
    counts = rng.multinomial(late, np.ones(len(REASONS) + 1) / (len(REASONS) + 1))
    yield from zip(REASONS, map(int, counts[:-1]), strict=True)


def _beside(cell: Cell, measure: str, category: str, value: int) -> Cell:
    return _known(cell, measure, category, value, cell.known_on, 1)


def _known(cell: Cell, measure: str, category: str, value: int, day: date, version: int) -> Cell:
    return Cell(cell.service, cell.authority, 1, version, measure, cell.period, category, day, value)
