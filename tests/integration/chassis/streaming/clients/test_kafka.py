"""Sending and administration, on a real broker."""

import asyncio
import gc
import socket
import threading
import time
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.future import Future

from deploy.local.broker import Broker
from services.chassis.failures import Away, Refused
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import TopicPartition
from services.chassis.streaming.clients import admin as admin_module
from services.chassis.streaming.clients import connection
from services.chassis.streaming.clients import log as log_module
from services.chassis.streaming.clients.admin import LONG, SEGMENTS, Admin, TopicSpec
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.outgoing import Outgoing, Receipt
from services.chassis.streaming.clients.producer import Producer
from tests.support.processes import until


@pytest.fixture
def settings(kafka: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka)


@pytest.fixture
def producer(settings: KafkaSettings) -> Iterator[Producer]:
    with Producer(settings) as producer:
        yield producer


@pytest.fixture
def admin(settings: KafkaSettings) -> Iterator[Admin]:
    admin = Admin(settings)
    yield admin
    admin.close()


@pytest.fixture
def silent() -> Iterator[KafkaSettings]:
    """Yield the settings of something that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield KafkaSettings(bootstrap=f"127.0.0.1:{server.getsockname()[1]}")


def name() -> str:
    return f"test.{uuid.uuid4().hex}"


def test_a_receipt_says_where_each_record_is(producer: Producer, new_topic: Callable[[], str]) -> None:
    one, two = new_topic(), new_topic()
    records = [Outgoing(one, b"k", b"1"), Outgoing(two, b"k", b"2"), Outgoing(one, b"k", None)]
    receipts = asyncio.run(producer.send(records))
    assert receipts == [Receipt(one, 0, 0), Receipt(two, 0, 0), Receipt(one, 0, 1)]
    assert producer.send_all([Outgoing(two, b"k", b"3")]) == [Receipt(two, 0, 1)]
    assert asyncio.run(producer.send([])) == []


def test_nobody_waits_for_ever_for_what_kafka_does_not_send(
    settings: KafkaSettings, producer: Producer, new_topic: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "POLL_MILLISECONDS", 50)
    monkeypatch.setattr(log_module, "SILENT_POLLS", 10)
    source = TopicPartition(new_topic(), 0)
    with closing(log_module.Log(settings, [source])) as log:
        log.seek({source: 0})
        for _ in range(2):  # what comes begins the waiting anew
            assert [log.slices(1) for _ in range(9)] == [[]] * 9
            with pytest.raises(Away):
                log.slices(1)
            producer.send_all([Outgoing(source.topic, b"k", b"1")])
            while not log.slices(1):
                pass


def test_whoever_looked_at_a_record_holds_nothing_of_what_came_with_it(
    settings: KafkaSettings, new_topic: Callable[[], str]
) -> None:
    """A worker that is behind looks every other second, and collects garbage seldom."""
    source = TopicPartition(new_topic(), 0)
    with BulkProducer(settings) as bulk:
        bulk.send_all([Outgoing(source.topic, None, b" " * 2000)] * 2000)
    assert log_module.records_at(settings, {source: 5})
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for place in (10, 20, 30):
            [found] = log_module.records_at(settings, {source: place}).values()
            assert found.offset == place
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert peak - before > 3_000_000, "as much as came"
    assert after - before < 1_000_000


def test_many_requests_are_under_way_at_once_and_keep_the_loop_free(
    producer: Producer, new_topic: Callable[[], str]
) -> None:
    topic = new_topic()
    pauses = [0.0]

    async def tick() -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.001)
            pauses.append(time.monotonic() - began)

    async def main() -> list[list[Receipt]]:
        await producer.send([Outgoing(topic, b"k", b"first")])
        ticking = asyncio.create_task(tick())
        receipts = await asyncio.gather(*(producer.send([Outgoing(topic, b"k", b"%d" % n)] * 5) for n in range(200)))
        ticking.cancel()
        return receipts

    receipts = asyncio.run(main())
    assert sorted(at.offset for batch in receipts for at in batch) == list(range(1, 1001))
    assert sorted(pauses)[len(pauses) * 9 // 10] < 0.5  # one long pause may be the machine's


def test_a_broker_that_does_not_answer_is_away_in_bounded_time(silent: KafkaSettings) -> None:
    with Producer(silent, deliver_seconds=6) as producer:
        began = time.monotonic()
        with pytest.raises(Away):
            asyncio.run(producer.send([Outgoing("topic", b"k", b"v")]))
        assert time.monotonic() - began < 12
    with pytest.raises(Away):
        Admin(silent).ping()


def test_asking_while_kafka_is_away_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage lasts for hours and is asked about every few seconds: one thread left at each try would end the process."""
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.1)
    admin = Admin(KafkaSettings(bootstrap="127.0.0.1:9"))
    before = threading.active_count()
    for _ in range(5):
        with pytest.raises(Away):
            admin.ping()
    assert threading.active_count() == before


def test_an_answer_that_got_lost_is_not_waited_for_without_limit(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    admin.ping()
    monkeypatch.setattr(KafkaAdminClient, "describe_cluster", lambda client: client._manager.run(Future()))
    monkeypatch.setattr(admin_module, "ANSWER_SECONDS", 0.2)
    with pytest.raises(Away):
        admin.ping()
    monkeypatch.undo()
    admin.ping()


@pytest.mark.durable_broker  # the embedded broker makes topics by itself
def test_sending_to_a_missing_topic_is_away_and_makes_none(producer: Producer, admin: Admin) -> None:
    missing = name()
    with pytest.raises(Away):
        asyncio.run(producer.send([Outgoing(missing, b"k", b"v")]))
    with pytest.raises(Away, match=missing):
        admin.identities([missing])


def test_a_record_that_kafka_will_never_take_is_refused(producer: Producer, new_topic: Callable[[], str]) -> None:
    topic = new_topic()
    with pytest.raises(Refused):
        producer.send_all([Outgoing(topic, b"k", b"x" * 2_000_000)])
    assert producer.send_all([Outgoing(topic, b"k", b"x")]) == [Receipt(topic, 0, 0)]


def test_topics_are_made_once_and_differences_told(admin: Admin) -> None:
    spec = TopicSpec(name(), configs={"cleanup.policy": "compact"})
    other = TopicSpec(name(), partitions=3)
    assert admin.ensure_topics([spec]) == []
    before = admin.identities([spec.name])
    assert admin.ensure_topics([spec, other]) == []
    assert admin.identities([spec.name]) == before
    assert admin.ensure_topics([TopicSpec(other.name)]) == [f"{other.name} has 3 partitions, not 1"]


@pytest.mark.durable_broker
def test_differing_configs_are_told(admin: Admin) -> None:
    topic = name()
    admin.ensure_topics([TopicSpec(topic, configs={"cleanup.policy": "compact"})])
    wanted = TopicSpec(topic, configs={"cleanup.policy": "delete", "retention.ms": "-1"})  # the second is as it is
    assert admin.ensure_topics([wanted]) == [f"{topic} has cleanup.policy=compact, not delete"]


@pytest.mark.durable_broker
def test_segments_may_be_shorter_but_not_left_as_short_as_while_one_is_begun(admin: Admin) -> None:
    topic = name()
    admin.ensure_topics([TopicSpec(topic, configs={SEGMENTS: "604800000"})])
    wanted = TopicSpec(topic, configs={SEGMENTS: LONG})
    assert admin.ensure_topics([wanted]) == []
    with admin.beginning_segments(topic):
        until(lambda: bool(admin.differences([wanted])), "Kafka has taken it")
        assert admin.differences([wanted]) == [f"{topic} has segment.ms=1, not {LONG}"]
    until(lambda: not admin.differences([wanted]), "Kafka has taken it back")


@pytest.mark.durable_broker
def test_a_setting_that_kafka_does_not_take_is_refused(admin: Admin) -> None:
    topic = name()
    admin.ensure_topics([TopicSpec(topic)])
    with pytest.raises(Refused, match=topic):
        admin.delete_before({topic: -7})


def test_a_topic_made_again_has_another_identity(admin: Admin, kafka: str) -> None:
    spec = TopicSpec(name())
    admin.ensure_topics([spec])
    before = admin.identities([spec.name])[spec.name]
    assert before.cluster_id == admin.cluster_id()
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as client:
        client.delete_topics([spec.name])
    admin.ensure_topics([spec])
    after = admin.identities([spec.name])[spec.name]
    assert after.cluster_id == before.cluster_id
    assert after.topic_id != before.topic_id


def test_the_embedded_broker_does_the_same(tmp_path: Path) -> None:
    broker = Broker(tmp_path)
    broker.start()
    try:
        settings = KafkaSettings(bootstrap=broker.address)
        admin, spec = Admin(settings), TopicSpec(name(), configs={"cleanup.policy": "compact"})
        assert admin.ensure_topics([spec]) == []
        assert admin.ensure_topics([spec]) == []
        with Producer(settings) as producer:
            assert asyncio.run(producer.send([Outgoing(spec.name, b"k", b"v")])) == [Receipt(spec.name, 0, 0)]
        assert admin.identities([spec.name])[spec.name].topic_id
        admin.close()
    finally:
        broker.stop()
