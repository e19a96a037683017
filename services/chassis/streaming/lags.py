"""Measures how many messages of each source have no outcome yet, and how long the first of them has been waiting."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from services.chassis.clock import system_clock
from services.chassis.failures import Away
from services.chassis.metrics import StreamMetrics
from services.chassis.streaming.batches import Fingerprint, TopicPartition

Places = Mapping[TopicPartition, int]
"""An offset of each source."""
Ask = Callable[[Places], Awaitable[Mapping[TopicPartition, Fingerprint]]]
"""Asks Kafka for the records at these offsets."""


class Waiting(NamedTuple):
    """The first unprocessed message of a source, and when it came, in seconds since 1970."""

    offset: int
    came: float


class Lags:
    """The lags of the sources of one worker, as they were last measured, and their metrics."""

    def __init__(self, metrics: StreamMetrics, patience: float) -> None:
        """Make it, with how many seconds Kafka may take to say when a message came."""
        self._metrics, self._patience = metrics, patience
        self._ends: Places = {}
        self._lags: Places = {}
        self._waiting: dict[TopicPartition, Waiting] = {}

    def behind(self, taken: Places) -> Places:
        """Return how many messages of each source, of those that there were at the last measurement, have no outcome yet. Safe from any
        thread.
        """
        return {source: max(0, end - taken[source]) for source, end in self._ends.items() if source in taken}

    def measured(self, ends: Places, taken: Places) -> None:
        """Set the metrics of lag. Held back messages count as waiting, even if they were fetched; they are no sign of being stuck."""
        self._ends = ends
        self._lags = {source: max(0, end - taken[source]) for source, end in ends.items()}
        self._metrics.measured.set_to_current_time()
        self._metrics.lag.clear()
        self._metrics.position.clear()
        for source, lag in self._lags.items():
            self._metrics.lag.labels(source.topic).inc(lag)
            self._metrics.position.labels(source.topic).inc(taken[source])

    async def tell_how_long(self, taken: Places, ask: Ask) -> None:
        """Measure how long the first message of each source has been waiting. Kafka is asked only once about each that does not move."""
        behind = {at: taken[at] for at, lag in self._lags.items() if lag and at in taken}
        known = {at: self._waiting[at] for at, place in behind.items() if self._waits_at(at, place)}
        strange = {at: place for at, place in behind.items() if at not in known}
        came = await self._when_came(strange, ask)
        now = system_clock().timestamp()
        self._waiting = known | {at: Waiting(place, came.get(at, now)) for at, place in strange.items()}
        for source in self._lags:
            waiting = self._waiting.get(source)
            self._metrics.lag_seconds.labels(source.topic).set(max(0.0, now - waiting.came) if waiting else 0.0)

    def _waits_at(self, source: TopicPartition, place: int) -> bool:
        return source in self._waiting and self._waiting[source].offset == place

    async def _when_came(self, places: Places, ask: Ask) -> Mapping[TopicPartition, float]:
        """Return when messages came, leaving out those of which Kafka does not say it in time."""
        with suppress(Away, TimeoutError):
            async with asyncio.timeout(self._patience):
                found = await ask(places) if places else {}
                return {at: kept.timestamp / 1000 for at, kept in found.items()}
        return {}
