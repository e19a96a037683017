"""Measures what each way to protect public figures hides, how far it errs and what it gives away: `python -m tests.disclosure`.

All on the same tables of ten years of the pretend nation, released twelve times, a month apart: every number of Scotland's months
and years, and of authorities' quarters and years, whole and by category. Each split of a total stands by itself, in favour of
suppression, which would have to hide the same total in all of them. Suppression, and attacks by linear programming, are tried on
one split in three (`EACH`), in three years (`TRIED`): one that is the same in all releases, and the two that change. Of the small
numbers of each of these tables four are attacked, by chance (`ATTACKED`). Nothing else is sampled.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np

from services.reporting.disclosure.linked_tables import NATIONAL_ONLY
from services.reporting.disclosure.rounding import NOTHING_EARLIER, Cells, Earlier, rounded
from tests.disclosure.attack import Values
from tests.disclosure.findings import Findings, errs
from tests.disclosure.noise import rounded_each, successive, told, with_cell_keys
from tests.disclosure.releases import MONTHS, RELEASES, releases
from tests.disclosure.suppression import Shown, attacked, suppressed
from tests.disclosure.tables import YEAR, Counts, Split, numbers, splits

SEED, KEY, ANOTHER = 1, b"a key of the measurement", b"another"
CONTROLLED = "controlled rounding"
ALL = frozenset(NATIONAL_ONLY)
LEAST_SHOWN = 10
"""Rounded figures below this are not shown."""


TRIED, EACH = (3, 8, 9), 3
"""Years from the first one on: 2019-20, and the two of which something still comes late; and one split of so many."""


class Task(NamedTuple):
    """One year of one split, as each release that has a month of it knows it and shows it rounded."""

    split: Split
    year: int
    happened: tuple[Counts, ...]
    public: tuple[Counts, ...]
    tried: bool


def main() -> None:
    """Print each finding: a share or a mean, and of how many."""
    found = Findings()
    with ProcessPoolExecutor() as workers:
        happened = releases(SEED, workers)
        print(f"{len(happened[-1]):,} cells in the newest of {len(happened)} releases", flush=True)
        public = in_turn(happened, KEY)
        found.add(CONTROLLED, "releases that could themselves be the truth", could_be(public))
        all_tasks = list(tasks(happened, public))
        for done, own in enumerate(workers.map(of_year, all_tasks), 1):
            found.join(own)
            print(f"{done} of {len(all_tasks)} years of splits", end="\r", flush=True)
    print(f"\n{found}")


def in_turn(happened: Sequence[Cells], key: bytes) -> list[Cells]:
    """Return what is published of each release, one after the other."""
    public: list[Cells] = []
    before = NOTHING_EARLIER
    for last, cells in zip(RELEASES, happened, strict=True):
        public.append(rounded(cells, last, key, before))
        before = Earlier(cells, public[-1], ALL)
    return public


def could_be(public: Sequence[Cells]) -> Iterator[bool]:
    """Yield whether each release would be published as it was if it were the truth, by another key."""
    return (shown == same for shown, same in zip(public, in_turn(public, ANOTHER), strict=True))


def tasks(*worlds: Sequence[Cells]) -> Iterator[Task]:
    """Yield each year of each split of which anything is told."""
    for number, split in enumerate(splits()):
        counts = [[split.counts(cells, MONTHS) for cells in world] for world in worlds]
        for year in range(len(MONTHS) // YEAR):
            if counts[0][-1][:, year * YEAR :][:, :YEAR].any():
                happened, public = (tuple(_of_year(year, each)) for each in counts)
                yield Task(split, year, happened, public, tried=year in TRIED and number % EACH == 0)


def _of_year(year: int, releases: Sequence[Counts]) -> Iterator[Counts]:
    for last, counts in zip(RELEASES, releases, strict=True):
        months = min(MONTHS.index(last) + 1 - year * YEAR, YEAR)
        if months > 0:
            yield counts[:, year * YEAR : year * YEAR + months]


def of_year(task: Task) -> Findings:
    """Find what each way to protect shows of the year, and tells."""
    found, chance = Findings(), np.random.default_rng([SEED, task.year, *task.split.categories[0][1].encode()])
    split, of = task.split, numbers(task.split, YEAR)
    happened, public = ([_values(split, each) for each in world] for world in (task.happened, task.public))
    noisy = rounded_each(of, happened, chance, found), with_cell_keys(of, happened, chance, found)
    if task.tried:
        attacked(_suppressed(task), found)
        for option, known in noisy:
            told(option, of, known, happened[-1], found)
    errs(CONTROLLED, of, happened[-1], public[-1], found)
    for kind, value in zip(of.kinds, public[-1], strict=True):
        found.add(CONTROLLED, f"below {LEAST_SHOWN} of {kind}", [value < LEAST_SHOWN])
    successive(CONTROLLED, happened[-1], public, found)
    return found


def _suppressed(task: Task) -> list[Shown]:
    """Return the releases that show the year each in another way."""
    shown: list[Shown] = []
    for counts in task.happened:
        if not shown or not np.array_equal(counts, shown[-1].counts):
            shown.append(suppressed(numbers(task.split, counts.shape[1]), counts))
    return shown


def _values(split: Split, counts: Counts) -> Values:
    """Return the numbers of the whole year; NaN for those that a release does not show yet."""
    of, so_far = numbers(split, YEAR), numbers(split, counts.shape[1])
    values = dict(zip(so_far.names, so_far.rows @ counts.reshape(-1), strict=True))
    return np.array([values.get(name, np.nan) for name in of.names])


if __name__ == "__main__":
    main()
