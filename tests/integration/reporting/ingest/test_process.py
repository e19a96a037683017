"""The real worker process on a real broker: what is published can be read over the API's queries, once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient
from sqlalchemy import Engine, text

from contracts.cells import Aggregate, encode_aggregate
from contracts.topics import NATIONAL_AGGREGATES
from services.chassis.settings import DatabaseSettings
from tests.integration.reporting.conftest import cell, position
from tests.support.children import child

GLASGOW = "S12000049"


@pytest.fixture
def topic(empty_kafka: str) -> str:
    with closing(KafkaAdminClient(bootstrap_servers=empty_kafka)) as admin:
        admin.create_topics(
            {NATIONAL_AGGREGATES: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True
        )
    return empty_kafka


@contextmanager
def running(kafka: str, database: DatabaseSettings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Yield the worker, asked to stop at the end, which it must do with status 0; however the test ends, it does not outlive it."""
    environment = {
        **os.environ,
        "PAYBACK_KAFKA_BOOTSTRAP": kafka,
        "PAYBACK_DATABASE_URL": database.url.get_secret_value(),
        "PAYBACK_DATABASE_SCHEMA_NAME": database.schema_name,
        "PAYBACK_METRICS_PORT": "0",
    }
    command = [sys.executable, "-m", "services.reporting", "worker"]
    with log.open("ab") as output, child(command, env=environment, stderr=output) as worker:
        try:
            yield worker
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0
        finally:
            worker.kill()


def send(kafka: str, aggregates: list[Aggregate]) -> None:
    with closing(KafkaProducer(bootstrap_servers=kafka, acks="all")) as producer:
        for aggregate in aggregates:
            producer.send(NATIONAL_AGGREGATES, key=aggregate.key.encode(), value=encode_aggregate(aggregate))
        producer.flush()


def wait_for(database: Engine, query: str, expected: object, seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    found: object = None
    while time.monotonic() < until:
        with database.connect() as connection:
            found = connection.execute(text(query)).scalar()
        if found == expected:
            return
        time.sleep(0.2)
    raise AssertionError(f"{found!r} is not {expected!r}")


def test_the_worker_reads_once_and_goes_on_where_it_was(
    topic: str, database: Engine, database_settings: DatabaseSettings, tmp_path: Path
) -> None:
    send(topic, [cell("orders_imposed", GLASGOW, "2026-03", "", 9), position(GLASGOW)])
    with running(topic, database_settings, tmp_path / "log"):
        wait_for(database, "SELECT value FROM present", 9)
        wait_for(database, "SELECT next_offset FROM checkpoints", 2)
    send(topic, [cell("orders_imposed", GLASGOW, "2026-03", "", 11, "2026-05-02", version=2)])
    with running(topic, database_settings, tmp_path / "log"):
        wait_for(database, "SELECT value FROM present", 11)
        wait_for(database, "SELECT count(*) FROM cells", 2)


def test_what_cannot_be_read_is_put_aside_and_the_rest_is_taken(
    topic: str, database: Engine, database_settings: DatabaseSettings, tmp_path: Path
) -> None:
    with closing(KafkaProducer(bootstrap_servers=topic, acks="all")) as producer:
        producer.send(NATIONAL_AGGREGATES, key=b"x", value=b'{"kind":"surprise"}').get(30)
    send(topic, [cell("orders_imposed", GLASGOW, "2026-03", "", 9), position(GLASGOW)])
    with running(topic, database_settings, tmp_path / "log") as worker:
        wait_for(database, "SELECT value FROM present", 9)
        wait_for(database, "SELECT next_offset FROM checkpoints", 3)
        wait_for(
            database, "SELECT convert_from(value, 'UTF8') FROM put_aside WHERE \"offset\" = 0", '{"kind":"surprise"}'
        )
        assert worker.poll() is None
    log = (tmp_path / "log").read_bytes()
    assert b"put aside what this version cannot take" in log
    assert b"surprise" not in log
