"""Which numbers of a source's own counter have come, pure. What is kept is the highest number and the gaps below it.

A gap belongs to the month of the number above it, so the state depends on which numbers came and not on their order.
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
    """Of the event that bears the number after `last`."""

    @property
    def size(self) -> int:
        return self.last - self.first + 1

    @property
    def counted(self) -> int:
        """How many count as missing: one wild number is no reason to count more than anybody could have sent."""
        return min(self.size, MOST_MISSING)


@dataclass(slots=True)
class Numbers:
    """What came of one source."""

    highest: int = 0
    gaps: list[Gap] = field(default_factory=list)
    """In order."""


Change = Counter[tuple[date, str]]
"""By month, and `received` or `missing`."""


def receive(numbers: Numbers, came: Iterable[tuple[int, date]]) -> Change:
    """Notes numbers with the months of their events, in place. A number that came before changes nothing."""
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
    """Splits the gap in which the number lies; false where it lies in none."""
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
"""Numbers whose marks are kept together."""
_MARK = 4


def mark_of(event_id: str) -> bytes:
    """What is kept of an event, to tell it from another that bears the same number."""
    return (crc32(event_id.encode()) or 1).to_bytes(_MARK, "big")


def is_reused(marks: bytearray, number: int, mark: bytes) -> bool:
    """Whether another event bore the number before. Notes the mark in its block, in place."""
    begin = number % BLOCK * _MARK
    before = bytes(marks[begin : begin + _MARK])
    if not any(before):
        marks[begin : begin + _MARK] = mark
    return any(before) and before != mark


def no_marks() -> bytearray:
    """Of a block of which nothing came."""
    return bytearray(BLOCK * _MARK)
