"""The stream engine's batches, and its interface to the code that processes them. Pure, so that pure code may use it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from zlib import crc32


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class SourceIdentity(NamedTuple):
    """Which topic of which cluster, beyond names: a topic that was deleted and made again has another `topic_id`."""

    cluster_id: str
    topic_id: str


class Bounds(NamedTuple):
    """The first offset that Kafka still has of a partition, and the next that it will give.

    The embedded broker reports an `end` that is too low by up to one batch, so nothing is refused because of it alone.
    """

    first: int
    end: int


class Fingerprint(NamedTuple):
    """The fingerprint of one record: enough to notice that another one is in its place."""

    timestamp: int
    checksum: int


class Message(Protocol):
    """One record of a topic."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """Return milliseconds since 1970, as Kafka recorded them."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


def fingerprint(message: Message) -> Fingerprint:
    """Return the fingerprint, which is the same for every reader of the same record."""
    return Fingerprint(message.timestamp, crc32(message.value or b"", crc32(message.key or b"")))


@dataclass(frozen=True, slots=True)
class Slice:
    """Consecutive messages of one partition, never empty. Offsets rise but may have gaps (compaction, transactions)."""

    topic: str
    partition: int
    messages: Sequence[Message]

    @property
    def source(self) -> TopicPartition:
        return TopicPartition(self.topic, self.partition)

    @property
    def next_offset(self) -> int:
        """Return the offset at which reading continues after this slice."""
        return self.messages[-1].offset + 1

    def before(self, offset: int | None) -> "Slice | None":
        """Return the part before an offset, if there is any; the whole if there is no offset."""
        if offset is None or self.messages[-1].offset < offset:
            return self
        messages = [message for message in self.messages if message.offset < offset]
        return Slice(self.topic, self.partition, messages) if messages else None

    def since(self, offset: int) -> "Slice | None":
        """Return the part from an offset on, if there is any."""
        if self.messages[0].offset >= offset:
            return self
        messages = [message for message in self.messages if message.offset >= offset]
        return Slice(self.topic, self.partition, messages) if messages else None


Left = Mapping[TopicPartition, int]
"""The sources of which not everything was processed, with the offset of the first message that was not."""


def rest_of(slices: Sequence[Slice], left: Left | None) -> list[Slice]:
    """Return the part of the slices that was left."""
    return [rest for part in slices if left and part.source in left and (rest := part.since(left[part.source]))]


class Processor(Protocol):
    """Processes batches and keeps the positions. All methods are called from one thread, one call at a time."""

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        """Begin with everything that this worker now owns. Called on every assignment and after Fenced.

        Returns the next offset to read of each; 0 is the beginning, whatever the first offset is that Kafka still has. Forget here anything
        cached about earlier assignments. May raise Away or Refused.
        """

    def last_taken(self) -> Mapping[TopicPartition, Fingerprint]:
        """Return the record before each position, if known. Called after `start`: Kafka must have exactly that record there."""

    def held_back(self) -> Mapping[TopicPartition, int]:
        """Return the positions of sources that are fetched but not processed for now. Called from any thread."""

    def process(self, slices: Sequence[Slice]) -> Left | None:
        """Process one whole fetch, at most one slice of each partition, in one transaction with the new positions.

        Returns what it left of them for a later turn, if others would wait too long for that; it never leaves everything. May raise Away
        (the same slices come again), Fenced (`start` is called again) or Refused (the worker stops).
        """
