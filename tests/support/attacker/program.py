"""An integer program over the cells of all releases: does what is known leave only one value for a number?"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
MOST = 1e7
"""Greater than any cell."""
TRIES = 12
"""Solutions that are looked for many numbers at once, before each is looked at alone."""


class Cell(NamedTuple):
    """A cell of a release. What every release has in common is written as release -1."""

    release: int
    measure: str
    category: str
    month: str
    area: str


Weights = Mapping[Cell, float]


class Target(NamedTuple):
    """A number that nobody may work out, and by how much it must be uncertain."""

    name: str
    weights: Weights
    step: float = 1


@dataclass
class Program:
    """What is known about the cells. `truth` tells what they are: nothing that is known may contradict it."""

    truth: Callable[[Cell], int]
    columns: dict[Cell, int] = field(default_factory=dict)
    rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)

    def says(self, weights: Weights, lowest: float, highest: float) -> None:
        """The weighted sum of these cells lies between."""
        is_now = self.value(weights)
        assert lowest - 1e-6 <= is_now <= highest + 1e-6, f"not true: {list(weights)[:3]} {lowest} {is_now} {highest}"
        self.rows.append(({self._column(cell): weight for cell, weight in weights.items()}, lowest, highest))

    def value(self, weights: Weights) -> float:
        """What the sum is in truth."""
        return sum(weight * self.truth(cell) for cell, weight in weights.items())

    def recovered(self, targets: Iterable[Target], *, one_is_enough: bool = False) -> list[Target]:
        """The targets that have but one possible value; or one of them, which is quicker."""
        wanted, state = self._wanted(targets), self._solved()
        found = [target for target, columns in wanted if all(state.known[column] for column in columns)]
        if one_is_enough:
            return found[:1]
        uncertain: set[str] = set()
        for part, group in state.by_part(wanted).items():
            still = [each for each in group if each[0].name not in uncertain]
            if still:
                uncertain |= state.part(part).uncertain(still)
        return [target for target, _ in wanted if target.name not in uncertain]

    def pinned(self, targets: Iterable[Target], learn: Callable[[], None]) -> bool:
        """Whether what is learnt leaves one value for a target that had several before, fractions among them."""
        wanted = self._wanted(targets)
        before = self._solved()
        learn()
        after = self._solved()
        return any(not after.leaves_room(*each) and before.leaves_room(*each) for each in wanted)

    def _wanted(self, targets: Iterable[Target]) -> "list[Wanted]":
        return [(target, {self._column(cell): w for cell, w in target.weights.items()}) for target in targets]

    def _solved(self) -> "_Solved":
        matrix, lowest, highest = self._matrix()
        known, values = _presolved(matrix, lowest, highest)
        truth = np.array([self.truth(cell) for cell in self.columns], np.float64)
        return _Solved(matrix, lowest, highest, known, values, _parts(matrix, ~known), truth, {})

    def _column(self, cell: Cell) -> int:
        return self.columns.setdefault(cell, len(self.columns))

    def _matrix(self) -> tuple[Any, Floats, Floats]:
        entries = [(r, c, w) for r, (weights, _, _) in enumerate(self.rows) for c, w in weights.items()]
        places, columns, weights = zip(*entries, strict=True)
        matrix = csr_matrix((weights, (places, columns)), (len(self.rows), len(self.columns)))
        return matrix, np.array([low for _, low, _ in self.rows]), np.array([high for *_, high in self.rows])


def _presolved(matrix: Any, lowest: Floats, highest: Floats) -> tuple[Bools, Floats]:
    """What follows at once: the last unknown of an equation, and all of those that add up to nothing."""
    size = matrix.shape[1]
    known, values = np.zeros(size, np.bool_), np.zeros(size)
    pattern = matrix.copy()
    pattern.data = np.ones_like(pattern.data)
    positive = np.asarray(matrix.min(axis=1).todense()).ravel() >= 0
    exact = highest - lowest < 1e-6
    while True:
        count = pattern @ (~known).astype(np.float64)
        left = highest - matrix @ values
        before = int(known.sum())
        for row in np.flatnonzero((count > 0) & exact & ((count == 1) | (positive & (np.abs(left) < 1e-6)))):
            part = slice(matrix.indptr[row], matrix.indptr[row + 1])
            for column, weight in zip(matrix.indices[part], matrix.data[part], strict=True):
                if not known[column]:
                    known[column] = True
                    values[column] = round(left[row] / weight) if count[row] == 1 else 0
        if int(known.sum()) == before:
            return known, values


def _parts(matrix: Any, unknown: Bools) -> Any:
    """Which unknowns have to do with each other, however remotely."""
    masked = matrix.multiply(unknown[None, :]).tocsr()
    masked.eliminate_zeros()
    rows, columns = masked.shape
    coordinates = masked.tocoo()
    graph = csr_matrix(
        (np.ones(len(coordinates.row)), (coordinates.row + columns, coordinates.col)), (rows + columns, rows + columns)
    )
    _, found = connected_components(graph, directed=False)
    return np.asarray(found[:columns], np.int32)


Wanted = tuple[Target, dict[int, float]]


class _Solved(NamedTuple):
    """All that is known, after what follows at once."""

    matrix: Any
    lowest: Floats
    highest: Floats
    known: Bools
    values: Floats
    parts: Any
    truth: Floats
    made: dict[int, "_Part"]

    def by_part(self, wanted: Iterable[Wanted]) -> dict[int, list[Wanted]]:
        """Each under every part in which some of it is unknown."""
        found: dict[int, list[Wanted]] = {}
        for target, columns in wanted:
            for part in self.concerned(columns):
                found.setdefault(part, []).append((target, columns))
        return found

    def concerned(self, columns: Iterable[int]) -> set[int]:
        """The parts in which some of these are unknown."""
        return {int(self.parts[column]) for column in columns if not self.known[column]}

    def leaves_room(self, target: Target, columns: Mapping[int, float]) -> bool:
        """Whether the target has more than one value, fractions among them."""
        return any(self.part(number).leaves_room(target, columns) for number in self.concerned(columns))

    def part(self, number: int) -> "_Part":
        if number not in self.made:
            columns = np.flatnonzero(~self.known & (self.parts == number))
            self.made[number] = _Part(
                self.matrix, self.lowest, self.highest, self.known, self.values, columns, self.truth
            )
        return self.made[number]


class _Part:
    """The unknowns that hang together."""

    def __init__(  # noqa: PLR0917
        self, matrix: Any, lowest: Floats, highest: Floats, known: Bools, values: Floats, columns: Any, truth: Floats
    ) -> None:
        mine = matrix[:, columns]
        rows = np.flatnonzero(np.diff(mine.indptr))
        told = matrix[rows] @ np.where(known, values, 0.0) + mine[rows] @ truth[columns]
        # What is looked for is how far a world is from the truth: the truth itself is then always found.
        self._constraint = LinearConstraint(mine[rows], lowest[rows] - told, highest[rows] - told)
        near = np.maximum(6.0, 0.3 * truth[columns])
        self._near = Bounds(-np.minimum(near, truth[columns]), near)
        self._any = Bounds(-truth[columns], MOST)
        self._place = {int(column): place for place, column in enumerate(columns)}
        self._chance = np.random.default_rng(1)

    def uncertain(self, wanted: Sequence[Wanted]) -> set[str]:
        """First looks for worlds in which many of them differ from the truth, then at each alone."""
        goals = [(target, self._goal(columns)) for target, columns in wanted]
        names = {target.name for target, _ in goals}
        for _ in range(TRIES):
            if not goals:
                return names
            signs = self._chance.choice((-1.0, 1.0), len(goals))
            weights = signs * self._chance.uniform(0.5, 1.5, len(goals)) / [target.step for target, _ in goals]
            world = self._solve(np.sum([w * goal for w, (_, goal) in zip(weights, goals, strict=True)], axis=0))
            goals = [(target, goal) for target, goal in goals if not self._differs(target, goal, world)]
        return names - {target.name for target, goal in goals if self._has_one_value(target, goal)}

    def leaves_room(self, target: Target, columns: Mapping[int, float]) -> bool:
        """Whether fractions do."""
        goal, room = self._goal(columns), 0.0
        for sign in (-1, 1):  # the truth, which is nothing here, lies between the two
            room += abs(float(goal @ self._once(sign * goal, self._any, whole=False)))
            if room >= target.step - 1e-6:
                return True
        return False

    def _goal(self, columns: Mapping[int, float]) -> Floats:
        goal = np.zeros(len(self._place))
        for column, weight in columns.items():
            if column in self._place:
                goal[self._place[column]] += weight
        return goal

    def _differs(self, target: Target, goal: Floats, world: Floats) -> bool:
        return abs(float(goal @ world)) >= target.step - 1e-6

    def _has_one_value(self, target: Target, goal: Floats) -> bool:
        if any(self._differs(target, goal, self._solve(sign * goal)) for sign in (-1, 1)):
            return False
        return not any(self._differs(target, goal, self._once(sign * goal, self._any, whole=True)) for sign in (-1, 1))

    def _solve(self, cost: Floats) -> Floats:
        """The world of least cost near the truth; fractions are tried first, since they often come out whole."""
        found = self._once(cost, self._near, whole=False)
        if np.abs(found - np.round(found)).max() > 1e-5:
            found = self._once(cost, self._near, whole=True)
        return np.round(found)

    def _once(self, cost: Floats, bounds: Bounds, *, whole: bool) -> Floats:
        options = {"mip_rel_gap": 0.2, "time_limit": 3.0}
        integrality = np.full(len(cost), int(whole))
        found = milp(cost, constraints=self._constraint, bounds=bounds, integrality=integrality, options=options)
        world: Floats = np.zeros(len(cost)) if found.x is None else found.x
        return world
