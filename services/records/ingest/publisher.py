"""Sends changed cells to `national.aggregates`: absolute values with versions, so that repeats and restarts are harmless."""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import takewhile
from threading import Event as Signal
from time import monotonic
from typing import Any

from sqlalchemy import Engine, Row, literal, select, text, tuple_

from contracts.cells import Aggregate, Cell, Position, Service, encode_aggregate
from contracts.topics import NATIONAL_AGGREGATES, authority_of
from services.chassis.bulk import BulkProducer
from services.chassis.database import transaction
from services.chassis.failures import Away, backoff
from services.chassis.kafka import Record
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.tables import checkpoints, shards

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
"""How often to look although nobody signalled a change: another worker may have left something behind."""
PAUSE_SECONDS = 0.05
BREATHER = 4
"""How much longer to pause than publishing took: while a worker catches up, cells change faster than anybody reads them."""
LONGEST_PAUSE_SECONDS = 2.0
FEW_ROWS = 5_000
GROUP = 8


Shard = Row[Any]
"""A row of the table `shards`."""
_PUBLISHED = tuple_(shards.c.published_generation, shards.c.published_version)
_CHANGED = text(
    "WITH wanted AS (SELECT * FROM unnest(CAST(:authorities AS text[]), CAST(:sinces AS bigint[])) AS w (authority, since)), "
    "changed AS (SELECT DISTINCT c.authority, c.measure, c.period, c.category "
    "FROM wanted w JOIN cells c ON c.authority = w.authority AND c.version > w.since) "
    "SELECT t.* FROM wanted w JOIN (SELECT c.authority, c.measure, c.period, c.category, c.known_on, c.version, "
    "sum(c.delta) OVER (PARTITION BY c.authority, c.measure, c.period, c.category ORDER BY c.known_on) AS value "
    "FROM changed JOIN cells c USING (authority, measure, period, category)) t "
    "ON t.authority = w.authority AND t.version > w.since"
)


def _since(shard: Shard) -> int:
    """The version that was published last; of a new generation, none."""
    return int(shard.published_version) if shard.published_generation == shard.generation else 0


def _grouped(outstanding: Sequence[Shard]) -> Iterator[tuple[int, Sequence[Shard]]]:
    """A few together that were published before; one by one those that were not, which may have very many rows."""
    begin = 0
    while begin < len(outstanding):
        group = list(takewhile(_since, outstanding[begin : begin + GROUP])) or outstanding[begin : begin + 1]
        yield begin, group
        begin += len(group)


def _offsets(sources: Sequence[Row[Any]], authority: str) -> dict[str, int]:
    """The last offset taken of each of the authority's topics."""
    return {f"{at.topic}/{at.partition}": at.next_offset - 1 for at in sources if authority_of(at.topic) == authority}


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
                catches_up = self.publish() > FEW_ROWS
                waits = backoff(0.2, 15)
                breather = BREATHER * (monotonic() - began) if catches_up else 0.0
                stop.wait(min(LONGEST_PAUSE_SECONDS, max(PAUSE_SECONDS, breather)))
            except Away as away:
                self._metrics.publish_failures.inc()
                log.warning("not published yet: %s", away)
                stop.wait(next(waits))

    def publish(self) -> int:
        """Send what changed. Returns how many rows were sent. Raises Away."""
        sent = 0
        outstanding = self._outstanding()
        for done, group in _grouped(outstanding):
            self._metrics.unpublished.set(len(outstanding) - done)
            sent += self._publish(group)
        self._metrics.unpublished.set(0)
        return sent

    def _outstanding(self) -> list[Shard]:
        newer = tuple_(shards.c.generation, shards.c.version) > _PUBLISHED
        with transaction(self._database) as connection:
            query = select(shards).where(newer, shards.c.authority.in_(list(self._owned())))
            return list(connection.execute(query.order_by(shards.c.authority)))

    def _publish(self, group: Sequence[Shard]) -> int:
        rows, positions = self._read([shard.authority for shard in group])
        self._send(rows)
        self._send(positions)  # only after their rows were acknowledged
        with transaction(self._database) as connection:
            for position in positions:
                state = (position.generation, position.version)
                connection.execute(
                    shards.update()
                    .where(shards.c.authority == position.authority, tuple_(*map(literal, state)) > _PUBLISHED)
                    .values(published_generation=state[0], published_version=state[1])
                )
        self._metrics.published.inc(len(rows))
        return len(rows)

    def _read(self, authorities: Sequence[str]) -> tuple[list[Cell], list[Position]]:
        """The changes and positions of these shards, at one moment."""
        at_one_moment = self._database.execution_options(isolation_level="REPEATABLE READ")
        with transaction(at_one_moment) as connection:
            found = connection.execute(select(shards).where(shards.c.authority.in_(authorities))).all()
            generations = {shard.authority: shard.generation for shard in found}
            names = {"authorities": [shard.authority for shard in found], "sinces": [_since(shard) for shard in found]}
            rows = [
                Cell(
                    self._service, row.authority, generations[row.authority], row.version,
                    row.measure, row.period, row.category, row.known_on, int(row.value),
                )
                for row in connection.execute(_CHANGED, names)
            ]  # fmt: skip
            sources = connection.execute(select(checkpoints).where(checkpoints.c.next_offset > 0)).all()
        positions = [
            Position(
                self._service, shard.authority, shard.generation, shard.version,
                _offsets(sources, shard.authority), shard.heard_at,
            )
            for shard in found
        ]  # fmt: skip
        return rows, positions

    def _send(self, aggregates: Collection[Aggregate]) -> None:
        self._producer.send_all(
            Record(NATIONAL_AGGREGATES, aggregate.key.encode(), encode_aggregate(aggregate)) for aggregate in aggregates
        )
