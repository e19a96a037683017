"""Publishing goes on without the authority on whose cells it fails, and past a publisher that died."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from services.chassis.failures import Away
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import TopicPartition
from services.chassis.streaming.clients import bulk
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.log import Log
from services.chassis.streaming.clients.outgoing import Outgoing
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.publishing import publisher as publishing
from services.records.ingest.publishing.producers import Producers
from services.records.ingest.publishing.publications import Publications
from services.records.ingest.publishing.publisher import Publisher
from tests.integration.records.conftest import Bench
from tests.integration.records.ingest.guarding.test_epoch import Topic
from tests.support import scenario
from tests.support.processes import until

BAD = "S12000029"
LONG_AGO = 9.0
"""Kafka's own settings would take 10 to 20 seconds."""


def test_a_fault_about_one_authority_does_not_stop_the_others(
    bench: Callable[[str], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, topic, registry = bench("orders"), Topic(), CollectorRegistry()
    worker = one.worker()
    lines = [found for found in scenario.topics() if found[0] in one.domain.kinds]
    for fetch in scenario.slices(lines, 100_000):
        worker.process(fetch)
    with one.database.begin() as connection:  # a day that cannot be sent
        connection.execute(text(f"INSERT INTO cells VALUES ('{BAD}', 'sessions', '2026-01-01', '', 'infinity', 1, 1)"))
    publisher = Publisher(Publications(one.database, "orders"), topic, worker.owned, RecordsMetrics(registry))
    publisher.publish()
    sent = {each.authority for each in topic.kept}
    assert BAD not in sent
    assert sent == {code for _, code, _ in lines} - {BAD}
    put_off = "payback_publishing_put_off"
    assert registry.get_sample_value(put_off, {"authority": BAD}) == 1
    with one.database.begin() as connection:
        connection.execute(text(f"DELETE FROM cells WHERE authority = '{BAD}' AND known_on = 'infinity'"))
    publisher.publish()
    assert BAD not in {each.authority for each in topic.kept}
    monkeypatch.setattr(publishing, "monotonic", lambda: float("inf"))
    publisher.publish()
    assert BAD in {each.authority for each in topic.kept}
    assert registry.get_sample_value(put_off, {"authority": BAD}) == 0


def test_only_what_a_dead_publisher_left_open_is_ended(bench: Callable[[str], Bench]) -> None:
    database, ended = bench("orders").database, list[str]()
    first, second = (Producers(database, name, ended.append) for name in ("first", "second"))

    def found() -> list[str]:
        second.end_dead()
        return ended

    with closing(first), closing(second):
        first.end_dead()
        second.end_dead()
        assert ended == []
        first.close()  # as the end of its process would, and PostgreSQL hears of it a little later
        until(found, "the dead one is found")
        second.end_dead()
        assert ended == ["first"]
        Producers(database, None, ended.append).end_dead()


@contextmanager
def two_publishers(kafka: str, topic: str) -> Iterator[tuple[BulkProducer, BulkProducer, Log]]:
    """Yield two publishers of the same name, of which one stops, and a reader at the beginning of the topic."""
    settings, source = KafkaSettings(bootstrap=kafka), TopicPartition(topic, 0)
    dead, living = (BulkProducer(settings, transactional="test") for _ in range(2))
    with dead, living, closing(Log(settings, [source])) as log:
        log.seek({source: 0})
        yield dead, living, log


def test_readers_get_past_what_a_dead_publisher_left_open_at_once(kafka: str, new_topic: Callable[[], str]) -> None:
    topic = new_topic()
    with two_publishers(kafka, topic) as (dead, living, log):
        dead._run(dead._asked("begin_transaction"))
        dead.send_all([Outgoing(topic, b"k", b"left open")])
        with living.transaction():
            living.send_all([Outgoing(topic, b"k", b"whole")])
        assert log.slices(10) == []
        began = time.monotonic()
        assert dead.id is not None
        living.end_other(dead.id, topic)
        assert [message.value for part in log.slices(10) for message in part.messages] == [b"whole"]
        assert time.monotonic() - began < 5, "Kafka itself takes 5 seconds and more"
        with pytest.raises(Away):
            dead._run(dead._asked("commit_transaction"))


def test_nothing_is_read_of_what_was_sent_before_a_row_failed(kafka: str, new_topic: Callable[[], str]) -> None:
    topic = new_topic()

    def rows() -> Iterator[Outgoing]:
        for _ in range(2 * bulk.BATCH_BYTES // 1000):
            yield Outgoing(topic, b"k", b"x" * 1000)
        raise KeyError

    with two_publishers(kafka, topic) as (failing, _, log):
        with pytest.raises(KeyError), failing.transaction():
            failing.send_all(rows())
        with failing.transaction():
            failing.send_all([Outgoing(topic, b"k", b"whole")])
        assert [message.value for part in log.slices(10) for message in part.messages] == [b"whole"]


@pytest.fixture
def forgetful(kafka: str) -> Iterator[None]:
    """Let Kafka write a transaction of which its coordinator knows nothing, as once after it was killed."""

    def verified(value: str) -> None:
        setting = {"transaction.partition.verification.enable": value}
        with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
            admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, "1", configs=setting)])

    verified("false")
    yield
    verified("true")


@pytest.mark.usefixtures("forgetful")
def test_a_transaction_that_kafka_forgot_is_ended_all_the_same(kafka: str, new_topic: Callable[[], str]) -> None:
    """Nobody else would end it, and no reader would ever get past."""
    topic = new_topic()
    with two_publishers(kafka, topic) as (dead, living, log):
        dead._run(dead._asked("begin_transaction"))
        assert dead._producer is not None
        manager = dead._producer._txn_manager
        manager.maybe_add_partition_to_txn = manager._txn_partitions.add
        dead.send_all([Outgoing(topic, b"k", b"left open")])
        with living.transaction():
            living.send_all([Outgoing(topic, b"k", b"whole")])
        assert dead.id is not None
        living.end_other(dead.id, topic)
        assert read_on(log) == [b"whole"]


def test_what_a_publisher_that_stands_still_left_open_is_ended_by_kafka(
    kafka: str, new_topic: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Soon, and the publisher goes on when it wakes, with more time: it may have been at work all the while."""
    monkeypatch.setattr(bulk, "TRANSACTION_SECONDS", 1)
    topic = new_topic()
    with two_publishers(kafka, topic) as (frozen, living, log):
        frozen._run(frozen._asked("begin_transaction"))
        frozen.send_all([Outgoing(topic, b"k", b"left open")])
        began = time.monotonic()
        with living.transaction():
            living.send_all([Outgoing(topic, b"k", b"whole")])
        assert read_on(log) == [b"whole"]
        assert time.monotonic() - began < LONG_AGO
        with pytest.raises(Away):
            frozen._run(frozen._asked("commit_transaction"))
        assert frozen._transaction_seconds == bulk.LONG_TRANSACTION_SECONDS
        with frozen.transaction():
            frozen.send_all([Outgoing(topic, b"k", b"again")])
        assert read_on(log) == [b"again"]


def read_on(log: Log) -> list[bytes | None]:
    """Return the next records that may be read."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := [message.value for part in log.slices(10) for message in part.messages]:
            return found
    return []
