"""A Faust agent as its documentation shows it, with the work and the writes of the orders worker: one message, one transaction."""

import faust
from prometheus_client import CollectorRegistry

from contracts.topics import source_topics
from services.chassis.database import engine
from services.chassis.streaming.batches import Slice, TopicPartition
from services.chassis.streaming.clients.admin import Admin
from services.orders.domain import domain
from services.records.config.settings import WorkerSettings
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.worker import Worker
from services.records.model.bank_holidays import scotland


class Taken:
    """A message as Kafka gave it."""

    def __init__(self, event: faust.EventT) -> None:  # type: ignore[type-arg]
        message = event.message
        self.offset, self.key, self.value = message.offset, message.key, message.value
        self.timestamp = int(message.timestamp * 1000)
        self.headers: tuple[tuple[str, bytes | None], ...] = ()


def main() -> None:
    """Run until killed."""
    settings = WorkerSettings.load()
    topics = source_topics(*domain(scotland()).kinds)
    with_admin = Admin(settings.kafka)
    identities = with_admin.identities(topics)
    worker = Worker(engine(settings.database), domain(scotland()), RecordsMetrics(CollectorRegistry()))
    worker.start({TopicPartition(topic, 0): identities[topic] for topic in topics})
    app = faust.App(
        "stock",
        broker=f"kafka://{settings.kafka.bootstrap}",
        consumer_auto_offset_reset="earliest",
        topic_allow_declare=False,
        topic_disable_leader=True,
        store="memory://",
        web_enabled=False,
        autodiscover=False,
        value_serializer="raw",
        key_serializer="raw",
    )

    @app.agent(app.topic(*topics))
    async def take(stream: faust.StreamT) -> None:  # type: ignore[type-arg]
        async for event in stream.events():
            worker.process([Slice(event.message.topic, event.message.partition, [Taken(event)])])

    faust.Worker(app, loglevel="warning").execute_from_commandline()


if __name__ == "__main__":
    main()
