"""Secondary suppression with costs: small numbers are hidden, and then the cheapest numbers from which they could be worked out."""

from collections.abc import Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, hstack, vstack

from tests.disclosure.attack import Known, Values, bounds
from tests.disclosure.findings import Findings
from tests.disclosure.tables import SHAPE, Counts, Kind, Numbers

Hidden = NDArray[np.bool_]
NAME = "suppression"
SMALL, WIDTH = 5, 5
"""Numbers from 1 to 4 are hidden, so that each has at least as many possible values as rounding to base 5 leaves it."""
WEIGHTS = {Kind.CATEGORY: 1, Kind.QUARTER: 10, Kind.AUTHORITY: 100, Kind.MONTH: 100, Kind.YEAR: 1000}
"""Scotland's numbers and the totals of authorities' years are hidden last."""
ATTACKED = 12
"""Of the small numbers of a split, so many are attacked, by chance: each takes a second."""


def is_small(values: Values) -> Hidden:
    """Return whether a number is one that must not be told."""
    return (values > 0) & (values < SMALL)


def some(which: Hidden) -> list[int]:
    """Return the places of some that are to be attacked."""
    places = [int(each) for each in np.flatnonzero(which)]
    return sorted(Random(0).sample(places, min(ATTACKED, len(places))))


def exactly(of: Numbers, values: Values, shown: Hidden) -> Known:
    """Return the knowledge that comes from numbers published as they are."""
    return Known(of.rows[np.flatnonzero(shown)], values[shown], values[shown])


def hidden(of: Numbers, values: Values) -> Hidden:
    """Return the numbers that are not published, so that no small number is known to within less than WIDTH."""
    cost = (values + 1) * np.array([WEIGHTS[kind] for kind in of.kinds])
    found = is_small(values)
    for at in np.flatnonzero(is_small(values)):
        while True:
            reached = bounds(exactly(of, values, ~found), of.rows[[at]])
            candidates = np.flatnonzero(~found)[reached.used]
            if reached.high - reached.low >= WIDTH or not len(candidates):
                break
            found[candidates[np.argmin(cost[candidates])]] = True
    return found


def suppressed(of: Numbers, counts: Sequence[Counts], found: Findings) -> None:
    """Note which numbers two releases hide, each by itself, and which can be worked out all the same."""
    values = [of.rows @ each for each in counts]
    gone = [hidden(of, each) for each in values]
    for kind, is_hidden in zip(of.kinds, gone[1], strict=True):
        found.add(NAME, f"hidden of {kind}", [is_hidden])
    moved = np.abs(values[1] - values[0])[~gone[0] & ~gone[1]]
    found.add(NAME, "numbers shown twice that tell a change of less than five", is_small(moved))
    for at in some(is_small(values[1])):
        alone = bounds(exactly(of, values[1], ~gone[1]), of.rows[[at]])
        found.add(NAME, "small numbers told by one release", [alone.is_told])
        found.add(NAME, "small numbers told by two releases", [_told_by_both(of, values, gone, at)])
        if of.names[at].area is not None:
            found.add(NAME, "small numbers told to two authorities", [_told_to_two(of, counts[1], gone[1], at)])


def _told_to_two(of: Numbers, counts: Counts, gone: Hidden, at: int) -> bool:
    """Return the knowledge of the two authorities whose hidden numbers beside this one are largest; they know all of their own."""
    values, victim = of.rows @ counts, of.names[at]
    beside = [n for n, name in enumerate(of.names) if gone[n] and n != at and name == victim._replace(area=name.area)]
    pair = [of.names[n].area or 0 for n in sorted(beside, key=lambda n: -values[n])[:2]]
    own = np.flatnonzero(np.isin(np.arange(len(counts)) // (len(counts) // SHAPE[0]), pair))
    public = exactly(of, values, ~gone)
    exact = np.concatenate([public.low, counts[own]])
    known = csr_array(vstack([public.rows, csr_array(eye_array(len(counts)))[own]]))
    return bounds(Known(known, exact, exact), of.rows[[at]]).is_told


def _told_by_both(of: Numbers, values: Sequence[Values], gone: Sequence[Hidden], at: int) -> bool:
    """Return the knowledge of those who know that late events only add."""
    first, second = (exactly(of, value, ~hides) for value, hides in zip(values, gone, strict=True))
    rows = csr_array(vstack([hstack([first.rows, csr_array(first.rows.shape)]), hstack([second.rows, second.rows])]))
    exact = np.concatenate([first.low, second.low])
    return bounds(Known(rows, exact, exact), csr_array(hstack([of.rows[[at]]] * 2))).is_told
