"""The numbers of a source's own counter that arrived, pure: the highest number and the gaps below it.

A gap belongs to the month of the next higher number, so the state depends on which numbers arrived and not on their order.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from zlib import crc32

MOST_MISSING = 1_000_000


class Gap(NamedTuple):
    """Numbers that are missing, both ends included."""

    first: int
    last: int
    month: date
    """The month of the event with the number after `last`."""

    @property
    def size(self) -> int:
        return self.last - self.first + 1

    @property
    def counted(self) -> int:
        """Return how many numbers count as missing, limited so that one absurd number does not count more than anybody could have sent."""
        return min(self.size, MOST_MISSING)


@dataclass(slots=True)
class Numbers:
    """The numbers of one source."""

    highest: int = 0
    gaps: list[Gap] = field(default_factory=list)
    """The gaps in order."""


Change = Counter[tuple[date, str]]
"""By month, and `received` or `missing`."""


def receive(numbers: Numbers, came: Iterable[tuple[int, date]]) -> Change:
    """Add numbers with the months of their events, in place. A number that came before changes nothing."""
    change: Change = Counter()
    for number, month in sorted(came):
        if number > numbers.highest:
            _put(numbers, len(numbers.gaps), Gap(numbers.highest + 1, number - 1, month), change)
            numbers.highest = number
        elif not _fill(numbers, number, month, change):
            continue
        change[month, "received"] += 1
    return change


def _fill(numbers: Numbers, number: int, month: date, change: Change) -> bool:
    """Split the gap in which the number lies. Returns False if it lies in none."""
    at = bisect_right(numbers.gaps, number, key=lambda gap: gap.first) - 1
    if at < 0 or numbers.gaps[at].last < number:
        return False
    gap = numbers.gaps.pop(at)
    change[gap.month, "missing"] -= gap.counted
    _put(numbers, at, Gap(number + 1, gap.last, gap.month), change)
    _put(numbers, at, Gap(gap.first, number - 1, month), change)
    return True


def _put(numbers: Numbers, at: int, gap: Gap, change: Change) -> None:
    if gap.size:
        numbers.gaps.insert(at, gap)
        change[gap.month, "missing"] += gap.counted


BLOCK = 256
"""How many numbers have their marks kept together."""
_MARK = 4
_NOBODY, _SEVERAL = bytes(_MARK), b"\xff" * _MARK
Numbered = tuple[str, str, int]
"""Authority, system and number."""
Blocks = dict[Numbered, bytearray]
"""Marks by authority, system and block: the number divided by `BLOCK`."""


class Bearer(NamedTuple):
    """An event that has a number."""

    number: Numbered
    event_id: str
    month: date
    day: date
    """The day on which it became known."""


def block_of(number: Numbered) -> Numbered:
    """Return the block in which the mark of the number is kept."""
    authority, system, place = number
    return authority, system, place // BLOCK


def no_marks() -> bytearray:
    """Return the marks of a block of which nothing has arrived."""
    return bytearray(BLOCK * _MARK)


def find_reused(bearers: Iterable[Bearer], blocks: Blocks) -> list[Bearer]:
    """Return the events whose number another event used before, each number once. Adds their marks to `blocks`, in place."""
    return [bearer for bearer in bearers if _is_reused(blocks[block_of(bearer.number)], bearer)]


def _is_reused(marks: bytearray, bearer: Bearer) -> bool:
    begin = bearer.number[2] % BLOCK * _MARK
    place, mark = slice(begin, begin + _MARK), _mark_of(bearer.event_id)
    before = bytes(marks[place])
    if before in (mark, _SEVERAL):
        return False
    marks[place] = mark if before == _NOBODY else _SEVERAL
    return before != _NOBODY


def _mark_of(event_id: str) -> bytes:
    """Return the mark of an event, by which it differs from another with the same number."""
    mark = crc32(event_id.encode()).to_bytes(_MARK, "big")
    return b"once" if mark in (_NOBODY, _SEVERAL) else mark
