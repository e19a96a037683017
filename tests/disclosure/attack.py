"""The least and the most that a hidden number can be, worked out from all that is published by linear programming."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

Values = NDArray[np.float64]
NEAR = 1e-6


class Known(NamedTuple):
    """Sums of the counts that somebody knows to lie between two values."""

    rows: csr_array
    low: Values
    high: Values


class Bounds(NamedTuple):
    """The least and the most that a number can be."""

    low: int
    high: int
    used: NDArray[np.bool_]
    """Of the known sums, those without which it could be less or more."""

    @property
    def is_told(self) -> bool:
        return self.low == self.high


def bounds(known: Known, target: csr_array) -> Bounds:
    """Return the bounds of a number, given that counts are whole and never negative."""
    aim = target.toarray().reshape(-1)
    ends, used = [], np.zeros(known.rows.shape[0], dtype=bool)
    exact = known.low == known.high
    equal, loose = np.flatnonzero(exact), np.flatnonzero(~exact)
    sides = (known.rows[loose], -known.rows[loose])
    for sign in (1, -1):
        found = linprog(
            sign * aim,
            A_eq=known.rows[equal] if len(equal) else None,
            b_eq=known.low[equal] if len(equal) else None,
            A_ub=csr_array(np.vstack([each.toarray() for each in sides])) if len(loose) else None,
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
    return Bounds(int(np.ceil(low - NEAR)), 10**9 if high == np.inf else int(np.floor(high + NEAR)), used)
