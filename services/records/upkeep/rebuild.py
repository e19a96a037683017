"""Making a service's books again from the log, beside the old ones, and changing over at once.

The new books are a schema of their own and a new generation of cells. Until the change, everybody reads the old ones; after it, a worker
that still believes the old ones is fenced off, starts again from the new positions, and publishes the new generation.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

from kafka import KafkaConsumer
from kafka import TopicPartition as KafkaPartition
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection, Engine, NullPool, create_engine, func, select, text

from contracts.authorities import AUTHORITIES
from contracts.topics import source_topics
from services.chassis.batches import Processor, Slice, TopicPartition
from services.chassis.containment import Contained
from services.chassis.database import driver_url, engine, transaction
from services.chassis.kafka import Admin, connection
from services.chassis.memory import collect_seldom
from services.chassis.migrations import migrate
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.tables import checkpoints, shards
from services.records.ingest.worker import Worker
from services.records.model.domain import Domain
from services.records.upkeep.decisions import carry_over

BATCH = 20_000
POLL_MILLISECONDS = 500
Tell = Callable[[int, int], None]
"""Called with how many events are done, of how many."""


def rebuild(settings: DatabaseSettings, kafka: KafkaSettings, domain: Domain, migrations: Path, tell: Tell) -> int:
    """Makes the books again and changes over. Returns how many events were read. Raises Away or Refused; then nothing has changed.

    Whoever connects must be allowed to make and rename schemas.
    """
    collect_seldom()
    beside = settings.model_copy(update={"schema_name": f"{settings.schema_name}_next", "role": settings.owner})
    old, new = engine(settings), engine(beside)
    try:
        with transaction(old) as connected:
            generation = (connected.scalar(select(func.max(shards.c.generation))) or 0) + 1
        _drop(settings, beside.schema_name)
        migrate(settings.url.get_secret_value(), beside.schema_name, migrations, settings.owner)
        _begin(new, generation)
        with _administrator(settings).begin() as connected:
            carry_over(connected, settings.schema_name, beside.schema_name)
        with closing(Log(kafka, domain)) as log:
            worker = Contained(Worker(new, domain, RecordsMetrics(CollectorRegistry())))
            log.begin(worker)
            read = log.feed(worker, log.ends(), tell)
            with _administrator(settings).begin() as connected:
                read += log.feed(worker, _stop_the_old(connected, settings.schema_name), tell)
                _change_over(connected, settings.schema_name, beside.schema_name)
    finally:
        old.dispose()
        new.dispose()
    _drop(settings, f"{settings.schema_name}_old")
    return read


class Log:
    """The topics of a service, from their beginning."""

    def __init__(self, kafka: KafkaSettings, domain: Domain) -> None:
        self._kafka = kafka
        self._sources = [TopicPartition(topic, 0) for topic in source_topics(*domain.kinds)]
        self._consumer = KafkaConsumer(
            **connection(kafka),
            enable_auto_commit=False,
            max_poll_records=BATCH,
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )

    def begin(self, worker: Processor) -> None:
        with closing(Admin(self._kafka)) as admin:
            identities = admin.identities([source.topic for source in self._sources])
        self._consumer.assign([KafkaPartition(*source) for source in self._sources])
        for source, position in worker.start({one: identities[one.topic] for one in self._sources}).items():
            self._consumer.seek(KafkaPartition(*source), position)

    def ends(self) -> dict[str, int]:
        """The next offset that each topic will give."""
        ends = self._consumer.end_offsets([KafkaPartition(*source) for source in self._sources])
        return {source.topic: end for source, end in ends.items()}

    def feed(self, worker: Processor, ends: Mapping[str, int], tell: Tell) -> int:
        """Gives the worker everything before these offsets, and what comes along. Returns how many events."""
        read, total = 0, sum(ends.values())
        while any(self._position(topic) < end for topic, end in ends.items()):
            slices = list(self._slices())
            if slices:
                worker.process(slices)
                read += sum(len(piece.messages) for piece in slices)
                tell(sum(min(self._position(topic), end) for topic, end in ends.items()), total)
        return read

    def close(self) -> None:
        self._consumer.close()

    def _position(self, topic: str) -> int:
        return int(self._consumer.position(KafkaPartition(topic, 0)))

    def _slices(self) -> Iterator[Slice]:
        for source, messages in self._consumer.poll(POLL_MILLISECONDS, max_records=BATCH).items():
            if messages:
                yield Slice(source.topic, source.partition, messages)


def _begin(new: Engine, generation: int) -> None:
    """Every shard of the new books begins at the new generation."""
    with transaction(new) as connected:
        connected.execute(
            text(
                "INSERT INTO shards (authority, generation, version, reached, heard_at, counted_by, "
                "published_generation, published_version) "
                "SELECT unnest(CAST(:codes AS text[])), :generation, 0, '{}', '2000-01-01Z', '', 0, 0"
            ),
            {"codes": list(AUTHORITIES), "generation": generation},
        )


def _stop_the_old(connected: Connection, schema: str) -> dict[str, int]:
    """Holds up the worker of the old books until the change, and tells how far it got."""
    connected.execute(text(f'LOCK TABLE "{schema}".shards, "{schema}".checkpoints IN ACCESS EXCLUSIVE MODE'))
    positions = connected.execute(text(f'SELECT topic, next_offset FROM "{schema}".{checkpoints.name}'))  # noqa: S608
    return {row.topic: row.next_offset for row in positions}


def _change_over(connected: Connection, schema: str, beside: str) -> None:
    connected.execute(
        text(
            f'UPDATE "{beside}".rejections n SET redriven_at = o.redriven_at FROM "{schema}".rejections o '  # noqa: S608
            'WHERE (n.topic, n.partition, n."offset") = (o.topic, o.partition, o."offset") AND o.redriven_at IS NOT NULL'
        )
    )
    connected.execute(text(f'ALTER SCHEMA "{schema}" RENAME TO "{schema}_old"'))
    connected.execute(text(f'ALTER SCHEMA "{beside}" RENAME TO "{schema}"'))


def _administrator(settings: DatabaseSettings) -> Engine:
    """As who connects, not as the service's role, which may not make schemas."""
    return create_engine(driver_url(settings.url.get_secret_value()), poolclass=NullPool, hide_parameters=True)


def _drop(settings: DatabaseSettings, schema: str) -> None:
    with _administrator(settings).begin() as connected:
        connected.execute(text(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'))
