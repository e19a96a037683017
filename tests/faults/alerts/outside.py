"""Faults of what is around the platform: receivers of webhooks that take nothing, a sender held up, a slow way, a disk that fills."""

import os
import threading
from collections.abc import Callable
from contextlib import closing

import psycopg
from kafka import KafkaProducer

from tests.faults.alerts.scene import Scene
from tests.support.receiver import status

Mend = Callable[[], object]
TOLD = ("S12000005", "S12000036")
"""Authorities whose programs are told by webhooks."""
REFUSED = b'{"specversion": "1.0"}'
AT_ONCE = 4
LAG_SECONDS = 1.0


def refuse_webhooks(scene: Scene) -> Mend:
    """The programs of two authorities, and there are no more, answer that they are out of order."""
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
    """Somebody's session holds the table of receivers, and does nothing."""
    connection = psycopg.connect(scene.platform.database)
    connection.execute("LOCK TABLE orders.webhooks IN ACCESS EXCLUSIVE MODE")
    return connection.close


def slow_down(scene: Scene) -> Mend:
    """The way to PostgreSQL takes a second, while people look at what is due."""
    assert scene.to_postgres is not None
    scene.to_postgres.lag = LAG_SECONDS
    stop = threading.Event()
    people = [threading.Thread(target=_look, args=(scene, stop), daemon=True) for _ in range(AT_ONCE)]
    for person in people:
        person.start()

    def mend() -> None:
        assert scene.to_postgres is not None
        scene.to_postgres.lag = 0.0
        stop.set()
        for person in people:
            person.join()

    return mend


def _look(scene: Scene, stop: threading.Event) -> None:
    client = scene.platform.client("unpaid_work", TOLD[0])
    while not stop.is_set():
        client.get("/v1/worklist")


def fill_disk(scene: Scene) -> Mend:
    """All but a few megabytes of the disk for backups are taken."""
    assert scene.disk is not None
    free = os.statvfs(scene.disk)
    big = scene.disk / "core"
    with big.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, int(free.f_bavail * free.f_frsize * 0.95))
    return big.unlink
