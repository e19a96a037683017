"""Workers on a real database, without a broker."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, func, select

from contracts.topics import source_topics
from services import orders, unpaid_work
from services.chassis import database as databases
from services.chassis.clock import FixedClock
from services.chassis.settings import DatabaseSettings
from services.chassis.streaming.batches import SourceIdentity, TopicPartition
from services.orders.domain import domain as orders_domain
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.tables import cells
from services.records.ingest.worker import Worker
from services.records.model.bank_holidays import scotland
from services.records.model.domain import Domain
from services.unpaid_work.domain import domain as unpaid_work_domain
from tests.support import parts, scenario

SERVICES = {"orders": (orders, orders_domain), "unpaid_work": (unpaid_work, unpaid_work_domain)}
CALENDAR = scotland()
NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
"""Later than all that tests send, unless they mean to."""


class Bench:
    """One service's schema in a migrated database, with workers on it."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.clock = FixedClock(NOW)
        self.domain: Domain = SERVICES[name][1](CALENDAR)
        self.database: Engine = databases.engine(DatabaseSettings(url=url, schema_name=name))
        self.sources = {
            TopicPartition(topic, 0): SourceIdentity("cluster", f"id of {topic}")
            for topic in source_topics(*self.domain.kinds)
        }

    def worker(self, cached: int = 20_000) -> Worker:
        """Return a worker that has just been given all topics."""
        worker = Worker(self.database, self.domain, self.worker_metrics(), cached, clock=self.clock)
        worker.start(self.sources)
        return worker

    def worker_metrics(self) -> RecordsMetrics:
        """Return the registry of one worker's metrics; `metrics` reads them."""
        self.metrics = CollectorRegistry()
        return RecordsMetrics(self.metrics)

    def cells(self) -> dict[str, int]:
        """Return all cells, by `measure|authority|period|category`."""
        key = (cells.c.measure, cells.c.authority, cells.c.period, cells.c.category)
        with self.database.connect() as connection:
            rows = connection.execute(select(*key, func.sum(cells.c.delta)).group_by(*key)).all()
        return {f"{m}|{a}|{p}|{c}": int(value) for m, a, p, c, value in rows if value}


def feed(bench: Bench, size: int, *, start: int = 0, shuffled: int | None = None, cached: int = 20_000) -> None:
    """Have a worker read the whole scenario, in batches of at most so many messages of each topic."""
    lines = [(kind, code, list(found)) for kind, code, found in scenario.topics() if kind in bench.domain.kinds]
    if shuffled is not None:
        for _, _, found in lines:
            random.Random(shuffled).shuffle(found)
    worker = bench.worker(cached)
    for fetch in scenario.slices(lines, size, start):
        worker.process(fetch)


@pytest.fixture(scope="session")
def scenario_read(postgres_server: str, migrated: Callable[[], str]) -> Iterator[Callable[[], str]]:
    """Yield what makes a database in which both services have read the scenario, copied from one in which they did so once."""
    template = migrated()
    for name in SERVICES:
        one = Bench(template, name)
        feed(one, 1000)
        one.database.dispose()  # who is connected keeps it from being copied
    with parts.databases(postgres_server, template.rpartition("/")[2]) as make:
        yield make


@pytest.fixture
def fed(postgres_server: str, scenario_read: Callable[[], str]) -> Iterator[Callable[[str], Bench]]:
    """Yield the benches of services on one database, which have read the scenario."""
    with parts.for_one_test(postgres_server, scenario_read()) as database:
        yield from _benches(database)


@pytest.fixture
def postgres(postgres_server: str, migrated: Callable[[], str]) -> Iterator[str]:
    """Yield the address of a fresh database with the tables of every service."""
    with parts.for_one_test(postgres_server, migrated()) as database:
        yield database


@pytest.fixture
def bench(postgres: str) -> Iterator[Callable[[str], Bench]]:
    """Yield the benches of services on one fresh database."""
    yield from _benches(postgres)


def _benches(database: str) -> Iterator[Callable[[str], Bench]]:
    made: list[Bench] = []

    def make(name: str) -> Bench:
        made.append(Bench(database, name))
        return made[-1]

    yield make
    for one in made:
        one.database.dispose()
