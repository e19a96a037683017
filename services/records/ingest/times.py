"""When messages reached the log, as far as Kafka's clocks can be trusted.

A topic without LogAppendTime keeps the time of the producer's clock, and a broker's clock may jump. An impossible time is replaced by the
time of reading and recorded, so that a rebuild uses the same; an operator may record a better one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from contracts.topics import authority_of
from services.chassis.database import upsert
from services.chassis.streaming.batches import Message, Slice, TopicPartition
from services.chassis.streaming.containment import Place
from services.records.ingest.tables import record_times

EARLIEST = 946_684_800_000
"""The year 2000, in milliseconds. A value meant in seconds lies before it, and one meant in microseconds far in the future."""
AHEAD = timedelta(days=1)
"""How far a broker's clock may be ahead of ours."""


def milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)


class Replaced(NamedTuple):
    """An impossible time, and its replacement."""

    place: Place
    recorded: int
    used: int


@dataclass(slots=True)
class Times:
    """The times of one batch, and those of them that were replaced."""

    now: datetime
    """The time of reading."""
    noted: Mapping[Place, int]
    replaced: list[Replaced] = field(default_factory=list)

    @property
    def latest(self) -> datetime:
        """Return the time after which nothing can have become known."""
        return self.now + AHEAD

    def believed(self, piece: Slice) -> Sequence[Message]:
        """Return the messages, with possible times."""
        latest = milliseconds(self.latest)
        times = [message.timestamp for message in piece.messages]
        if not self.noted and min(times) >= EARLIEST and max(times) <= latest:
            return piece.messages
        return [self._believed(piece.source, message, latest) for message in piece.messages]

    def _believed(self, source: TopicPartition, message: Message, latest: int) -> Message:
        place = Place(source, message.offset)
        if place in self.noted:
            return _at(message, self.noted[place])
        if EARLIEST <= message.timestamp <= latest:
            return message
        used = milliseconds(self.now)
        self.replaced.append(Replaced(place, message.timestamp, used))
        return _at(message, used)


@dataclass(frozen=True, slots=True)
class _Stamped:
    """A message with the time that is used for it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


def _at(message: Message, timestamp: int) -> Message:
    return _Stamped(message.offset, timestamp, message.key, message.value, message.headers)


def noted(connection: Connection, positions: Mapping[TopicPartition, int]) -> dict[Place, int]:
    """Return the recorded times of messages that are still to be read."""
    found = {}
    for row in connection.execute(select(record_times)):
        source = TopicPartition(row.topic, row.partition)
        if source in positions and row.offset >= positions[source]:
            found[Place(source, row.offset)] = milliseconds(row.used)
    return found


def note(connection: Connection, replaced: Iterable[Replaced]) -> None:
    """Record the replaced times."""
    rows = [
        (*place.source, place.offset, authority_of(place.source.topic), recorded, _time(used))
        for place, recorded, used in replaced
    ]
    columns = ("topic", "partition", "offset", "authority", "recorded", "used")
    upsert(connection, record_times, columns, rows, key=columns[:3])


def redate(connection: Connection, source: TopicPartition, first: int, last: int, used: datetime) -> int:
    """Let a rebuild use that time for these messages, and return their number."""
    note(connection, [Replaced(Place(source, offset), 0, milliseconds(used)) for offset in range(first, last + 1)])
    return last - first + 1


class Told(NamedTuple):
    """The messages with impossible times that an authority sees as a finding."""

    number: int
    first: int
    last: int
    used: datetime


def told(connection: Connection, topic: str) -> Told | None:
    """Return the finding about one topic; None if all times were right."""
    at = record_times.c
    query = select(func.count(), func.min(at.offset), func.max(at.offset), func.max(at.used)).where(at.topic == topic)
    number, first, last, used = connection.execute(query).one()
    return Told(number, first, last, used) if number else None


def _time(timestamp: int) -> datetime:
    return datetime.fromtimestamp(timestamp / 1000, UTC)
