"""Books go on with another Kafka once it holds just the events that they were made of, and otherwise nothing is changed."""

from collections.abc import Callable, Iterator
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
from services.chassis.streaming.bulk import BulkProducer
from services.chassis.streaming.kafka import Admin, Record
from services.chassis.streaming.positions import claim, last_taken
from services.operations import adopt
from services.operations.adopt import AdoptSettings, bind, look
from services.operations.topics import ensure, topic_specs
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.worker import Worker
from services.records.upkeep.rebuild import History
from tests.integration.records.conftest import Bench
from tests.support import kafka as apache_kafka
from tests.support import scenario
from tests.support.kafka import KafkaProcess

AUTHORITY = "S12000029"
HIT = topic_of(Topic.UNPAID_WORK, AUTHORITY)
Change = Callable[[list[Record]], list[Record]]
LOG = {topic_of(kind, code): lines for kind, code, lines in scenario.topics()}


@pytest.fixture
def old(empty_kafka: str) -> KafkaSettings:
    """The Kafka from which the books were made."""
    kafka = KafkaSettings(bootstrap=empty_kafka)
    ensure(kafka, topic_specs(simulated=True))
    with BulkProducer(kafka) as producer:
        producer.send_all(record for records in _log().values() for record in records)
    return kafka


@pytest.fixture
def new(kafka_process: KafkaProcess) -> Iterator[str]:
    """Another Kafka, without topics."""
    apache_kafka.remove_topics(kafka_process.address)
    yield kafka_process.address
    apache_kafka.remove_topics(kafka_process.address)


def _log() -> dict[str, list[Record]]:
    return {
        topic: [Record(topic, b"k", line, scenario.NOON + number) for number, line in enumerate(lines)]
        for topic, lines in LOG.items()
    }


def mirrored(new: str, change: Change = lambda records: records, *, only: str = "") -> KafkaSettings:
    """The same records there, but for what `change` makes of one topic's."""
    kafka = KafkaSettings(bootstrap=new)
    ensure(kafka, topic_specs(simulated=True))
    log = _log()
    log[HIT] = change(log[HIT])
    with BulkProducer(kafka) as producer:
        producer.send_all(record for topic, records in log.items() for record in records if only in {"", topic})
    return kafka


def read(bench: Bench, kafka: KafkaSettings) -> Worker:
    """A worker that has read the whole log."""
    worker = Worker(bench.database, bench.domain, RecordsMetrics(CollectorRegistry()))
    with closing(History(kafka, bench.domain)) as log:
        log.begin(worker)
        log.feed(worker, log.ends(), lambda *_: None)
    return worker


def settings(bench: Bench, kafka: KafkaSettings) -> AdoptSettings:
    url = bench.database.url.render_as_string(hide_password=False)
    return AdoptSettings(database=DatabaseSettings(url=url, schema_name=bench.domain.service), kafka=kafka)


def one_more(kafka: KafkaSettings, worker: Worker) -> None:
    """An event that comes now."""
    with BulkProducer(kafka) as producer:
        producer.send_all([Record(HIT, b"k", LOG[HIT][0], scenario.NOON + 10**6)])
    with closing(History(kafka, worker._domain)) as log:
        log._log.seek(worker._positions)
        log.feed(worker, log.ends(), lambda *_: None)


def command(bench: Bench, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    given = settings(bench, kafka)
    monkeypatch.setattr(AdoptSettings, "load", classmethod(lambda _: given))
    result = CliRunner().invoke(adopt.commands, list(arguments))
    return result.exit_code, result.output


def test_the_books_go_on_with_another_cluster(
    bench: Callable[[str], Bench], old: KafkaSettings, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench("unpaid_work")
    before = read(one, old)
    cells = one.cells()
    kafka = mirrored(new)
    with pytest.raises(Refused, match="another cluster"):
        read(one, kafka)

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
    assert command(one, kafka, monkeypatch) == (0, "unpaid_work: nothing is bound to another Kafka than this\n")
    with one.database.connect() as connection:
        (kept,) = store.search(connection, WHOLE_SERVICE, Question(), 10)
    assert (kept.entry.what, kept.entry.detail["topics"]) == ("payback adopt", len(topic_specs()) - 1)


OBSTACLES: dict[str, tuple[Change, str]] = {
    "one is missing at the end": (lambda records: records[:-1], "the mirror is not done"),
    "one is missing inside": (lambda records: records[:5] + records[6:], "the mirror is not done"),
    "one is missing, another twice": (
        lambda records: records[:5] + records[6:] + records[-1:],
        "another event at offset 5",
    ),
    "two changed places": (
        lambda records: [*records[:3], records[4], records[3], *records[5:]],
        "another event at offset 3",
    ),
    "one was altered": (
        lambda records: [*records[:-1], records[-1]._replace(value=records[0].value)],
        "the offsets differ",
    ),
    "the last has another time": (
        lambda records: [*records[:-1], records[-1]._replace(timestamp=scenario.NOON + 1)],
        "must be CreateTime",
    ),
}


def test_another_log_is_refused(
    bench: Callable[[str], Bench], old: KafkaSettings, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench("unpaid_work")
    worker = read(one, old)
    kafka = mirrored(new)
    found = look(settings(one, kafka), one.database)
    assert found.obstacles == []
    for name, (change, said) in OBSTACLES.items():
        with closing(KafkaAdminClient(bootstrap_servers=new)) as admin:
            admin.delete_topics([HIT])
        mirrored(new, change, only=HIT)
        status, told = command(one, kafka, monkeypatch, "--confirm")
        assert (status, said in told, told.startswith(HIT)) == (1, True, True), f"{name}: {told}"
    one_more(old, worker)
    mirrored(new, only=HIT, change=lambda _: [])
    status, told = command(one, kafka, monkeypatch, "--old", old.bootstrap)
    assert (status, f"{HIT} has 1 more in the old Kafka" in told) == (1, True), told
    with pytest.raises(Refused, match="was read on meanwhile"):
        bind(one.database, "unpaid_work", found.moved)
    with pytest.raises(Refused, match="another cluster"):
        read(one, kafka)


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
        producer.send_all([Record(NATIONAL_AGGREGATES, b"k", b"{}")])
    assert CliRunner().invoke(adopt.commands, ["--confirm"]).exit_code == 0
    with closing(Admin(kafka)) as admin, transaction(database) as connection:
        sources = {TopicPartition(NATIONAL_AGGREGATES, 0): admin.identities([NATIONAL_AGGREGATES])[NATIONAL_AGGREGATES]}
        assert claim(connection, sources) == dict.fromkeys(sources, 0)
        assert last_taken(connection, sources) == {}, "nothing to compare at the beginning"
    database.dispose()
