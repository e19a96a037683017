"""Measure how much each way to protect public figures hides, how far it errs and what it reveals: `python -m tests.disclosure`.

All ways are tried on the same tables of one year of the pretend nation, released twice: every number of Scotland's months and year,
and of authorities' quarters and year, whole and by category. Each split of a total stands by itself, in favour of suppression, which
would have to hide the same total in all of them. The measurement takes six minutes of one processor.
"""

import numpy as np

from services.reporting.disclosure.linked_tables import NATIONAL_ONLY
from services.reporting.disclosure.rounding import Cells, Earlier, rounded
from tests.disclosure.findings import Findings, errs
from tests.disclosure.noise import rounded_each, with_cell_keys
from tests.disclosure.releases import LAST, releases
from tests.disclosure.suppression import suppressed
from tests.disclosure.tables import numbers, splits

SEED, KEY, ANOTHER = 1, b"a key of the measurement", b"another"
CONTROLLED = "controlled rounding"
ALL = frozenset(NATIONAL_ONLY)


def main() -> None:
    """Print each finding: a share or a mean, and of how many."""
    before, after = releases(SEED)
    public = in_turn(before, after, KEY)
    found, chance = Findings(), np.random.default_rng(SEED)
    for split in splits():
        counts = [split.counts(each) for each in (before, after)]
        if counts[1].any():
            of = numbers(split)
            print(f"{split.categories[0]} and {len(split.categories) - 1} more", flush=True)
            suppressed(of, counts, found)
            rounded_each(of, of.rows @ counts[1], chance, found)
            with_cell_keys(of, of.rows @ counts[1], chance, found)
            errs(CONTROLLED, of, of.rows @ counts[1], of.rows @ split.counts(public[1]), found)
    again = in_turn(*public, ANOTHER)
    told = [shown != same for shown, same in zip(public, again, strict=True)]
    found.add(CONTROLLED, "releases that could not themselves be the truth", told)
    print(found)


def in_turn(before: Cells, after: Cells, key: bytes) -> tuple[Cells, Cells]:
    """Return the published cells of both releases, made one after the other."""
    first = rounded(before, LAST, key)
    return first, rounded(after, LAST, key, Earlier(before, first, ALL))


if __name__ == "__main__":
    main()
