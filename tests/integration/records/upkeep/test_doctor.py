"""The doctor finds what is wrong with real parts, and finds nothing where nothing is."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from prometheus_client import CollectorRegistry
from sqlalchemy import text

from contracts.periods import LONDON
from services.chassis.clock import system_clock
from services.chassis.failures import Away
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streaming.batches import TopicPartition as SourcePartition
from services.chassis.streaming.clients import admin as admin_module
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.containment import Place
from services.operations import doctor, watch
from services.operations.topics import ensure, topic_specs
from services.operations.watch import WatchMetrics, WatchSettings
from services.records.ingest import times
from services.records.ingest.guarding import parking
from services.records.ingest.guarding.parking import Action, Park
from services.records.trees import keeping
from services.records.trees.keeping import KeptHead
from tests.integration.records.conftest import Bench
from tests.support.kafka import KafkaProcess
from tests.support.processes import until

TOPIC = "orders.events.S12000005"
AT = TopicPartition(TOPIC, 0)


def test_topics_that_are_as_they_must_be_are_well(empty_kafka: str) -> None:
    kafka = KafkaSettings(bootstrap=empty_kafka)
    assert ensure(kafka, topic_specs()) == []
    assert list(doctor.look_at_kafka(kafka, topic_specs(), system_clock())) == []


def test_times_are_the_brokers_whatever_the_sender_says(empty_kafka: str) -> None:
    kafka = KafkaSettings(bootstrap=empty_kafka)
    ensure(kafka, topic_specs())
    with closing(KafkaProducer(bootstrap_servers=empty_kafka)) as producer:
        kept = producer.send(TOPIC, b"{}", timestamp_ms=1_750_000_000).get(10)
    assert abs(kept.timestamp / 1000 - system_clock().timestamp()) < 60


def test_what_differs_is_missing_or_is_gone_is_told(empty_kafka: str) -> None:
    kafka = KafkaSettings(bootstrap=empty_kafka)
    ahead = datetime.now(UTC) + timedelta(days=3)
    configs = {
        "message.timestamp.type": "CreateTime",
        "retention.ms": "3600000",
        "message.timestamp.after.max.ms": str(2**62),
    }
    with closing(KafkaAdminClient(bootstrap_servers=empty_kafka)) as admin:
        admin.create_topics(
            {TOPIC: {"num_partitions": 2, "replication_factor": 1, "configs": configs}}, wait_for_metadata=True
        )
        with closing(KafkaProducer(bootstrap_servers=empty_kafka)) as producer:
            for _ in range(3):
                producer.send(TOPIC, b"{}", partition=0, timestamp_ms=int(ahead.timestamp() * 1000)).get(10)
        admin.delete_records({AT: 2})
    ensure(kafka, [spec for spec in topic_specs() if spec.name != "national.aggregates"])
    found = "\n".join(doctor.look_at_kafka(kafka, topic_specs(replication=3), system_clock()))
    for words in (
        "national.aggregates is missing",
        f"{TOPIC} has 2 partitions, not 1",
        f"{TOPIC} has message.timestamp.type=CreateTime, not LogAppendTime",
        f"{TOPIC} has retention.ms=3600000, not -1",
        f"{TOPIC} has max.message.bytes=1048588, not 655360",
        f"{TOPIC} has 1 copies, not 3",
        f"{TOPIC} begins at offset 2",
        f"{TOPIC} holds a record dated 2 days, 23:59",
    ):
        assert words in found


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
def test_books_that_are_well_are_well(bench: Callable[[str], Bench], postgres: str, service: str) -> None:
    bench(service)
    settings = DatabaseSettings(url=postgres, schema_name=service)
    assert list(doctor.look_at_schema(settings)) == []
    assert list(doctor.look_at_rights(settings)) == []
    assert list(doctor.look_at_books(settings, system_clock())) == []


def test_who_is_parked_what_is_dated_wrong_and_clocks_are_told(bench: Callable[[str], Bench], postgres: str) -> None:
    one = bench("orders")
    one.worker()
    now = system_clock()
    with one.database.begin() as connection:
        place = Place(SourcePartition(TOPIC, 0), 0)
        parking.park(connection, Park("S12000005", Action.PARKED, place, "KeyError at x", "worker", now), 0)
        times.redate(connection, place.source, 0, 4, now)
        connection.execute(
            text("""UPDATE shards SET reached = '{"orders.events": "2062-01-01"}' WHERE authority = 'S12000006'""")
        )
    settings = DatabaseSettings(url=postgres, schema_name="orders")
    clock, parked, replaced, ahead = doctor.look_at_books(settings, now + timedelta(minutes=3))
    assert "0:03:0" in clock or "0:02:5" in clock
    assert parked.startswith("S12000005 is parked since")
    assert "orders.events.S12000005/0 at offset 0: KeyError" in parked
    assert replaced.startswith("S12000005: 5 records")
    assert ahead.startswith("S12000006: what is known of orders.events is dated 2062-01-01")


@pytest.mark.parametrize(
    ("service", "process", "right", "table"),
    [
        ("orders", "worker", "UPDATE", "checkpoints"),
        ("orders", "api", "INSERT", "notes"),
        ("unpaid_work", "api", "SELECT", "records"),
    ],
)
def test_rights_that_were_taken_away_are_told(
    bench: Callable[[str], Bench], postgres: str, service: str, process: str, right: str, table: str
) -> None:
    one = bench(service)
    with one.database.begin() as connection:
        connection.execute(text(f"REVOKE {right} ON {table} FROM {service}_{process}"))
    settings = DatabaseSettings(url=postgres, schema_name=service)
    assert list(doctor.look_at_rights(settings)) == [f"{service}_{process} may not {right} {table}"]


def test_a_disk_that_is_nearly_full_is_told(empty_kafka: str) -> None:
    with closing(Admin(KafkaSettings(bootstrap=empty_kafka))) as admin:
        (disk,) = admin.disks()
    assert 0 < disk.free <= disk.size
    assert list(doctor.full([disk._replace(free=disk.size // 5)])) == []
    (found,) = doctor.full([disk._replace(free=disk.size // 50)])
    assert found == f"broker {disk.broker} has 2% of the disk of {disk.path} left"


def test_nights_that_were_missed_are_told(bench: Callable[[str], Bench], postgres: str) -> None:
    one, now = bench("orders"), system_clock()
    today = now.astimezone(LONDON).date()
    with one.database.begin() as connection:
        for authority, days in (("S12000005", 2), ("S12000006", 3)):
            head = KeptHead(today - timedelta(days=days), 1, b"", 1, "")
            keeping.add_head(connection, authority, head)
    settings = DatabaseSettings(url=postgres, schema_name="orders")
    (missed,) = doctor.look_at_books(settings, now)
    assert missed.startswith(f"S12000006: no day after {today - timedelta(days=3)} was closed")


def test_what_the_doctor_finds_in_kafka_is_counted_by_what_it_is_about(
    empty_kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = KafkaSettings(bootstrap=empty_kafka)
    ensure(kafka, topic_specs())
    registry = CollectorRegistry()
    metrics, settings = WatchMetrics(registry), WatchSettings(kafka=kafka)

    def found() -> dict[str, float | None]:
        watch.look(settings, metrics, system_clock())
        return {about: registry.get_sample_value("payback_findings", {"about": about}) for about in watch.ABOUT}

    with monkeypatch.context() as patched:
        opened = Mock(wraps=admin_module._AdminClient)
        patched.setattr(admin_module, "_AdminClient", opened)
        assert found() == dict.fromkeys(watch.ABOUT, 0)
        assert opened.call_count == 1, "a round opens Kafka once"
    assert registry.get_sample_value("payback_brokers") == 1
    with closing(KafkaProducer(bootstrap_servers=empty_kafka)) as producer:
        producer.send(TOPIC, b"{}").get(10)
    with closing(KafkaAdminClient(bootstrap_servers=empty_kafka)) as admin:
        admin.delete_records({AT: 1})
        admin.delete_topics(["national.aggregates"])
    assert found() == {"topics": 1, "copies": 0, "history": 1, "record_times": 0, "disks": 0}


@pytest.mark.durable_broker
def test_a_broker_that_is_gone_is_counted_no_more() -> None:
    first = KafkaProcess()
    second = KafkaProcess(joins=first)
    try:
        with closing(Admin(KafkaSettings(bootstrap=first.address))) as admin:
            first.start()
            second.start()
            until(lambda: admin.brokers() == 2, "it has joined")
            second.kill()
            until(lambda: _told_brokers(admin) == 1, "it is missed")
    finally:
        second.remove()
        first.remove()


def _told_brokers(admin: Admin) -> int | None:
    """Return the number; None while Kafka still names the one that is gone, and that one is asked."""
    try:
        return admin.brokers()
    except Away:
        return None
