"""Workers on a real database, without a broker."""

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

SERVICES = {"orders": (orders, orders_domain), "unpaid_work": (unpaid_work, unpaid_work_domain)}
CALENDAR = scotland()
NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)
"""Later than all that tests send, unless they mean to."""


class Bench:
    """One service's schema in a migrated database, with workers on it."""

    def __init__(self, url: str, name: str) -> None:
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


@pytest.fixture
def postgres(migrated: Callable[[], str]) -> str:
    """Return the address of a fresh database with the tables of every service."""
    return migrated()


@pytest.fixture
def bench(postgres: str) -> Iterator[Callable[[str], Bench]]:
    """Yield the benches of services on one fresh database."""
    made: list[Bench] = []

    def make(name: str) -> Bench:
        made.append(Bench(postgres, name))
        return made[-1]

    yield make
    for one in made:
        one.database.dispose()
