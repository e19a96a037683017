"""Which refused events of a day are kept as they came, and which are only counted. Pure.

A batch of 640 KB in Kafka may hold half a million records that are no events, and a row for each would fill the disk.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

KEPT_A_DAY = 64 * 1024 * 1024
"""How many bytes of refused events are kept of one authority and day: its first ones, until they are as many."""
ROWS_BYTES = 1024
"""How much a refused event counts besides its key and value: about what its rows and their indexes take."""


class RefusedEvent(NamedTuple):
    """One refused event, by its authority and its place in the authority's topic."""

    authority: str
    day: date
    reason: str
    offset: int
    size: int
    """How many bytes of it would be kept."""


class Key(NamedTuple):
    """Refused events that are counted together."""

    authority: str
    day: date
    reason: str


@dataclass(frozen=True, slots=True)
class Tally:
    """The refused events of one authority, day and reason."""

    kept: int = 0
    """How many bytes were kept."""
    counted: int = 0
    """How many events are only counted."""
    first: int | None = None
    """The offset of the first of those."""
    last: int | None = None

    def with_kept(self, size: int) -> "Tally":
        """Return the tally after one more event that is kept."""
        return Tally(self.kept + size, self.counted, self.first, self.last)

    def with_counted(self, offset: int) -> "Tally":
        """Return the tally after one more event that is only counted; offsets rise."""
        return Tally(self.kept, self.counted + 1, offset if self.first is None else self.first, offset)


class Rationed(NamedTuple):
    """The decision about some refused events."""

    counted: frozenset[tuple[str, int]]
    """Those that are only counted, by authority and offset."""
    tallies: Mapping[Key, Tally]
    """The tallies that changed."""


def ration(before: Mapping[Key, Tally], refused: Iterable[RefusedEvent]) -> Rationed:
    """Decide about refused events, those of one authority in the order of the log. It does not matter where batches end.

    `before` has every tally of their authorities and days.
    """
    spent: Counter[tuple[str, date]] = Counter()
    for key, tally in before.items():
        spent[key.authority, key.day] += tally.kept
    tallies: dict[Key, Tally] = {}
    counted = set[tuple[str, int]]()
    for one in refused:
        key = Key(one.authority, one.day, one.reason)
        tally = tallies.get(key) or before.get(key) or Tally()
        if spent[one.authority, one.day] < KEPT_A_DAY:
            size = ROWS_BYTES + one.size
            spent[one.authority, one.day] += size
            tallies[key] = tally.with_kept(size)
        else:
            counted.add((one.authority, one.offset))
            tallies[key] = tally.with_counted(one.offset)
    return Rationed(frozenset(counted), tallies)
