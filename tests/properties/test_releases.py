"""Successive releases together give nothing away either, even to somebody who guesses what was not revised."""

from collections.abc import Iterator
from datetime import date
from random import Random

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_matrix

from contracts.authorities import AUTHORITIES
from contracts.periods import months_between
from services.reporting.disclosure.linked_tables import FAMILIES, SMALL_COUNT, Family
from services.reporting.disclosure.numbers import NumberKey
from services.reporting.disclosure.suppression import AREAS, CellKey, Cells, Earlier, Hiding, hide
from services.reporting.registry.areas import SCOTLAND
from services.reporting.registry.indicators import Form, form
from tests.support.figures import national_cells

FAMILY = Family(
    "orders",
    (form("orders_imposed"),),
    tuple(
        next(d for d in FAMILIES[0].dimensions if any(f.categories[0].startswith(prefix) for f in d.forms))
        for prefix in ("sex=", "band=within_1")
    ),
)
SOME = list(AUTHORITIES)[:4]
FORMS = tuple(dict.fromkeys((*FAMILY.totals, *(f for d in FAMILY.dimensions for f in d.forms))))
PUBLIC = frozenset((f.measure, f.grouping) for f in FORMS)
FIRST, MIDDLE, LAST = date(2025, 4, 1), date(2025, 6, 1), date(2025, 7, 1)


def figures(seed: int) -> Cells:
    wanted = {(f.measure, c) for f in FORMS for c in f.categories}
    cells = national_cells(seed, FIRST, 4, len(SOME))
    return {
        CellKey(c.measure, c.category, c.period, c.authority): c.value
        for c in cells
        if (c.measure, c.category) in wanted
    }


def until(cells: Cells, last: date) -> Cells:
    return {key: value for key, value in cells.items() if key.period <= last}


def revised(cells: Cells, seed: int) -> Cells:
    """Some orders come late: they count in the total and in each way that it is split."""
    chance, later = Random(seed), dict(cells)
    for _ in range(5):
        month, authority = chance.choice(months_between(FIRST, MIDDLE)), chance.choice(SOME)
        for measure, category in (
            ("orders_imposed", ""),
            ("orders_imposed", chance.choice(["sex=male", "sex=female"])),
            ("first_contact", chance.choice(["band=within_1", "band=over_5"])),
        ):
            key = CellKey(measure, category, month, authority)
            later[key] = later.get(key, 0) + 1
    return later


class Attacker:
    """Unknown is each cell of each release, the same in both where it was not revised."""

    def __init__(self, given: list[tuple[date, Hiding]]) -> None:
        self._given = given
        self._columns: dict[tuple[int, CellKey], int] = {}
        for number, (last, _) in enumerate(given):
            for key in self._keys(last):
                self._columns[number, key] = self._column(number, key)
        rows = [*self._adding_up(), *self._told()]
        self._size = max(self._columns.values()) + 1
        matrix = lil_matrix((len(rows), self._size))
        for index, (weights, _, _) in enumerate(rows):
            for column, weight in weights.items():
                matrix[index, column] += weight
        self._constraint = LinearConstraint(matrix.tocsr(), [low for _, low, _ in rows], [high for *_, high in rows])

    def recovers(self, release: int, sum_: Form, areas: list[str], months: list[date]) -> bool:
        goal = np.zeros(self._size)
        for key in cells_of(sum_, areas, months):
            goal[self._columns[release, key]] += 1
        ends = []
        for sign in (1, -1):
            found = milp(
                sign * goal, constraints=self._constraint, bounds=Bounds(0, 10_000), integrality=np.ones(self._size)
            )
            assert found.status == 0, found.message
            ends.append(sign * found.fun)
        return bool(ends[1] - ends[0] < 1)

    def _keys(self, last: date) -> Iterator[CellKey]:
        for sum_ in FORMS:
            yield from cells_of(sum_, SOME, list(months_between(FIRST, last)))

    def _column(self, release: int, key: CellKey) -> int:
        held = self._columns.get((release, key))
        if held is not None:
            return held
        for before in range(release):
            same = self._given[before][1].cells.get(key, 0) == self._given[release][1].cells.get(key, 0)
            if same and (before, key) in self._columns:
                return self._columns[before, key]
        return len(set(self._columns.values()))

    def _adding_up(self) -> Iterator[tuple[dict[int, int], float, float]]:
        for number, (last, _) in enumerate(self._given):
            for month in months_between(FIRST, last):
                for area in SOME:
                    total = self._columns[number, CellKey("orders_imposed", "", month, area)]
                    for dimension in FAMILY.dimensions:
                        parts = [
                            self._columns[number, CellKey(dimension.measure, c, month, area)]
                            for c in dimension.categories
                        ]
                        least = 0.0 if dimension.exhaustive else -np.inf
                        yield {total: -1, **dict.fromkeys(parts, 1)}, least, 0.0

    def _told(self) -> Iterator[tuple[dict[int, int], float, float]]:
        for number, (last, hiding) in enumerate(self._given):
            for sum_, areas, area, month in places(last):
                if NumberKey(sum_.measure, sum_.grouping, f"{month:%Y-%m}", area) not in hiding.hidden:
                    keys = list(cells_of(sum_, areas, [month]))
                    value = float(sum(hiding.cells.get(key, 0) for key in keys))
                    yield {self._columns[number, key]: 1 for key in keys}, value, value


def cells_of(sum_: Form, areas: list[str], months: list[date]) -> Iterator[CellKey]:
    for category in sum_.categories:
        for month in months:
            for area in areas:
                yield CellKey(sum_.measure, category, month, area)


def places(last: date) -> Iterator[tuple[Form, list[str], str, date]]:
    for month in months_between(FIRST, last):
        for sum_ in FORMS:
            for area in SOME:
                yield sum_, [area], area, month
            yield sum_, SOME, SCOTLAND, month


def recovered(given: list[tuple[date, Hiding]], most: int) -> int:
    attacker, found, tried = Attacker(given), 0, 0
    for number, (last, hiding) in enumerate(given):
        small = [
            (sum_, areas, month)
            for sum_, areas, _, month in places(last)
            if 0 < sum(hiding.cells.get(key, 0) for key in cells_of(sum_, areas, [month])) <= SMALL_COUNT
        ]
        Random(number).shuffle(small)
        for sum_, areas, month in small[:most]:
            tried += 1
            found += attacker.recovers(number, sum_, areas, [month])
    assert tried
    return found


def released(seed: int) -> list[tuple[date, Hiding]]:
    cells = figures(seed)
    before = until(cells, MIDDLE)
    first = hide(before, MIDDLE, (), [FAMILY])
    earlier = Earlier(MIDDLE, first.cells, first.hidden, PUBLIC)
    second = hide(revised(cells, seed), LAST, [earlier], [FAMILY])
    return [(MIDDLE, first), (LAST, second)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_releases_together_give_nothing_away(seed: int) -> None:
    assert recovered(released(seed), most=12) == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_hidden_once_stays_hidden(seed: int) -> None:
    (_, first), (_, second) = released(seed)
    assert {key for key in first.hidden if len(key.period) == 7} <= second.hidden


def test_the_attack_works_where_a_release_forgets_the_one_before() -> None:
    found = 0
    for seed in range(4):
        cells = figures(seed)
        first = hide(until(cells, MIDDLE), MIDDLE, (), [FAMILY])
        second = hide(revised(cells, seed), LAST, (), [FAMILY])
        found += recovered([(MIDDLE, first), (LAST, second)], most=20)
    assert found > 0


def test_areas_are_in_the_order_of_codes() -> None:
    assert list(AREAS) == list(AUTHORITIES)
