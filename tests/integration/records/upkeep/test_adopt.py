"""Books go on with another Kafka once it holds just the events that they were made of, and otherwise nothing is changed."""

from collections.abc import Callable
from contextlib import closing

import pytest
from kafka.admin import KafkaAdminClient
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from typer.testing import CliRunner

from contracts.events import Topic
from contracts.topics import NATIONAL_AGGREGATES, topic_of
from services.chassis.audit import store
from services.chassis.audit.model import WHOLE_SERVICE
from services.chassis.audit.store import Question
from services.chassis.database import engine, transaction
from services.chassis.failures import Fenced, Refused
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streaming.batches import SourceIdentity, TopicPartition
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.outgoing import Outgoing
from services.chassis.streaming.positions import claim, last_taken
from services.operations.moving import adopt
from services.operations.moving.adopt import AdoptSettings, bind, look
from services.operations.topics import ensure, topic_specs
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.worker import Worker
from services.records.upkeep.history import History
from tests.integration.records.conftest import Bench
from tests.support import kafka as apache_kafka
from tests.support import scenario
from tests.support.kafka import KafkaProcess

AUTHORITY = "S12000029"
HIT = topic_of(Topic.UNPAID_WORK, AUTHORITY)
Change = Callable[[list[Outgoing]], list[Outgoing]]
SPECS = topic_specs(simulated=True)
LOG = {topic_of(kind, code): lines for kind, code, lines in scenario.topics()}


@pytest.fixture
def old(empty_kafka: str) -> KafkaSettings:
    """Return the Kafka from which the books were made."""
    kafka = KafkaSettings(bootstrap=empty_kafka)
    ensure(kafka, SPECS)
    with BulkProducer(kafka) as producer:
        producer.send_all(record for records in _log().values() for record in records)
    return kafka


@pytest.fixture
def new(kafka_process: KafkaProcess) -> str:
    """Return another Kafka, without topics."""
    apache_kafka.remove_topics(kafka_process.address)
    return kafka_process.address


def _log() -> dict[str, list[Outgoing]]:
    return {
        topic: [Outgoing(topic, b"k", line, scenario.NOON + number) for number, line in enumerate(lines)]
        for topic, lines in LOG.items()
    }


def mirrored(new: str) -> KafkaSettings:
    """Copy the same records to the other Kafka."""
    kafka = KafkaSettings(bootstrap=new)
    ensure(kafka, SPECS)
    with BulkProducer(kafka) as producer:
        producer.send_all(record for records in _log().values() for record in records)
    return kafka


def mirrored_again(kafka: KafkaSettings, records: list[Outgoing]) -> None:
    """Make one topic anew, with these records."""
    with closing(KafkaAdminClient(bootstrap_servers=kafka.bootstrap)) as admin:
        admin.delete_topics([HIT])
    ensure(kafka, [spec for spec in SPECS if spec.name == HIT])
    with BulkProducer(kafka) as producer:
        producer.send_all(records)


def read(bench: Bench, kafka: KafkaSettings) -> Worker:
    """Return a worker that has read the whole log."""
    worker = Worker(bench.database, bench.domain, RecordsMetrics(CollectorRegistry()))
    with closing(History(kafka, bench.domain)) as log:
        log.begin(worker)
        log.feed(worker, log.ends(), lambda *_: None)
    return worker


def settings(bench: Bench, kafka: KafkaSettings) -> AdoptSettings:
    url = bench.database.url.render_as_string(hide_password=False)
    return AdoptSettings(database=DatabaseSettings(url=url, schema_name=bench.domain.service), kafka=kafka)


LATER = Outgoing(HIT, b"k", LOG[HIT][0], scenario.NOON + 10**6)


def one_more(kafka: KafkaSettings, worker: Worker) -> None:
    """Send an event that comes later."""
    with BulkProducer(kafka) as producer:
        producer.send_all([LATER])
    with closing(History(kafka, worker._domain)) as log:
        log._log.seek(worker._positions)
        log.feed(worker, log.ends(), lambda *_: None)


def command(bench: Bench, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    given = settings(bench, kafka)
    monkeypatch.setattr(AdoptSettings, "load", classmethod(lambda _: given))
    result = CliRunner().invoke(adopt.commands, list(arguments))
    return result.exit_code, result.output


OBSTACLES: dict[str, tuple[Change, str]] = {
    "one is missing at the end": (lambda records: records[:-1], "the mirror is not done"),
    "one is missing, another twice": (
        lambda records: records[:5] + records[6:] + records[-1:],
        "another event at offset 5",
    ),
    "the last has another time": (
        lambda records: [*records[:-1], records[-1]._replace(timestamp=scenario.NOON + 1)],
        "must be CreateTime",
    ),
}
"""What is seen in a real log. What else may differ: tests/unit/operations/moving/test_mirrored.py."""


def test_the_books_go_on_with_another_cluster_that_holds_the_same_and_with_no_other(
    bench: Callable[[str], Bench], old: KafkaSettings, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench("unpaid_work")
    before = read(one, old)
    kafka = mirrored(new)
    found = look(settings(one, kafka), one.database)
    assert found.obstacles == []
    one_more(old, before)
    for name, (change, said) in OBSTACLES.items():
        mirrored_again(kafka, change([*_log()[HIT], LATER]))
        status, told = command(one, kafka, monkeypatch, "--confirm")
        assert (status, said in told, told.startswith(HIT)) == (1, True, True), f"{name}: {told}"
    mirrored_again(kafka, _log()[HIT])
    status, told = command(one, kafka, monkeypatch, "--old", old.bootstrap)
    assert (status, f"{HIT} has 1 more in the old Kafka" in told) == (1, True), told
    with pytest.raises(Refused, match="was read meanwhile"):
        bind(one.database, "unpaid_work", found.moved)

    mirrored_again(kafka, [*_log()[HIT], LATER])
    cells = one.cells()
    status, said = command(one, kafka, monkeypatch, "--old", old.bootstrap)
    assert (status, "can go on with" in said) == (0, True), said
    with pytest.raises(Refused, match="another cluster"):
        read(one, kafka)
    status, said = command(one, kafka, monkeypatch, "--confirm", "--old", old.bootstrap)
    assert (status, "bound to it" in said) == (0, True), said
    with pytest.raises(Fenced):
        one_more(old, before)

    after = read(one, kafka)
    assert one.cells() == cells, "nothing was read again"
    one_more(kafka, after)
    assert one.cells() != cells
    assert command(one, kafka, monkeypatch) == (0, "unpaid_work: no topic is bound to another Kafka\n")
    with one.database.connect() as connection:
        (kept,) = store.search(connection, WHOLE_SERVICE, Question(), 10)
    assert (kept.entry.what, kept.entry.detail["topics"]) == ("payback adopt", len(SPECS) - 1)


def test_reporting_reads_the_aggregates_again(postgres: str, empty_kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = KafkaSettings(bootstrap=empty_kafka)
    ensure(kafka, topic_specs())
    given = AdoptSettings(database=DatabaseSettings(url=postgres, schema_name="reporting"), kafka=kafka)
    monkeypatch.setattr(AdoptSettings, "load", classmethod(lambda _: given))
    database = engine(given.database)
    with transaction(database) as connection:
        claim(connection, {TopicPartition(NATIONAL_AGGREGATES, 0): SourceIdentity("old", "old")})
        connection.execute(text("UPDATE checkpoints SET next_offset = 77, last_timestamp = 1, last_checksum = 1"))
    assert "is empty" in CliRunner().invoke(adopt.commands, ["--confirm"]).output
    with BulkProducer(kafka) as producer:
        producer.send_all([Outgoing(NATIONAL_AGGREGATES, b"k", b"{}")])
    assert CliRunner().invoke(adopt.commands, ["--confirm"]).exit_code == 0
    with closing(Admin(kafka)) as admin, transaction(database) as connection:
        sources = {TopicPartition(NATIONAL_AGGREGATES, 0): admin.identities([NATIONAL_AGGREGATES])[NATIONAL_AGGREGATES]}
        assert claim(connection, sources) == dict.fromkeys(sources, 0)
        assert last_taken(connection, sources) == {}, "nothing to compare at the beginning"
    database.dispose()
