"""Making the books again from the log, while the old ones are in use."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from contracts.events import Topic
from contracts.topics import topic_of
from services import unpaid_work
from services.chassis.bulk import BulkProducer
from services.chassis.failures import Fenced
from services.chassis.kafka import Record
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.operations.topics import ensure, topic_specs
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.worker import Worker
from services.records.upkeep.rebuild import Log, rebuild
from tests.integration.records.conftest import Bench
from tests.support import scenario

MIGRATIONS = Path(unpaid_work.__path__[0]) / "migrations"


@contextmanager
def _live(bench: Bench, kafka: KafkaSettings) -> Iterator[Worker]:
    """A worker on the old books that has read the whole log."""
    worker = Worker(bench.database, bench.domain, RecordsMetrics(CollectorRegistry()))
    with closing(Log(kafka, bench.domain)) as log:
        log.begin(worker)
        log.feed(worker, log.ends(), lambda *_: None)
        yield worker


def _send(kafka: KafkaSettings) -> int:
    ensure(kafka, topic_specs())
    records = [
        Record(topic_of(kind, code), b"", line, scenario.NOON)
        for kind, code, lines in scenario.topics()
        for line in lines
    ]
    with BulkProducer(kafka) as producer:
        return len(producer.send_all(records))


def test_the_new_books_are_right_and_the_old_worker_is_fenced_off(
    bench: Callable[[str], Bench], postgres: str, empty_kafka: str
) -> None:
    kafka = KafkaSettings(bootstrap=empty_kafka)
    sent = _send(kafka)
    one = bench("unpaid_work")
    settings = DatabaseSettings(url=postgres, schema_name="unpaid_work")
    told: list[tuple[int, int]] = []
    with _live(one, kafka) as worker:
        right = one.cells()
        with one.database.begin() as connection:
            connection.execute(text("UPDATE cells SET delta = delta + 7"))
        assert one.cells() != right
        assert rebuild(settings, kafka, one.domain, MIGRATIONS, lambda *progress: told.append(progress)) == sent
        assert one.cells() == right
        with pytest.raises(Fenced):
            _one_more(worker, one)
    assert told[-1] == (sent, sent)
    with one.database.begin() as connection:
        assert set(connection.scalars(text("SELECT generation FROM shards"))) == {2}
        schemas = set(connection.scalars(text("SELECT schema_name FROM information_schema.schemata")))
    assert "unpaid_work" in schemas
    assert not {"unpaid_work_old", "unpaid_work_next"} & schemas


def _one_more(worker: Worker, bench: Bench) -> None:
    """One more event for a worker that still believes the old books."""
    topic = topic_of(Topic.ORDERS, "S12000029")
    with bench.database.connect() as connection:
        position = connection.scalar(text("SELECT next_offset FROM checkpoints WHERE topic = :topic"), {"topic": topic})
    line = next(lines for kind, code, lines in scenario.topics() if topic_of(kind, code) == topic)[0]
    fetch = next(scenario.slices([(Topic.ORDERS, "S12000029", [line])], 1, int(position or 0)))
    worker.process(fetch)
