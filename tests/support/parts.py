"""Which Kafka and which PostgreSQL the tests run on, decided once and stated in the report."""

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import assert_never

import docker
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from deploy.local.broker import Broker
from deploy.local.postgres import QUICK, Postgres, create_database, drop_database
from deploy.local.process import free_ports
from services.chassis.migrations import migrate
from tests.support import kafka

SERVICES = Path(__file__).parents[2] / "services"
MIGRATIONS = {name: SERVICES / name / "migrations" for name in ("orders", "unpaid_work", "reporting")}

OF_ALL = {
    **QUICK,
    # Its workers would start ten times a second for hundreds of databases, in none of which much becomes garbage.
    "autovacuum_naptime": "1h",
    # Files of tests may be in memory.
    "max_wal_size": "256MB",
}


class KafkaKind(StrEnum):
    """From the most to the least preferred."""

    GIVEN = "the address in PAYBACK_TEST_KAFKA"
    CONTAINER = "Apache Kafka in a container"
    PROCESS = "Apache Kafka as a local process"
    EMBEDDED = "the embedded broker, which is not Apache Kafka and keeps nothing"


@dataclass(frozen=True, slots=True)
class KafkaChoice:
    kind: KafkaKind
    because: str | None = None
    """Why nothing better is available."""


@cache
def kafka_choice() -> KafkaChoice:
    """Return what `running_kafka` will start."""
    if os.environ.get("PAYBACK_TEST_KAFKA"):
        return KafkaChoice(KafkaKind.GIVEN)
    if _container_engine_answers():
        return KafkaChoice(KafkaKind.CONTAINER)
    obstacle = kafka.obstacle()
    if obstacle is None:
        return KafkaChoice(KafkaKind.PROCESS)
    return KafkaChoice(KafkaKind.EMBEDDED, f"no container engine answers, and {obstacle}")


@contextmanager
def running_kafka(directory: Path) -> Iterator[str]:
    """Yield the address of a broker for the whole run."""
    match kafka_choice().kind:
        case KafkaKind.GIVEN:
            yield os.environ["PAYBACK_TEST_KAFKA"]
        case KafkaKind.CONTAINER:
            with _kafka_container() as address:
                yield address
        case KafkaKind.PROCESS:
            with kafka_process("kafka") as process:
                yield process.address
        case KafkaKind.EMBEDDED:
            broker = Broker(directory)
            broker.start()
            try:
                yield broker.address
            finally:
                broker.stop()
        case unknown:
            assert_never(unknown)


@contextmanager
def kafka_process(fixture: str = "") -> Iterator[kafka.KafkaProcess]:
    """Yield a running Apache Kafka of the caller's own, or of all tests that ask for a fixture."""
    process = kafka.KafkaProcess()
    process.fixture = fixture
    try:
        process.start()
        yield process
    finally:
        process.remove()


@contextmanager
def postgres_process(directory: Path, options: Mapping[str, str] = QUICK) -> Iterator[Postgres]:
    """Yield a running PostgreSQL of the caller's own."""
    process = Postgres(directory, options=options)
    try:
        process.start()
        yield process
    finally:
        process.leave()


@contextmanager
def running_postgres(directory: Path) -> Iterator[str]:
    """Yield the address of a PostgreSQL server for the whole run, as a user who may create databases and roles."""
    if given := _postgres_given():
        yield given
    else:
        with postgres_process(directory, OF_ALL) as process:
            yield process.url


def _postgres_given() -> str | None:
    return os.environ.get("PAYBACK_TEST_POSTGRES") or None


@contextmanager
def databases(server: str, template: str = "template1") -> Iterator[Callable[[], str]]:
    """Yield a function that makes copies of the template, each with a name of its own.

    They are dropped in the end from a server that was given. One of ours goes with all that it holds, and dropping many one by one kept
    the end of a run waiting.
    """
    names: list[str] = []

    def make() -> str:
        names.append(f"test_{uuid.uuid4().hex}")
        return create_database(server, names[-1], template)

    try:
        yield make
    finally:
        for name in names if _postgres_given() else ():
            drop_database(server, name)


@contextmanager
def for_one_test(server: str, database: str) -> Iterator[str]:
    """Yield the address of a database, and drop it: all that a run makes would take gigabytes of memory."""
    yield database
    drop_database(server, database.rpartition("/")[2])


def make_tables(database: str) -> None:
    """Make the schema of every service, or bring it up to date."""
    for schema, history in MIGRATIONS.items():
        migrate(database, schema, history)


def _container_engine_answers() -> bool:
    if "DOCKER_HOST" not in os.environ and not Path("/var/run/docker.sock").exists():
        return False
    try:
        client = docker.from_env(timeout=3)
    except DockerException:
        return False
    client.close()
    return True


@contextmanager
def _kafka_container() -> Iterator[str]:
    port, controller = free_ports(2)
    container = DockerContainer("apache/kafka:4.1.0").with_bind_ports(port, port)
    for name, value in kafka.properties(broker=port, controller=controller, data="/tmp/data", host="0.0.0.0").items():
        container.with_env("KAFKA_" + name.upper().replace(".", "_"), value)
    with container.waiting_for(LogMessageWaitStrategy("Kafka Server started")):
        yield f"127.0.0.1:{port}"
