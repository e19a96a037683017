"""Faults that any test may inject: of workers, of Kafka, of PostgreSQL, and of those who send."""

import signal
import time
from contextlib import closing, suppress

import psycopg
from kafka import KafkaProducer

from services.chassis.settings import KafkaSettings
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.outgoing import Outgoing
from tests.faults.chaos.scene import Fault, Scene, send
from tests.support.processes import WORKERS, until

POISON = (
    None,
    b"",
    b"\x00\xff not json",
    b"{" * 10_000,
    b'{"specversion":"1.0","sequence":999999999999999999999}',
    b"[" + b"1," * 50_000 + b"1]",
)
CODECS = (None, "gzip", "lz4", "snappy", "zstd")


def kill_a_worker(scene: Scene) -> None:
    name = scene.worker()
    scene.platform.kill(name)
    scene.linger(1)
    scene.platform.spawn(name)


def kill_all_workers(scene: Scene) -> None:
    for name in WORKERS:
        scene.platform.kill(name)
    scene.platform.spawn(*WORKERS)


def freeze_a_worker(scene: Scene) -> None:
    """Freeze a worker for longer than its session."""
    name = scene.worker()
    scene.platform.freeze(name)
    time.sleep(scene.random.uniform(3.5, 6))
    scene.platform.thaw(name)


def replace_a_frozen_worker(scene: Scene) -> None:
    """Freeze a worker until another one has taken over; then let both go on together for a while."""
    name = scene.worker()
    scene.platform.add("stand-in", name)
    scene.platform.freeze(name)
    scene.platform.spawn("stand-in")
    time.sleep(scene.random.uniform(4, 7))
    scene.platform.thaw(name)
    scene.linger()
    scene.platform.kill("stand-in")


def come_and_go(scene: Scene) -> None:
    """Have more workers of one service join, and leave again, in an orderly way or not."""
    like = scene.worker()
    names = [f"{like}-{number}" for number in range(scene.random.randint(1, 3))]
    for name in names:
        scene.platform.add(name, like)
        scene.platform.spawn(name)
        scene.linger(2)
    for name in scene.random.sample(names, len(names)):
        orderly = scene.random.random() < 0.5 and scene.platform.up(name)
        (scene.platform.stop if orderly else scene.platform.kill)(name)
        scene.linger(2)


def restart_a_worker(scene: Scene) -> None:
    name = scene.worker()
    until(lambda: scene.platform.up(name), f"{name} works")
    scene.platform.stop(name)
    scene.platform.spawn(name)


def kill_kafka(scene: Scene) -> None:
    scene.kafka.kill()
    scene.linger()
    scene.kafka.start()


def freeze_kafka(scene: Scene) -> None:
    scene.kafka.send_signal(signal.SIGSTOP)
    time.sleep(scene.random.uniform(1, 5))
    scene.kafka.send_signal(signal.SIGCONT)


def kill_postgres(scene: Scene) -> None:
    scene.postgres.kill()
    scene.linger()
    scene.postgres.start()


def restart_postgres(scene: Scene) -> None:
    scene.postgres.stop()
    scene.postgres.start()


def end_sessions(scene: Scene) -> None:
    """End all sessions, whatever they are doing."""
    for _ in range(scene.random.randint(1, 4)):
        scene.platform.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'payback-%%'"
        )
        time.sleep(scene.random.uniform(0, 0.4))


def hold_a_lock(scene: Scene) -> None:
    table = scene.random.choice(("checkpoints", "shards", "publications"))
    with psycopg.connect(scene.platform.database) as connection:
        connection.execute(f"LOCK TABLE orders.{table} IN ACCESS EXCLUSIVE MODE".encode())
        scene.linger(5)


def send_again(scene: Scene) -> None:
    """Send again, in another order, events that were sent before: each counts once."""
    load = scene.under_way
    send(scene.platform, load, scene.random.sample(load.deliveries[: len(load.receipts)], min(300, len(load.receipts))))


def poison(scene: Scene) -> None:
    """Send messages that nobody should send, from an authority of its own and in every codec."""
    packed = scene.random.choice(CODECS)
    with closing(KafkaProducer(bootstrap_servers=scene.platform.kafka, compression_type=packed)) as producer:
        for topic in ("orders.events", "unpaid-work.events"):
            producer.send(f"{topic}.{scene.bystander}", key=b"k", value=scene.random.choice(POISON))


def abort_a_transaction(scene: Scene) -> None:
    """Abort a transaction: events sent within it were never sent, whatever they say."""
    settings = KafkaSettings(bootstrap=scene.platform.kafka)
    with BulkProducer(settings, transactional="chaos") as producer, suppress(Never), producer.transaction():
        producer.send_all([Outgoing(f"orders.events.{scene.bystander}", b"k", b"never sent")])
        raise Never


class Never(Exception):
    pass


FAULTS: tuple[Fault, ...] = (
    kill_a_worker,
    kill_all_workers,
    freeze_a_worker,
    replace_a_frozen_worker,
    come_and_go,
    restart_a_worker,
    kill_kafka,
    freeze_kafka,
    kill_postgres,
    restart_postgres,
    end_sessions,
    hold_a_lock,
    send_again,
    poison,
    abort_a_transaction,
)
