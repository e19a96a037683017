"""Wires and runs the processes of a service of records: `api`, `worker`, `migrate`."""

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Thread

from fastapi import APIRouter
from sqlalchemy import Engine

from contracts.topics import source_topics
from services.chassis import logs
from services.chassis.database import engine, transaction
from services.chassis.failures import Refused, describe
from services.chassis.http import application, serve
from services.chassis.kafka import Admin, Producer
from services.chassis.metrics import StreamMetrics, exposed, new_registry
from services.chassis.migrations import migrate
from services.chassis.stream import Stream
from services.records import intake, mirror
from services.records.fold import Domain
from services.records.metrics import RecordsMetrics
from services.records.publisher import Publisher
from services.records.settings import ApiSettings, MigrateSettings, WorkerSettings
from services.records.worker import Worker

log = logging.getLogger(__name__)

BUG, REFUSED = 1, 3
Routes = Callable[[Engine], Sequence[APIRouter]]


def main(domain: Domain, migrations: Path, title: str, routes: Routes) -> int:
    """Runs the process that the command line names. Returns the exit status."""
    match sys.argv[1:]:
        case ["api"]:
            return run_api(domain, title, routes, ApiSettings.load())
        case ["worker"]:
            return run_worker(domain, WorkerSettings.load())
        case ["migrate"]:
            settings = MigrateSettings.load()
            logs.configure(settings.logs, domain.service)
            migrate(
                settings.database.url.get_secret_value(),
                settings.database.schema_name,
                migrations,
                settings.database.owner,
            )
            return 0
        case _:
            sys.stderr.write(f"usage: python -m services.{domain.service} api|worker|migrate\n")
            return 2


def run_api(domain: Domain, title: str, routes: Routes, settings: ApiSettings) -> int:
    """Serves the API until told to stop."""
    logs.configure(settings.logs, f"{domain.service}-api")
    registry = new_registry()
    database, producer, admin = engine(settings.database), Producer(settings.kafka), Admin(settings.kafka)
    app = application(
        title,
        settings.http,
        registry,
        [intake.router(domain.own, producer), mirror.router(domain.own, database), *routes(database)],
        tokens=settings.tokens,
        checks={"kafka": admin.ping, "postgresql": lambda: _ask(database)},
    )
    try:
        serve(app, settings.http, settings.metrics, registry)
    finally:
        producer.close()
        admin.close()
        database.dispose()
    return 0


def run_worker(domain: Domain, settings: WorkerSettings) -> int:
    """Processes events and publishes cells until told to stop."""
    logs.configure(settings.logs, f"{domain.service}-worker")
    registry = new_registry()
    database, producer = engine(settings.database), Producer(settings.kafka)
    metrics = RecordsMetrics(registry)
    changed, stop = Event(), Event()
    worker = Worker(database, domain, metrics, settings.cache.records, on_commit=changed.set)
    stream = Stream(
        settings.kafka,
        settings.stream,
        f"payback-{domain.service}",
        source_topics(*domain.kinds),
        worker,
        StreamMetrics(registry),
    )
    publishing = _Publishing(
        Publisher(database, producer, domain.service, worker.owned, metrics), changed, stop, stream
    )
    try:
        with exposed(settings.metrics, registry, stream.healthy):
            publishing.start()
            status = stream.run()
            stop.set()
            publishing.join()
            return status or publishing.status
    finally:
        producer.close()
        database.dispose()


class _Publishing(Thread):
    """Publishes beside the stream. A failure that is ours stops the whole process: a silent half would be worse."""

    def __init__(self, publisher: Publisher, changed: Event, stop: Event, stream: Stream) -> None:
        super().__init__(name="publisher", daemon=True)
        self._publisher, self._changed, self._stop_signal, self._stream = publisher, changed, stop, stream
        self.status = 0

    def run(self) -> None:
        try:
            self._publisher.run(self._changed, self._stop_signal)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the process must stop and say so
            log.critical("the publisher stopped: %s", describe(fault))
            self.status = REFUSED if isinstance(fault, Refused) else BUG
            self._stream.stop()


def _ask(database: Engine) -> None:
    with transaction(database) as connection:
        connection.exec_driver_sql("SELECT 1")
