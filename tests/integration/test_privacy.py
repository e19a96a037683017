"""Invariant 5, privacy by shape: what leaves orders and unpaid work holds counts, and nothing about one person or order."""

import json
from collections.abc import Callable

import msgspec
from kafka import KafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry, generate_latest

from contracts.cells import Cell, Position
from services.chassis.streaming.clients import bulk
from services.operations.topics import topic_specs
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.publishing.publications import Publications
from services.records.ingest.publishing.publisher import Publisher
from services.reporting.read.tables import metadata
from tests.integration.records.conftest import Bench
from tests.support import scenario
from tests.support.outside.topics import TopicsAnew

PERSONAL = ("person", "subject", "event_id", "ref", "name_of", "birth", "address")


def identifiers() -> set[str]:
    """Order references, pseudonyms and event ids of the scenario."""
    found: set[str] = set()
    for _, _, lines in scenario.topics():
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            found |= {event.get("subject"), event.get("id"), event.get("data", {}).get("person_ref")}
    return {word for word in found if word and len(word) > 4}


def _published(address: str) -> list[bytes]:
    consumer = KafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
    source = TopicPartition("national.aggregates", 0)
    try:
        consumer.assign([source])
        consumer.seek_to_beginning(source)
        end = consumer.end_offsets([source])[source]
        found: list[bytes] = []
        while consumer.position(source) < end:
            found += [m.key + b" " + m.value for batch in consumer.poll(2_000).values() for m in batch]
        return found
    finally:
        consumer.close()


def test_published_aggregates_name_nobody(topics_anew: TopicsAnew, migrated: Callable[[], str]) -> None:
    kafka = topics_anew(topic_specs())
    bench = Bench(migrated(), "orders")
    try:
        worker = bench.worker()
        for fetch in scenario.slices([t for t in scenario.topics() if t[0] in bench.domain.kinds], 50):
            worker.process(fetch)
        registry = CollectorRegistry()
        with bulk.BulkProducer(kafka, transactional="payback-orders") as producer:
            metrics = RecordsMetrics(registry)
            sent = Publisher(Publications(bench.database, "orders"), producer, worker.owned, metrics).publish()
        published = _published(kafka.bootstrap)
    finally:
        bench.database.dispose()
    assert len(published) >= sent > 1_000
    told = b"\n".join([*published, generate_latest(registry)]).decode()
    assert [word for word in identifiers() if word in told] == []


def test_an_aggregate_has_no_place_for_a_person() -> None:
    for kind in (Cell, Position):
        names = {field.encode_name for field in msgspec.structs.fields(kind)}
        assert not [name for name in names if any(word in name for word in PERSONAL)], kind


def test_reporting_has_no_column_for_a_person() -> None:
    columns = [f"{table.name}.{column.name}" for table in metadata.sorted_tables for column in table.columns]
    assert columns
    assert [name for name in columns if any(word in name for word in PERSONAL)] == []
