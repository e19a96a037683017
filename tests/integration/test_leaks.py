"""No pseudonym, reference or id of an event gets out of the services of records: into no topic, table, log line, metric, file or page.

The scenario goes all the way, from both services over Kafka into reporting, and everything is asked as everybody.
"""

import logging
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from io import BytesIO, StringIO
from itertools import count
from zipfile import ZipFile, is_zipfile

import pytest
from fastapi.testclient import TestClient
from kafka import KafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import Connection, text

from contracts.cells import Service
from contracts.events import Topic
from contracts.topics import source_topics
from services.chassis import logs
from services.chassis.clock import FixedClock
from services.chassis.database import engine, transaction
from services.chassis.settings import DatabaseSettings, LogSettings, TokenSettings
from services.chassis.streaming.batches import Slice, SourceIdentity
from services.chassis.streaming.batches import TopicPartition as TopicAt
from services.chassis.streaming.clients import bulk
from services.operations.topics import topic_specs
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.publishing.publications import Publications
from services.records.ingest.publishing.publisher import Publisher
from services.reporting.app import build
from services.reporting.ingest.metrics import IngestMetrics
from services.reporting.ingest.worker import Aggregates
from services.reporting.policies import POLICIES
from services.reporting.releases.publication import latest_day, make, publish
from services.reporting.settings import ApiSettings
from tests.integration.records.api.test_management import EDINBURGH, TODAY
from tests.integration.records.conftest import NOW, Bench
from tests.integration.reporting.conftest import Message
from tests.integration.test_privacy import identifiers
from tests.support import scenario
from tests.support.desk import keys, new_client, token
from tests.support.outside.topics import TopicsAnew

RECORDS: tuple[Service, ...] = ("orders", "unpaid_work")
OWN = source_topics(*Topic)
"""Topics of the authorities' own events."""
OUTSIDE = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY (ARRAY['reporting', 'reporting_audit', 'public'])"


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """Yield all that is logged meanwhile, as it would be written."""
    root, stream = logging.getLogger(), StringIO()
    before = root.handlers[:], root.level
    logs.configure(LogSettings(level="DEBUG"), "everything", stream)
    yield stream
    root.handlers[:], root.level = before


PERSONAL = identifiers()
SHAPES = re.compile("|".join(sorted({re.sub(r"\d+", r"\\d+", re.escape(word)) for word in PERSONAL})))
"""Of pseudonyms, references and ids: looking for each by itself in all that there is would take minutes."""


def named_in(whole: str) -> set[str]:
    """Return the people, orders and events that are named there."""
    return PERSONAL.intersection(SHAPES.findall(whole))


def published(address: str) -> Iterator[tuple[str, bytes, bytes]]:
    """Yield topic, key and value of every record of a topic that is not an authority's own."""
    consumer = KafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
    try:
        sources = [
            TopicPartition(topic, part)
            for topic in consumer.topics()
            if topic not in OWN and not topic.startswith("__")
            for part in consumer.partitions_for_topic(topic)
        ]
        consumer.assign(sources)
        consumer.seek_to_beginning(*sources)
        ends = consumer.end_offsets(sources)
        while any(consumer.position(source) < ends[source] for source in sources):
            for found in consumer.poll(2_000).values():
                yield from ((one.topic, one.key or b"", one.value or b"") for one in found)
    finally:
        consumer.close()


def taken(worker: Aggregates, values: Iterator[bytes]) -> None:
    """Have reporting take these records."""
    source = TopicAt("national.aggregates", 0)
    start = worker.start({source: SourceIdentity("cluster", "topic")})[source]
    messages = [Message(offset, value) for offset, value in zip(count(start), values, strict=False)]
    for begun in range(0, len(messages), 5_000):
        worker.process([Slice(source.topic, 0, messages[begun : begun + 5_000])])


def rows(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yield each table outside the services of records, as text."""
    for schema, table in connection.execute(text(OUTSIDE)).all():
        whole = connection.scalars(text(f'SELECT CAST(t AS text) FROM "{schema}"."{table}" t')).all()
        yield f"table {schema}.{table}", "\n".join(whole)


def pages(client: TestClient, release: str) -> Iterator[tuple[str, str]]:
    """Yield all answers of reporting, by route, to everybody."""
    known = {"id": "orders_imposed", "code": EDINBURGH, "extension": "csv", "release": release, "name": "style.css"}
    for caller in ({}, token(None, "national:read")):
        for route in POLICIES:
            method, path = route.split(" ")
            if method == "GET" and path != "/v1/stream" and ":path" not in path:
                yield route, client.get(path.format(**known), headers=caller).text


def unpack(file: bytes) -> Iterator[str]:
    """Yield everything in a file, also in files within files."""
    if not is_zipfile(BytesIO(file)):
        yield file.decode("latin-1")
        return
    with ZipFile(BytesIO(file)) as packed:
        for name in packed.namelist():
            yield name
            yield from unpack(packed.read(name))


def ask_by_reference(bench: Bench, registry: CollectorRegistry) -> Iterator[str]:
    """Ask for an authority's orders by name, also wrongly; whatever is seen there is its own. Yields nothing but the metrics."""
    with new_client(bench.database, bench.domain, TODAY, registry=registry) as client:
        headers = token(EDINBURGH, "orders:read", "orders:manage", "events:write")
        named = named_in(client.get("/v1/worklist", headers=headers).text)
        assert named, "what is looked for can be found"
        for subject in named:
            for path in (
                f"orders/{subject}",
                f"ledgers/{subject}",
                f"orders/{subject}%00",
                f"counted/{subject}",
                f"orders?after={subject}",
            ):
                client.get(f"/v1/{path}", headers=headers)
            client.post("/v1/acknowledgements", json={"duties": [{"subject": subject}]}, headers=headers)
    yield generate_latest(registry).decode()


def test_nothing_of_a_person_is_outside_the_services_of_records(
    topics_anew: TopicsAnew, migrated: Callable[[], str], logged: StringIO
) -> None:
    kafka, url = topics_anew(topic_specs()), migrated()
    found: dict[str, str] = {}
    for name in RECORDS:
        bench = Bench(url, name)
        worker = bench.worker()
        for fetch in scenario.slices([one for one in scenario.topics() if one[0] in bench.domain.kinds], 1000):
            worker.process(fetch)
        registry = CollectorRegistry()
        with bulk.BulkProducer(kafka, transactional=f"payback-{name}") as producer:
            Publisher(Publications(bench.database, name), producer, worker.owned, RecordsMetrics(registry)).publish()
        found[f"metrics of {name}"] = generate_latest(registry).decode() + generate_latest(bench.metrics).decode()
        found[f"metrics of {name}-api"] = "".join(ask_by_reference(bench, CollectorRegistry()))
        bench.database.dispose()
    records = list(published(kafka.bootstrap))
    assert {topic for topic, _, _ in records} == {"national.aggregates"}
    found["topics"] = b"\n".join(key + b" " + value for _, key, value in records).decode()
    found |= told_by_reporting(url, (value for _, _, value in records))
    found["log"] = logged.getvalue()
    assert all(len(one) > 20 for name, one in found.items() if name in {"topics", "log"} or name.startswith("metrics"))
    leaks = {name: named_in(whole) for name, whole in found.items()}
    assert {name: words for name, words in leaks.items() if words} == {}


def told_by_reporting(url: str, values: Iterator[bytes]) -> dict[str, str]:
    """Return everything that reporting shows: its tables, metrics, pages and files."""
    settings = DatabaseSettings(url=url, schema_name="reporting")
    database, registry, clock = engine(settings), CollectorRegistry(), FixedClock(NOW + timedelta(days=2))
    taken(Aggregates(database, IngestMetrics(registry), clock), values)
    release = make(database, date(2025, 3, 1), latest_day(database, clock), clock)
    publish(database, release, clock)
    site = ApiSettings(database=settings, tokens=TokenSettings(public_key=keys().public))
    with TestClient(build(site, database, registry, clock)) as client:
        answers = list(pages(client, release))
        files = client.get(f"/releases/{release}/files/community-payback-{release}.zip").content
    assert sum(EDINBURGH in answer for _, answer in answers) > 10
    with transaction(database) as connection:
        found = dict(rows(connection))
    assert max(map(len, found.values())) > 100_000
    unpacked = "".join(unpack(files))
    assert len(unpacked) > 100_000
    database.dispose()
    return found | {
        "metrics of reporting": generate_latest(registry).decode(),
        "pages": "\n".join(a for _, a in answers),
        "files": unpacked,
    }
