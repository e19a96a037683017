"""A transaction in Kafka that neither ends nor goes on."""

import uuid
from collections.abc import Callable

from kafka import KafkaProducer

from tests.faults.alerts.scene import OTHER, Scene

Mend = Callable[[], object]


def hang(topic: str, code: str | None = None) -> Callable[[Scene], Mend]:
    """Readers of the topic wait behind it, while all other topics move."""

    def inject(scene: Scene) -> Mend:
        producer = KafkaProducer(
            bootstrap_servers=scene.platform.kafka,
            transactional_id=f"hangs-{uuid.uuid4()}",
            transaction_timeout_ms=600_000,
        )
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(topic, b"{}", key=b"hangs").get(10)
        producer.flush()
        scene.heartbeats([code or OTHER])

        def mend() -> None:
            producer.abort_transaction()
            producer.close()

        return mend

    return inject
