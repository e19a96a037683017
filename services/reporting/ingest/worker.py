"""Reads `national.aggregates` into the schema `reporting`: rows, positions and the offset in one transaction.

Messages that cannot be read or accepted are put aside and tried again at every start; an alert reports them.
"""

import logging
from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, Engine

from contracts.cells import Aggregate, Position
from services.chassis.clock import Clock, system_clock
from services.chassis.database import is_ours, transaction
from services.chassis.failures import Failure, describe
from services.chassis.streaming.batches import Fingerprint, Message, Slice, SourceIdentity, TopicPartition
from services.chassis.streaming.containment import Place
from services.chassis.streaming.positions import advance, claim, last_taken
from services.chassis.streaming.seal import seal_in
from services.chassis.streaming.told import told_in
from services.reporting.ingest import store
from services.reporting.ingest.believing import ANYBODY, Believing
from services.reporting.ingest.fold import Origin, fold
from services.reporting.ingest.metrics import IngestMetrics
from services.reporting.ingest.store import Aside, heard, write

log = logging.getLogger(__name__)


class Aggregates:
    """Keeps the cells. Implements chassis.containment.Parking, with each message its own owner."""

    def __init__(
        self,
        database: Engine,
        metrics: IngestMetrics | None = None,
        clock: Clock = system_clock,
        believing: Believing = ANYBODY,
    ) -> None:
        self._database, self._clock, self._believing = database, clock, believing
        self._metrics = metrics or IngestMetrics(CollectorRegistry())
        self._next: dict[TopicPartition, int] = {}
        self._taken: dict[TopicPartition, Fingerprint] = {}

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        with transaction(self._database) as connection:
            self._next = claim(connection, sources)
            self._taken = last_taken(connection, sources)
            self._metrics.start(heard(connection))
        self._try_again()
        return dict(self._next)

    def last_taken(self) -> Mapping[TopicPartition, Fingerprint]:
        return self._taken

    def held_back(self) -> Mapping[TopicPartition, int]:
        return {}

    def process(self, slices: Sequence[Slice]) -> None:
        news = [part for part in map(self._news, slices) if part.messages]
        if not news:
            return
        told: dict[Origin, float] = {}
        messages = (message for part in news for message in part.messages if message.value)
        folded = fold(_noted(self._read(message), message, told) for message in messages)
        with transaction(self._database) as connection:
            write(connection, folded)
            advance(connection, self._next, news)
        self._metrics.took(folded.positions.values(), self._clock(), told)
        self._next |= {part.source: part.next_offset for part in news}

    def _read(self, message: Message) -> Aggregate:
        return self._believing.read(message.key, message.value or b"", seal_in(message.headers))

    def measure(self) -> None:
        """Set the metrics from PostgreSQL. Safe from any thread; raises Away."""
        with transaction(self._database) as connection:
            published = store.last_published_at(connection)
            self._count(connection)
        self._metrics.released.set(published.timestamp() if published else 0)

    def owner_of(self, source: TopicPartition) -> str:
        return source.topic

    def park(self, place: Place, message: Message, fault: Exception) -> None:
        """Put the message aside, and continue after it."""
        part = Slice(*place.source, [message])
        aside = Aside(part.topic, part.partition, place.offset, message.key, message.value, seal_in(message.headers))
        said = describe(fault)
        with transaction(self._database) as connection:
            advance(connection, self._next, [part])
            store.put_aside(connection, aside, said, self._clock())
            self._count(connection)
        self._next[part.source] = part.next_offset
        what = "put aside what this version cannot take, a publisher is newer or broken: %s: %s"
        log.error(what, str(place), said)

    def _news(self, part: Slice) -> Slice:
        """Return the part of a slice that was not processed before."""
        begin = self._next[part.source]
        return Slice(part.topic, part.partition, [message for message in part.messages if message.offset >= begin])

    def _try_again(self) -> None:
        """Try the messages that were put aside: this version may be newer than the one that could not process them."""
        with transaction(self._database) as connection:
            waiting = store.aside(connection)
        for one in waiting:
            try:
                with transaction(self._database) as connection:
                    write(connection, fold([self._believing.read(one.key, one.value or b"", one.seal)]))
                    store.take_up(connection, one)
            except Failure:
                raise
            except Exception as fault:
                if is_ours(fault):
                    raise
                place = f"{one.topic}/{one.partition} at offset {one.offset}"
                log.warning("still aside: %s: %s", place, describe(fault))
        with transaction(self._database) as connection:
            self._count(connection)

    def _count(self, connection: Connection) -> None:
        self._metrics.put_aside.set(store.number_aside(connection))


def _noted(aggregate: Aggregate, message: Message, told: dict[Origin, float]) -> Aggregate:
    """Note when the latest event of a position happened, and return the aggregate."""
    at = told_in(message.headers) if isinstance(aggregate, Position) else None
    if at is not None:
        shard = Origin(aggregate.service, aggregate.authority)
        told[shard] = max(at, told.get(shard, at))
    return aggregate
