"""Faults in an order that a seed decides, on real parts under load: `python -m tests.faults.chaos --help`, or `make chaos`.

After each fault the load that was sent meanwhile must be shown, with no hand's help; the time that took is printed by fault. At the end
of each seed everything is compared: receipts with outcomes, cells with their records and with what the pretend authorities know,
reporting with both, and what compaction would leave of the national topic with what the services hold.
"""

import signal
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median
from typing import Annotated

import msgspec
import psycopg
import typer
from kafka import KafkaConsumer, KafkaProducer
from kafka import TopicPartition as KafkaPartition

from contracts.authorities import AUTHORITIES
from contracts.cells import Cell, decode_aggregate
from contracts.topics import NATIONAL_AGGREGATES
from deploy.local.postgres import Postgres, create_database
from services.chassis.failures import Away
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.bulk import BulkProducer
from services.chassis.streaming.kafka import Producer, Record
from services.simulate.telling.sending import Delivery
from tests.support import parts
from tests.support.kafka import KafkaProcess, remove_topics
from tests.support.load import SERVICE_OF, Load
from tests.support.processes import WORKERS, Platform, running_platform, until

QUICK = {
    "kafka_session_timeout_seconds": "3",
    "stream_batch_max_messages": "25",
    "stream_retry_longest_seconds": "2",
    "stream_identity_every_seconds": "2",
    "database_idle_transaction_seconds": "3",
}
ARRIVAL = ("events", "reporting_delay", "sequence")
POISON = (
    None,
    b"",
    b"\x00\xff not json",
    b"{" * 10_000,
    b'{"specversion":"1.0","sequence":999999999999999999999}',
    b"[" + b"1," * 50_000 + b"1]",
)


@dataclass
class Scene:
    """What a fault may touch."""

    platform: Platform
    kafka: KafkaProcess
    postgres: Postgres
    random: Random
    bystander: str
    """An authority that sends nothing but poison."""
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def worker(self) -> str:
        return self.random.choice(WORKERS)

    def linger(self, longest: float = 3.0) -> None:
        time.sleep(self.random.uniform(0.2, longest))


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
    """For longer than its session."""
    name = scene.worker()
    scene.platform.freeze(name)
    time.sleep(scene.random.uniform(3.5, 6))
    scene.platform.thaw(name)


def replace_a_frozen_worker(scene: Scene) -> None:
    """Another one takes over while it stands still; then both go on together for a while."""
    name = scene.worker()
    scene.platform.add("stand-in", name)
    scene.platform.freeze(name)
    scene.platform.spawn("stand-in")
    time.sleep(scene.random.uniform(4, 7))
    scene.platform.thaw(name)
    scene.linger()
    scene.platform.kill("stand-in")


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
    """Whatever they are doing."""
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


def poison(scene: Scene) -> None:
    """What nobody should send, from an authority of its own and in every codec."""
    codec = scene.random.choice((None, "gzip", "snappy", "lz4", "zstd"))
    with closing(KafkaProducer(bootstrap_servers=scene.platform.kafka, compression_type=_known(codec))) as producer:
        for topic in ("orders.events", "unpaid-work.events"):
            producer.send(f"{topic}.{scene.bystander}", key=b"k", value=scene.random.choice(POISON))


def _known(codec: str | None) -> str | None:
    """What this library can write without packages that nothing else needs."""
    return codec if codec in {None, "gzip", "lz4"} else "gzip"


def abort_a_transaction(scene: Scene) -> None:
    """What was sent within was never sent, whatever it says."""
    settings = KafkaSettings(bootstrap=scene.platform.kafka)
    with BulkProducer(settings, transactional="chaos") as producer, suppress(Never), producer.transaction():
        producer.send_all([Record(f"orders.events.{scene.bystander}", b"k", b"never sent")])
        raise Never


class _Identified(msgspec.Struct):
    id: str


_identified = msgspec.json.Decoder(_Identified)


class Never(Exception):
    pass


FAULTS: tuple[Callable[[Scene], None], ...] = (
    kill_a_worker,
    kill_all_workers,
    freeze_a_worker,
    replace_a_frozen_worker,
    restart_a_worker,
    kill_kafka,
    freeze_kafka,
    kill_postgres,
    restart_postgres,
    end_sessions,
    hold_a_lock,
    poison,
    abort_a_transaction,
)


def play(scene: Scene, load: Load, faults: Sequence[Callable[[Scene], None]]) -> None:
    """One fault after another, each in the middle of a piece of the load, and then all the checks."""
    pieces = load.pieces(len(faults))
    for fault, piece in zip(faults, pieces, strict=False):
        half = len(piece) // 2
        send(scene.platform, load, piece[:half])
        time.sleep(scene.random.uniform(0, 0.5))
        fault(scene)
        began = time.monotonic()
        send(scene.platform, load, piece[half:])
        load.wait_until_shown(scene.platform)
        scene.took[fault.__name__].append(time.monotonic() - began)
    check(scene.platform, load)


def send(platform: Platform, load: Load, deliveries: Sequence[Delivery]) -> None:
    """To Kafka itself, again and again until it has it: what comes twice counts once."""
    with Producer(KafkaSettings(bootstrap=platform.kafka)) as producer:
        for begin in range(0, len(deliveries), 200):
            batch = [Record(one.topic, one.key, one.value) for one in deliveries[begin : begin + 200]]
            while True:
                try:
                    receipts = producer.send_all(batch)
                except Away:
                    time.sleep(0.5)
                else:
                    break
            for receipt, record in zip(receipts, batch, strict=True):
                with suppress(msgspec.MsgspecError):  # pretend authorities send what cannot be read, too
                    load.receipts[receipt.topic, receipt.offset] = _identified.decode(record.value or b"").id


def check(platform: Platform, load: Load) -> None:
    """Nothing lost, nothing doubled, nothing stale, everything back."""
    load.assert_once(platform)
    load.assert_reporting_equal(platform)
    spoken = {_dimension(key) for key in load.cells if key.split("|")[0] not in ARRIVAL}
    shown = {key: n for key, n in platform.cells(load.authorities).items() if _dimension(key) in spoken}
    assert shown == {key: n for key, n in load.cells.items() if _dimension(key) in spoken}
    assert_log_is_fresh(platform, load)
    for name in WORKERS:
        until(lambda name=name: platform.up(name), f"{name} is back")  # type: ignore[misc]


def assert_log_is_fresh(platform: Platform, load: Load) -> None:
    """What compaction would leave is what the services hold, and no version ever goes back."""
    newest: dict[str, Cell] = {}
    for message in national(platform.kafka):
        aggregate = decode_aggregate(message)
        if isinstance(aggregate, Cell):
            before = newest.get(aggregate.key)
            assert before is None or before.version <= aggregate.version, f"{aggregate.key} went back"
            newest[aggregate.key] = aggregate
    for service in SERVICE_OF.values():
        query = (
            "SELECT measure, authority, period::text, category, known_on::text, sum(delta) OVER (PARTITION BY "
            f"measure, authority, period, category ORDER BY known_on)::bigint FROM {service}.cells WHERE authority = ANY(%s)"
        )
        for measure, authority, period, category, day, value in platform.rows(query, list(load.authorities)):
            kept = newest[f"{service}|{authority}|{measure}|{period}|{category}|{day}"]
            assert kept.value == value, kept.key


def national(address: str) -> Iterator[bytes]:
    with closing(
        KafkaConsumer(bootstrap_servers=address, isolation_level="read_committed", enable_auto_commit=False)
    ) as consumer:
        source = KafkaPartition(NATIONAL_AGGREGATES, 0)
        consumer.assign([source])
        consumer.seek_to_beginning(source)
        end = consumer.end_offsets([source])[source]
        while consumer.position(source) < end:
            for messages in consumer.poll(2_000).values():
                yield from (message.value for message in messages if message.value)


def _dimension(key: str) -> tuple[str, str]:
    measure, _, _, category = key.split("|")
    return measure, category.partition("=")[0]


def schedule(random: Random, length: int) -> list[Callable[[Scene], None]]:
    """Every fault about equally often."""
    found: list[Callable[[Scene], None]] = []
    while len(found) < length:
        found += random.sample(FAULTS, len(FAULTS))
    return found[:length]


@contextmanager
def stage(kafka: KafkaProcess, postgres: Postgres) -> Iterator[Platform]:
    """The platform on an empty database and an empty Kafka."""
    remove_topics(kafka.address)
    database = create_database(postgres.url, f"chaos_{uuid.uuid4().hex}")
    settings = dict.fromkeys(WORKERS, QUICK)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory,
        running_platform(Path(directory), kafka.address, database, settings) as platform,
    ):
        yield platform


def main(
    seeds: Annotated[int, typer.Option(help="How many seeds.")] = 5,
    first: Annotated[int, typer.Option(help="The first of them.")] = 1,
    faults: Annotated[int, typer.Option(help="Faults by seed.")] = len(FAULTS),
) -> None:
    """Play seeds, one after another, and print by fault how often it was injected and how long recovery took."""
    took: dict[str, list[float]] = defaultdict(list)
    with parts.kafka_process() as kafka, parts.postgres_process(Path(tempfile.mkdtemp())) as postgres:
        for seed in range(first, first + seeds):
            random = Random(seed)
            *authorities, bystander = random.sample(sorted(AUTHORITIES), 3)
            with stage(kafka, postgres) as platform:
                scene = Scene(platform, kafka, postgres, random, bystander, took)
                sys.stderr.write(f"seed {seed}\n")
                play(scene, Load(authorities, months=3, seed=seed), schedule(random, faults))
    sys.stdout.write(table(took))


def table(took: dict[str, list[float]]) -> str:
    lines = [f"{'fault':28} {'times':>5} {'median':>8} {'longest':>8}  seconds until all is shown"]
    for name, seconds in sorted(took.items()):
        lines.append(f"{name.replace('_', ' '):28} {len(seconds):5} {median(seconds):8.1f} {max(seconds):8.1f}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    typer.run(main)
