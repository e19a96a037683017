"""Sends changed cells to `national.aggregates`: absolute values with versions, so that repeats and restarts are harmless."""

import logging
from collections.abc import Callable, Collection
from threading import Event as Signal
from time import monotonic

from sqlalchemy import Engine, Row, func, or_, select, tuple_

from contracts.cells import Aggregate, Cell, Position, Service, encode_aggregate
from contracts.topics import NATIONAL_AGGREGATES
from services.chassis.bulk import BulkProducer
from services.chassis.database import transaction
from services.chassis.failures import Away, backoff
from services.chassis.kafka import Record
from services.records.metrics import RecordsMetrics
from services.records.tables import cells, checkpoints, shards

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
"""How often to look although nobody signalled a change: another worker may have left something behind."""
PAUSE_SECONDS = 0.05
BREATHER = 4
"""How much longer to pause than publishing took: while a worker catches up, cells change faster than anybody reads them."""
LONGEST_PAUSE_SECONDS = 2.0


class Publisher:
    """Publishes what the shards of `owned` changed since they were last published."""

    def __init__(
        self,
        database: Engine,
        producer: BulkProducer,
        service: Service,
        owned: Callable[[], Collection[str]],
        metrics: RecordsMetrics,
    ) -> None:
        self._database, self._producer, self._service, self._owned = database, producer, service, owned
        self._metrics = metrics

    def run(self, changed: Signal, stop: Signal) -> None:
        """Publish until told to stop, at once after a change. What is away is waited for; a bug passes to the caller."""
        waits = backoff(0.2, 15)
        while not stop.is_set():
            changed.wait(IDLE_SECONDS)
            changed.clear()
            try:
                began = monotonic()
                self.publish()
                waits = backoff(0.2, 15)
                stop.wait(min(LONGEST_PAUSE_SECONDS, max(PAUSE_SECONDS, BREATHER * (monotonic() - began))))
            except Away as away:
                self._metrics.publish_failures.inc()
                log.warning("not published yet: %s", away)
                stop.wait(next(waits))

    def publish(self) -> int:
        """Send what changed, shard by shard. Returns how many rows were sent. Raises Away."""
        sent = 0
        outstanding = self._outstanding()
        for done, shard in enumerate(outstanding):
            self._metrics.unpublished.set(len(outstanding) - done)
            sent += self._publish_shard(shard)
        self._metrics.unpublished.set(0)
        return sent

    def _outstanding(self) -> list[str]:
        published = tuple_(shards.c.published_generation, shards.c.published_version)
        newer = tuple_(shards.c.generation, shards.c.version) > published
        with transaction(self._database) as connection:
            query = select(shards.c.authority).where(newer, shards.c.authority.in_(list(self._owned())))
            return list(connection.scalars(query))

    def _publish_shard(self, authority: str) -> int:
        shard, rows, position = self._read(authority)
        self._send(rows)
        self._send([position])  # only after its rows were acknowledged
        with transaction(self._database) as connection:
            older = or_(
                shards.c.published_generation < shard.generation,
                (shards.c.published_generation == shard.generation) & (shards.c.published_version < shard.version),
            )
            connection.execute(
                shards.update()
                .where(shards.c.authority == authority, older)
                .values(published_generation=shard.generation, published_version=shard.version)
            )
        self._metrics.published.inc(len(rows))
        return len(rows)

    def _read(self, authority: str) -> tuple[Row[tuple[int, int]], list[Cell], Position]:
        """The shard's changes and position, at one moment."""
        at_one_moment = self._database.execution_options(isolation_level="REPEATABLE READ")
        with transaction(at_one_moment) as connection:
            shard = connection.execute(select(shards).where(shards.c.authority == authority)).one()
            since = shard.published_version if shard.published_generation == shard.generation else 0
            cell = tuple_(cells.c.measure, cells.c.period, cells.c.category)
            ours = cells.c.authority == authority
            columns = (cells.c.measure, cells.c.period, cells.c.category, cells.c.known_on, cells.c.version)
            value = func.sum(cells.c.delta).over(partition_by=columns[:3], order_by=cells.c.known_on).label("value")
            query = select(*columns, value).where(ours)
            if since:
                query = query.where(cell.in_(select(*columns[:3]).where(ours, cells.c.version > since)))
            totals = query.subquery()
            rows = [
                Cell(
                    self._service, authority, shard.generation, row.version,
                    row.measure, row.period, row.category, row.known_on, int(row.value),
                )
                for row in connection.execute(select(totals).where(totals.c.version > since))
            ]  # fmt: skip
            sources = select(checkpoints).where(
                checkpoints.c.topic.endswith(f".{authority}"), checkpoints.c.next_offset > 0
            )
            offsets = {f"{row.topic}/{row.partition}": row.next_offset - 1 for row in connection.execute(sources)}
        position = Position(self._service, authority, shard.generation, shard.version, offsets, shard.heard_at)
        return shard, rows, position

    def _send(self, aggregates: Collection[Aggregate]) -> None:
        self._producer.send_all(
            Record(NATIONAL_AGGREGATES, aggregate.key.encode(), encode_aggregate(aggregate)) for aggregate in aggregates
        )
