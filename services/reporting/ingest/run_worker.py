"""Wires and runs the worker: everything is made here and passed on as an argument."""

import logging
from threading import Event, Thread

from contracts.topics import NATIONAL_AGGREGATES
from services.chassis import database, logs
from services.chassis.failures import Away
from services.chassis.guarding.pending_migrations import schema_ready
from services.chassis.metrics import StreamMetrics, exposed, new_registry
from services.chassis.streaming.after_migrations import AfterMigrations
from services.chassis.streaming.containment import Contained
from services.chassis.streaming.stream import Stream
from services.reporting.ingest.lacking import keep_comparing
from services.reporting.ingest.metrics import IngestMetrics
from services.reporting.ingest.worker import Aggregates
from services.reporting.settings import SCHEMA, WorkerSettings

log = logging.getLogger(__name__)
MEASURE_SECONDS = 60.0


def run_worker(settings: WorkerSettings) -> int:
    """Read aggregates until told to stop. Returns the exit status."""
    logs.configure(settings.logs, SCHEMA)
    registry = new_registry()
    engine = database.engine(settings.database)
    metrics = IngestMetrics(registry)
    aggregates = Aggregates(engine, metrics, believing=settings.aggregates.believing)
    worker = Stream(
        settings.kafka,
        settings.stream,
        SCHEMA,
        [NATIONAL_AGGREGATES],
        AfterMigrations(Contained(aggregates), schema_ready(settings.database).check),
        StreamMetrics(registry),
    )
    stop = Event()
    Thread(target=_measure, args=(aggregates, stop), name="measuring", daemon=True).start()
    Thread(target=keep_comparing, args=(engine, metrics, stop), name="comparing", daemon=True).start()
    with exposed(settings.metrics, registry, worker.healthy):
        status = worker.run()
    stop.set()
    return status


def _measure(aggregates: Aggregates, stop: Event) -> None:
    while True:
        try:
            aggregates.measure()
        except Away:
            pass  # the stream meets the same fault, and reports it
        except Exception:
            log.exception("cannot measure")  # reading must not stop because of it
        if stop.wait(MEASURE_SECONDS):
            return
