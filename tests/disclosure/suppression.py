"""Secondary suppression with costs: small numbers are hidden, and then the cheapest numbers from which they could be worked out."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, hstack, vstack

from services.reporting.disclosure.rounding import AREAS
from tests.disclosure.attack import Known, Values, bounds, without_nothing
from tests.disclosure.findings import Findings
from tests.disclosure.tables import Counts, Kind, Numbers

Hidden = NDArray[np.bool_]
NAME = "suppression"
SMALL, WIDTH = 5, 5
"""Numbers from 1 to 4 are hidden, so that each has at least as many possible values as rounding to base 5 leaves it."""
WEIGHTS = {Kind.CATEGORY: 1, Kind.QUARTER: 10, Kind.AUTHORITY: 100, Kind.MONTH: 100, Kind.YEAR: 1000}
"""Scotland's numbers and the totals of authorities' years are hidden last."""
ATTACKED = 4
"""Of the small numbers of one year of a split, so many are attacked, by chance."""


class Shown(NamedTuple):
    """A year as one release shows it."""

    of: Numbers
    counts: Counts
    """What happened, by authority, month and category."""
    hidden: Hidden

    @property
    def values(self) -> Values:
        values: Values = self.of.rows @ self.counts.reshape(-1)
        return values

    @property
    def told(self) -> Known:
        """Return what is known of numbers that are published as they are."""
        shown = ~self.hidden
        return Known(self.of.rows[np.flatnonzero(shown)], self.values[shown], self.values[shown])


def is_small(values: Values) -> Hidden:
    """Return what must not be told."""
    return (values > 0) & (values < SMALL)


def some(which: Hidden) -> list[int]:
    """Places of some that are to be attacked."""
    places = [int(each) for each in np.flatnonzero(which)]
    return sorted(Random(0).sample(places, min(ATTACKED, len(places))))


def suppressed(of: Numbers, counts: Counts) -> Shown:
    """Hide numbers until no small one is known to within less than WIDTH."""
    values = of.rows @ counts.reshape(-1)
    cost = (values + 1) * np.array([WEIGHTS[kind] for kind in of.kinds])
    found = Shown(of, counts, is_small(values))
    for at in np.flatnonzero(is_small(values)):
        while True:
            reached = bounds(found.told, of.rows[[at]])
            candidates = np.flatnonzero(~found.hidden)[reached.used]
            if reached.high - reached.low >= WIDTH or not len(candidates):
                break
            found.hidden[candidates[np.argmin(cost[candidates])]] = True
    return found


def attacked(releases: Sequence[Shown], found: Findings) -> None:
    """Find what the newest of these releases of one year hides, and what can be worked out all the same.

    Of a year that did not change there is only one.
    """
    now = releases[-1]
    for kind, is_hidden in zip(now.of.kinds, now.hidden, strict=True):
        found.add(NAME, f"hidden of {kind}", [is_hidden])
    for before, after in pairwise(releases):
        found.add(NAME, "changes by one to four that are shown", _changes_shown(before, after))
    for at in some(is_small(now.values)):
        target = now.of.rows[[at]]
        found.add(NAME, "small numbers told by the newest release", [bounds(now.told, target).is_told])
        if len(releases) > 1:
            reached = bounds(*without_nothing(*together(releases, target)))
            found.add(NAME, "small numbers told by successive releases, of years that changed", [reached.is_told])
        if now.of.names[at].area is not None:
            found.add(NAME, "small numbers told to two authorities", [_told_to_two(now, at)])


def _changes_shown(before: Shown, after: Shown) -> list[bool]:
    """Return of each number that changed a little whether both releases show it."""
    then, now = _places(before, after)
    changed = is_small(after.values[now] - before.values[then])
    return list((~before.hidden[then] & ~after.hidden[now])[changed])


def _places(before: Shown, after: Shown) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return of each number of both its place in one and in the other."""
    places = {name: n for n, name in enumerate(after.of.names)}
    pairs = [(n, places[name]) for n, name in enumerate(before.of.names) if name in places]
    then, now = np.array(pairs).T
    return then, now


def _told_to_two(now: Shown, at: int) -> bool:
    """Return whether it is told to the two authorities whose hidden numbers beside this one are largest; they know all of their own."""
    of, values, victim = now.of, now.values, now.of.names[at]
    beside = [
        n for n, name in enumerate(of.names) if now.hidden[n] and n != at and name == victim._replace(area=name.area)
    ]
    pair = [of.names[n].area or 0 for n in sorted(beside, key=lambda n: -values[n])[:2]]
    counts, public = now.counts.reshape(-1), now.told
    own = np.flatnonzero(np.isin(np.arange(len(counts)) // (len(counts) // len(AREAS)), pair))
    exact = np.concatenate([public.low, counts[own]])
    known = csr_array(vstack([public.rows, csr_array(eye_array(len(counts)))[own]]))
    return bounds(*without_nothing(Known(known, exact, exact), of.rows[[at]])).is_told


def together(releases: Sequence[Shown], target: csr_array) -> tuple[Known, csr_array]:
    """Return what all releases tell whoever knows that what comes late only adds, and the number as the newest has it.

    Unknown are the counts of the first, and then what each added.
    """
    rows, exact = [], []
    for n, release in enumerate(releases):
        again = _shown_before(releases[n - 1], release) if n else np.full(len(release.hidden), np.nan)
        fresh, known = (np.flatnonzero(~release.hidden & which) for which in (np.isnan(again), ~np.isnan(again)))
        rows.append(_over(releases, release.of.rows[fresh], 0, n))
        rows.append(_over(releases, release.of.rows[known], n, n))
        exact += [release.values[fresh], (release.values - again)[known]]
    values = np.concatenate(exact)
    return Known(csr_array(vstack(rows)), values, values), _over(releases, target, 0, len(releases) - 1)


def _shown_before(before: Shown, after: Shown) -> Values:
    """Return what the release before showed of each number, NaN where it showed nothing."""
    then, now = _places(before, after)
    found = np.full(len(after.hidden), np.nan)
    found[now] = np.where(before.hidden, np.nan, before.values)[then]
    return found


def _over(releases: Sequence[Shown], rows: csr_array, since: int, until: int) -> csr_array:
    """Return sums of the release at `until`, over what each release added, from that at `since` on."""
    shape = releases[until].counts.shape
    places = np.arange(rows.shape[1]).reshape(shape)
    blocks = [
        rows[:, places[:, : each.counts.shape[1]].reshape(-1)]
        if since <= n <= until
        else csr_array((rows.shape[0], each.counts.size))
        for n, each in enumerate(releases)
    ]
    return csr_array(hstack(blocks))
