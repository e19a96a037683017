"""An attacker with linear and integer programming: what can be worked out from the numbers that are shown?"""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_matrix

from services.reporting.disclosure.alternative_tables import ALL, Number, Split, Table


def recovered(table: Table, number: Number, insider: int | None = None) -> bool:
    """Whether the shown numbers, and an authority's own, leave only one possible value for this one."""
    attacker = Attacker(table, insider)
    lowest, highest = attacker.extreme(number, 1), attacker.extreme(number, -1)
    return highest - lowest < table.step


class Attacker:
    """Unknown are all values; known is every number that is not hidden, and that totals are the sum of their parts."""

    def __init__(self, table: Table, insider: int | None = None) -> None:
        self._table = table
        starts = np.cumsum([0, *(split.values.size for split in table.splits)])
        self._columns = [
            np.arange(start, end).reshape(split.values.shape)
            for start, end, split in zip(starts, starts[1:], table.splits, strict=False)
        ]
        self._size = int(starts[-1])
        rows = [*self._adding_up(), *self._shown(), *(self._own(insider) if insider is not None else ())]
        matrix = lil_matrix((len(rows), self._size))
        for index, (weights, _) in enumerate(rows):
            for column, weight in weights.items():
                matrix[index, column] = weight
        known = [value for _, value in rows]
        self._constraint = LinearConstraint(matrix.tocsr(), known, known)
        lowest = np.concatenate([np.minimum(split.values, 0).ravel() for split in table.splits])
        self._bounds = Bounds(lowest, np.inf)

    def extreme(self, number: Number, sign: int) -> float:
        """The least (1) or greatest (-1) value that the number can have."""
        goal = np.zeros(self._size)
        for column in self._cells(number):
            goal[column] = sign
        found = milp(goal, constraints=self._constraint, bounds=self._bounds, integrality=np.ones(self._size))
        # The real table fits, so where the solver cannot tell "unbounded or infeasible" apart, it is unbounded.
        if found.status == 3 or "unbounded or infeasible" in found.message:
            return -sign * np.inf
        assert found.status == 0, found.message
        return sign * float(found.fun)

    def _cells(self, number: Number) -> list[int]:
        columns = self._columns[number.split][:, :, self._table.splits[number.split].forms[number.form]]
        areas = slice(None) if number.area == ALL else [number.area]
        months = slice(None) if number.month == ALL else [number.month]
        return [int(column) for column in columns[areas][:, months].ravel()]

    def _adding_up(self) -> Iterator[tuple[dict[int, int], int]]:
        total = self._columns[0][:, :, 0]
        for columns in self._columns[1:]:
            for place in np.ndindex(total.shape):
                yield {int(total[place]): -1, **{int(column): 1 for column in columns[place]}}, 0

    def _shown(self) -> Iterator[tuple[dict[int, int], int]]:
        for index, split in enumerate(self._table.splits):
            sums = split.sums(split.values)
            for form, area, month in np.argwhere(~split.hidden):
                if month == sums.shape[2] - 1 and not self._table.complete:
                    continue
                if not is_published(split, int(form)):
                    continue
                area_, month_ = (
                    ALL if i == n - 1 else int(i) for i, n in ((area, sums.shape[1]), (month, sums.shape[2]))
                )
                cells = self._cells(Number(index, int(form), area_, month_))
                yield dict.fromkeys(cells, 1), int(sums[form, area, month])

    def _own(self, insider: int) -> Iterator[tuple[dict[int, int], int]]:
        for columns, split in zip(self._columns, self._table.splits, strict=True):
            for column, value in zip(columns[insider].ravel(), split.values[insider].ravel(), strict=True):
                yield {int(column): 1}, int(value)


def is_published(split: Split, form: int) -> bool:
    """The rest is a sum that nobody publishes."""
    return not (split.rest and split.forms[form, -1])
