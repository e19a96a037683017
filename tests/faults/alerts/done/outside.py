"""Faults of what is around the platform: receivers of webhooks that take nothing, a sender held up,
a slow way, a disk that fills, a copy of Kafka that nobody keeps."""

import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
from kafka import KafkaProducer

from tests.faults.alerts.scene import Scene, people
from tests.support.kafka import KafkaProcess
from tests.support.outside.receiver import status
from tests.support.processes import until

Mend = Callable[[], object]
TOLD = ("S12000005", "S12000036")
"""Authorities whose programs are told by webhooks."""
STOPPED = "S12000021"
"""One whose program is told nothing any more."""
REFUSED = b'{"specversion": "1.0"}'
COPY = "copy"
AT_ONCE = 3
LAG_SECONDS = 0.2


def refuse_webhooks(scene: Scene) -> Mend:
    """Have the programs of two authorities, and there are no more, answer that they are out of order."""
    assert scene.program is not None
    scene.program.answer = status(503)
    for code in TOLD:
        body = {"name": "the case system", "url": scene.program.url}
        scene.platform.client("orders", code).post("/v1/webhooks", json=body).raise_for_status()
    with closing(KafkaProducer(bootstrap_servers=scene.platform.kafka)) as producer:
        for code in TOLD:
            producer.send(f"orders.events.{code}", REFUSED).get(10)

    def mend() -> None:
        assert scene.program is not None
        scene.program.answer = status(204)

    return mend


def hold_up_webhooks(scene: Scene) -> Mend:
    """Hold the table of receivers in somebody's session, which does nothing."""
    connection = psycopg.connect(scene.platform.database)
    connection.execute("LOCK TABLE orders.webhooks IN ACCESS EXCLUSIVE MODE")
    return connection.close


def stop_receiver(scene: Scene) -> Mend:
    """Stop a receiver as one that has failed for days; its authority removes it in the end."""
    assert scene.program is not None
    client = scene.platform.client("orders", STOPPED)
    body = {"name": "the case system", "url": scene.program.url}
    client.post("/v1/webhooks", json=body).raise_for_status()
    scene.platform.execute("UPDATE orders.webhooks SET stopped_at = now() WHERE authority = %s", STOPPED)
    return lambda: scene.platform.execute("DELETE FROM orders.webhooks WHERE authority = %s", STOPPED)


def slow_down(scene: Scene) -> Mend:
    """Slow the way to PostgreSQL so that a page takes seconds, and yet a connection can be made, while people look at what is due."""
    assert scene.to_postgres is not None
    scene.to_postgres.lag = LAG_SECONDS
    client = scene.platform.client("unpaid_work", TOLD[0])
    away = people(AT_ONCE, lambda: client.get("/v1/worklist"))

    def mend() -> None:
        assert scene.to_postgres is not None
        scene.to_postgres.lag = 0.0
        away()

    return mend


def begin_copy(scene: Scene) -> None:
    """Begin a copy: another Kafka holds all topics too, and Prometheus knows."""
    other = KafkaProcess()
    scene.later.callback(other.remove)
    other.start()
    scene.platform.add(COPY, "orders-worker", str(Path(sys.executable).with_name("payback")), "copy", "--follow")
    scene.platform.tell(COPY, kafka_bootstrap=scene.platform.kafka, target_bootstrap=other.address)
    scene.platform.spawn(COPY)
    scene.watched.scrape(COPY, scene.platform.metrics_address(COPY))
    until(lambda: _known(scene), "Prometheus knows how far the copy is")


def _known(scene: Scene) -> bool:
    asked = "payback:copied_timestamp_seconds > 0"
    return bool(scene.watched.ask("query", query=asked)["result"])


def kill_copy(scene: Scene) -> Mend:
    """Kill the copy, so that nobody tells how far it is; the alert must not wait for it to say so."""
    scene.platform.kill(COPY)
    return lambda: scene.platform.spawn(COPY)


def fill_disk(scene: Scene) -> Mend:
    """Fill the disk for backups but for a few megabytes."""
    assert scene.disk is not None
    free = os.statvfs(scene.disk)
    big = scene.disk / "core"
    with big.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, int(free.f_bavail * free.f_frsize * 0.95))
    return big.unlink
