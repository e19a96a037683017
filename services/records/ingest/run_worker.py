"""Wires and runs the worker of a service of records: the stream, and the publisher beside it."""

import logging
from functools import partial
from itertools import count
from threading import Event, Thread

from contracts.topics import NATIONAL_AGGREGATES, source_topics
from services.chassis import logs, tracing
from services.chassis.database import engine
from services.chassis.failures import Away, Refused, describe
from services.chassis.guarding.pending_migrations import schema_ready
from services.chassis.memory import collect_seldom
from services.chassis.metrics import StreamMetrics, exposed, new_registry
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.after_migrations import AfterMigrations
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.containment import Contained
from services.chassis.streaming.stream import Stream
from services.chassis.streaming.traced import Traced
from services.records.config.settings import WorkerSettings
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.publishing.backlogs import Backlogs
from services.records.ingest.publishing.producers import Producers
from services.records.ingest.publishing.publications import Publications
from services.records.ingest.publishing.publisher import Publisher
from services.records.ingest.worker import Worker
from services.records.model.domain import Domain

log = logging.getLogger(__name__)

BUG, REFUSED = 1, 3
LOOK_SECONDS = 2.0
"""How often to check whether an operator has released an authority, or a manager has set a closed day."""
MEASURE_TURNS = 8
"""Measure once in this many checks."""


def run_worker(domain: Domain, settings: WorkerSettings) -> int:
    """Process events and publish cells until told to stop. Returns the exit status."""
    logs.configure(settings.logs, f"{domain.service}-worker")
    tracing.configure(settings.tracing, f"{domain.service}-worker")
    collect_seldom()
    registry = new_registry()
    database, producer = engine(settings.database), _producer(domain, settings.kafka)
    metrics = RecordsMetrics(registry)
    changed, stop = Event(), Event()
    worker = Worker(database, domain, metrics, settings.cache.records, on_commit=changed.set)
    stream = Stream(
        settings.kafka,
        settings.stream,
        f"payback-{domain.service}",
        source_topics(*domain.kinds),
        AfterMigrations(Contained(Traced(worker)), schema_ready(settings.database).check),
        StreamMetrics(registry),
    )
    publications = Publications(database, domain.service)
    producers = Producers(database, producer.id, partial(producer.end_other, topic=NATIONAL_AGGREGATES))
    settled = Backlogs(worker.owned, stream.backlogs).settled
    publisher = Publisher(publications, producer, settled, metrics, producers.end_dead, settings.aggregates.sealer)
    publishing = _Publishing(publisher, changed, stop, stream)
    try:
        with exposed(settings.metrics, registry, stream.healthy):
            publishing.start()
            watching = Thread(target=_watch, args=(worker, stream, stop), name="parks", daemon=True)
            watching.start()
            status = stream.run()
            stop.set()
            changed.set()  # the publisher waits for that
            publishing.join()
            watching.join()
            return status or publishing.status
    finally:
        producers.close()
        producer.close()
        database.dispose()


def _watch(worker: Worker, stream: Stream, stop: Event) -> None:
    """Send the stream back to its start once an operator has released an authority or a manager has set a closed day, and measure
    meanwhile.
    """
    for turn in count():
        if stop.wait(LOOK_SECONDS):
            return
        try:
            if worker.owned() and not worker.is_up_to_date():
                stream.go_back()
            if turn % MEASURE_TURNS == 0:
                _measure(worker)
        except Away:
            pass  # the stream meets the same fault, and reports it
        except Exception:
            log.exception(
                "cannot look whether anybody was released"
            )  # an authority that is released later must be noticed all the same


def _measure(worker: Worker) -> None:
    try:
        worker.measure()
    except Away:
        raise
    except Exception:
        log.exception("cannot measure")  # the check for releases goes on; the age of the last measurement is a metric


def _producer(domain: Domain, settings: KafkaSettings) -> BulkProducer:
    return BulkProducer(settings, transactional=f"payback-{domain.service}")


class _Publishing(Thread):
    """Publishes beside the stream. Our own failure stops the whole process, since half a worker that fails in silence would be worse."""

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
