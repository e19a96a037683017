"""Delays reading until every migration that this version needs was run."""

from collections.abc import Callable, Mapping, Sequence

from services.chassis.streaming.batches import Fingerprint, Left, Processor, Slice, SourceIdentity, TopicPartition


class AfterMigrations:
    """A Processor that begins once `check` no longer raises Away."""

    def __init__(self, inner: Processor, check: Callable[[], object]) -> None:
        self._inner, self._check = inner, check

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        self._check()
        return self._inner.start(sources)

    def last_taken(self) -> Mapping[TopicPartition, Fingerprint]:
        return self._inner.last_taken()

    def held_back(self) -> Mapping[TopicPartition, int]:
        return self._inner.held_back()

    def process(self, slices: Sequence[Slice]) -> Left | None:
        return self._inner.process(slices)
