"""What the stream engine hands over, and what it asks of the code that takes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from pydantic import Field

from services.chassis.settings import Group


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class SourceIdentity(NamedTuple):
    """Which topic of which cluster, beyond names: a topic deleted and made again has another `topic_id`."""

    cluster_id: str
    topic_id: str


class Message(Protocol):
    """One record of a topic."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970, as Kafka recorded them."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


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
        """Where reading goes on after this slice."""
        return self.messages[-1].offset + 1


class Processor(Protocol):
    """Takes batches and keeps the positions. Both methods are called from one thread, one call at a time."""

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        """Called on every assignment and after Fenced, with all that this worker now owns.

        Answers the next offset to read of each; 0 is the beginning, whatever the first offset is that Kafka still has.
        Forget here whatever was cached about earlier assignments. May raise Away or Refused.
        """

    def process(self, slices: Sequence[Slice]) -> None:
        """Take one whole fetch, at most one slice of each partition, in one transaction with the new positions.

        May raise Away (the same slices come again), Fenced (`start` is asked again) or Refused (the worker stops).
        """


class StreamSettings(Group):
    """How a worker reads. What is fetched at once is in KafkaSettings."""

    batch_max_messages: int = Field(default=50_000, ge=1)
    retry_first_seconds: float = Field(default=0.2, gt=0)
    retry_longest_seconds: float = Field(default=15.0, gt=0)
    report_every_seconds: float = Field(
        default=2.0, gt=0, description="how often lag is measured and Kafka told of progress"
    )
    identity_every_seconds: float = Field(
        default=15.0, gt=0, description="how often it is checked that topics are the same"
    )
    stuck_after_seconds: float = Field(
        default=120.0, gt=0, description="without a sign of life for longer is not healthy"
    )
