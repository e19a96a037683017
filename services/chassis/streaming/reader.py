"""The consumer as the engine knows it, and the fetches that it brings."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from services.chassis.streaming.batches import Bounds, Fingerprint, Slice, TopicPartition


class Mark(NamedTuple):
    """The mark of a fetch: the number of seeks before it, and its place after the last of them."""

    seeks: int
    serial: int


@dataclass(frozen=True, slots=True)
class Fetch:
    """Everything that one request to the consumer brought."""

    mark: Mark
    slices: Sequence[Slice]


class Reader(Protocol):
    """The consumer. Its questions raise Away if Kafka does not answer, or if owners change meanwhile."""

    @property
    def mark(self) -> Mark:
        """Return the mark of the last fetch."""

    def owned(self) -> Collection[TopicPartition]: ...

    async def go_to(self, positions: Mapping[TopicPartition, int]) -> None:
        """Seek. Anything fetched before is out of date from here on."""

    async def bounds(self, sources: Collection[TopicPartition]) -> Mapping[TopicPartition, Bounds]: ...

    async def ends(self, sources: Collection[TopicPartition]) -> Mapping[TopicPartition, int]: ...

    def written(self, source: TopicPartition) -> int:
        """Return the next offset that the source will give, as the last fetch said; 0 if there was none.

        It lies beyond the end of `bounds` while a transaction is open, since readers must wait for the end of that.
        """

    async def fetched(self, sources: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return the next offset to fetch of each."""

    async def last_records(self, places: Mapping[TopicPartition, int]) -> Mapping[TopicPartition, Fingerprint]:
        """Return the records at these offsets, as far as Kafka still has them."""

    async def commit_positions(self, positions: Mapping[TopicPartition, int]) -> None: ...
