"""Works out what is told of a number from all that is published: the least and the most that it can be, by linear programming."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

Values = NDArray[np.float64]
NEAR = 1e-6
WITHOUT_BOUND = 10**9


class Known(NamedTuple):
    """Sums of the counts that somebody knows to lie between two values."""

    rows: csr_array
    low: Values
    high: Values


class Bounds(NamedTuple):
    """The values that a number can have."""

    low: int
    high: int
    used: NDArray[np.bool_]
    """Of the known sums, those without which it could be less or more."""

    @property
    def is_told(self) -> bool:
        return self.low == self.high

    def is_known_to_be_small(self, most: int) -> bool:
        """Return whether it must be one at least, and no more than this."""
        return self.low > 0 and self.high <= most


def bounds(known: Known, target: csr_array) -> Bounds:
    """Return the least and the most of the target, by counts that are whole and no less than nothing."""
    rows, aim = known.rows, target.toarray().reshape(-1)
    used = np.zeros(rows.shape[0], dtype=bool)
    exact = known.low == known.high
    equal, loose = np.flatnonzero(exact), np.flatnonzero(~exact)
    ends = []
    for sign in (1, -1):
        found = linprog(
            sign * aim,
            A_eq=rows[equal] if len(equal) else None,
            b_eq=known.low[equal] if len(equal) else None,
            A_ub=vstack([rows[loose], -rows[loose]]) if len(loose) else None,
            b_ub=np.concatenate([known.high[loose], -known.low[loose]]) if len(loose) else None,
            method="highs",
        )
        if found.status == 3:
            ends.append(np.inf)
            continue
        assert found.status == 0, found.message
        ends.append(sign * found.fun)
        if len(equal):
            used[equal] |= np.abs(found.eqlin.marginals) > NEAR
    low, high = ends
    return Bounds(int(np.ceil(low - NEAR)), WITHOUT_BOUND if high == np.inf else int(np.floor(high + NEAR)), used)


def without_nothing(known: Known, target: csr_array) -> tuple[Known, csr_array]:
    """Return the same question without the counts that are in a sum of nothing, of which there are many."""
    nothing = np.flatnonzero(known.high <= 0)
    there = np.flatnonzero((known.rows[nothing] != 0).sum(axis=0) == 0)
    rows = csr_array(known.rows[:, there])
    kept = np.flatnonzero(np.diff(rows.indptr))
    return Known(rows[kept], known.low[kept], known.high[kept]), csr_array(target[:, there])
