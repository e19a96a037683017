"""Contains failures: halves a failing batch until one owner's message is found, parks that owner, and processes the rest.

Away, Fenced and Refused pass, since no message causes them. A batch that takes too long is tried again in smaller parts. A single message
that still takes too long, while another owner's does not, is treated as one that fails.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from services.chassis.database import is_ours
from services.chassis.failures import Failure, TimedOut
from services.chassis.streaming.batches import (
    Fingerprint,
    Left,
    Message,
    Processor,
    Slice,
    SourceIdentity,
    TopicPartition,
)

MOST = 1 << 20
"""Most messages at once if nothing took too long recently: more than any fetch has."""
TRIES, TRIES_ALONE = 3, 10
"""How often one message may take too long: if another owner's message, which waits behind it, can be processed; and if none waits."""


class Place(NamedTuple):
    """The place of a message in the log."""

    source: TopicPartition
    offset: int

    def __str__(self) -> str:
        return f"{self.source.topic}/{self.source.partition} at offset {self.offset}"


class Parking(Processor, Protocol):
    """A processor that can continue without one of the owners of its messages."""

    def owner_of(self, source: TopicPartition) -> str:
        """Return whose messages these are. Slices of one owner may be split, but keep their order."""

    def park(self, place: Place, message: Message, fault: Exception) -> None:
        """Continue without the message: process nothing of its owner any more, or put it aside. May raise Away or Fenced."""


class Contained:
    """A Processor that no message can stop."""

    def __init__(self, processor: Parking) -> None:
        self._processor = processor
        self._most = MOST
        self._slow: tuple[Place | None, int] = (None, 0)
        """The message that took too long by itself, and how often."""

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        return self._processor.start(sources)

    def last_taken(self) -> Mapping[TopicPartition, Fingerprint]:
        return self._processor.last_taken()

    def held_back(self) -> Mapping[TopicPartition, int]:
        return self._processor.held_back()

    def process(self, slices: Sequence[Slice]) -> Left | None:
        """Process the slices, and return what was left of them.

        May raise Away after some of them were processed; given again, these have no effect.
        """
        rest, left = slices, dict[TopicPartition, int]()
        while rest:
            some, rest = _cut(rest, self._most)
            left |= self._take_in_time(some, rest)
            rest = self._not_left(rest, left)
        # Only now: messages processed before a time-out come again, and take no time.
        self._most = min(MOST, 2 * self._most)
        return left

    def _not_left(self, slices: Sequence[Slice], left: dict[TopicPartition, int]) -> Sequence[Slice]:
        """Return the slices of owners of whom nothing was left. Of the others everything is left, since they keep their order."""
        waiting = {self._processor.owner_of(source) for source in left}
        for part in slices:
            if self._processor.owner_of(part.source) in waiting:
                left.setdefault(part.source, part.messages[0].offset)
        return [part for part in slices if self._processor.owner_of(part.source) not in waiting] if left else slices

    def _take_in_time(self, slices: Sequence[Slice], behind: Sequence[Slice]) -> Left:
        try:
            return self._take(slices)
        except TimedOut as fault:
            self._most = max(1, _number(slices) // 2)
            if _number(slices) > 1 or not self._is_to_blame(slices, behind):
                raise
            return self._contain(slices, fault)

    def _is_to_blame(self, slices: Sequence[Slice], behind: Sequence[Slice]) -> bool:
        """Return whether this one message takes too long by itself. If the database is slow for everybody, no message is to blame."""
        (part,) = slices
        place, owner = Place(part.source, part.messages[0].offset), self._processor.owner_of(part.source)
        times = self._slow[1] + 1 if self._slow[0] == place else 1
        self._slow = place, times
        others = [other for other in behind if self._processor.owner_of(other.source) != owner and other.messages]
        if not others:
            return times >= TRIES_ALONE
        return times >= TRIES and self._is_taken(_cut(others, 1)[0])

    def _is_taken(self, slices: Sequence[Slice]) -> bool:
        try:
            self._take(slices)
        except TimedOut:
            return False
        return True

    def _take(self, slices: Sequence[Slice]) -> Left:
        try:
            return self._processor.process(slices) or {}
        except Failure:
            raise
        except Exception as fault:
            if is_ours(fault):
                raise
            return self._contain(slices, fault)

    def _contain(self, slices: Sequence[Slice], fault: Exception) -> Left:
        halves, left = self._halves(slices), dict[TopicPartition, int]()
        if halves is None:
            (part,) = slices
            (message,) = part.messages
            self._processor.park(Place(part.source, message.offset), message, fault)
        else:
            for half in halves:
                if some := self._not_left(half, left):
                    left |= self._take(some)
        return left

    def _halves(self, slices: Sequence[Slice]) -> tuple[Sequence[Slice], Sequence[Slice]] | None:
        """Return half of the owners and the other half; of one owner, the earlier messages and the later. None for a single message."""
        owners = sorted({self._processor.owner_of(part.source) for part in slices})
        if len(owners) > 1:
            some = owners[: len(owners) // 2]
            ours = [part for part in slices if self._processor.owner_of(part.source) in some]
            return ours, [part for part in slices if self._processor.owner_of(part.source) not in some]
        number = _number(slices)
        return _cut(slices, number // 2) if number > 1 else None


def _number(slices: Iterable[Slice]) -> int:
    return sum(len(part.messages) for part in slices)


def _cut(slices: Sequence[Slice], most: int) -> tuple[Sequence[Slice], Sequence[Slice]]:
    """Return the first `most` messages, and the rest."""
    first: list[Slice] = []
    for index, part in enumerate(slices):
        number = len(part.messages)
        if number > most:
            head = [replace(part, messages=part.messages[:most])] if most else []
            return [*first, *head], [replace(part, messages=part.messages[most:]), *slices[index + 1 :]]
        first.append(part)
        most -= number
    return first, []
