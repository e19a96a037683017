"""Faults that need a stage of one's own: of networks, disks, clocks and servers, and a new version that is rolled out."""

import os
import shutil
import signal
import time
from contextlib import closing, suppress
from pathlib import Path

import psycopg
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from contracts.events import Topic
from deploy.local.postgres import Postgres
from services.records.ingest.guarding.parking import Action
from tests.faults.chaos.faults import POISON
from tests.faults.chaos.scene import Fault, Scene
from tests.support.outside.proxy import Proxy
from tests.support.processes import WORKERS, Platform, until

DAY = 86_400_000
REFUSED = 3
"""The status of a worker that must not go on by itself."""


def _way(scene: Scene) -> Proxy:
    return scene.random.choice((scene.own.to_kafka, scene.own.to_postgres))


def cut_the_network(scene: Scene) -> None:
    """Cut the network to Kafka or to PostgreSQL, so that nothing gets through and nobody is told."""
    way = _way(scene)
    way.cut()
    time.sleep(scene.random.uniform(1, 8))
    way.mend()


def slow_the_network(scene: Scene) -> None:
    way = _way(scene)
    way.delay = scene.random.uniform(0.02, 0.3)
    time.sleep(scene.random.uniform(2, 6))
    way.mend()


def break_connections_off(scene: Scene) -> None:
    for _ in range(scene.random.randint(1, 4)):
        _way(scene).reset()
        time.sleep(scene.random.uniform(0, 0.5))


def freeze_sessions(scene: Scene) -> None:
    """Freeze PostgreSQL's own processes, with whatever they hold."""
    found = scene.platform.rows("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'payback-%%'")
    pids = [pid for (pid,) in found if scene.random.random() < 0.5]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    time.sleep(scene.random.uniform(1, 5))
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


class Replica(Postgres):
    """Follows another server until it is promoted."""

    def __init__(self, directory: Path, primary: Postgres) -> None:
        super().__init__(directory)
        self._primary, self._password = primary, primary._password

    def promote(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")

    def _make_cluster(self) -> None:
        self._data.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(self._data, self._user.pw_uid, self._user.pw_gid)
        copying = self._run(
            *("pg_basebackup", "--pgdata", str(self._data), "--dbname", self._primary.url),
            *("--write-recovery-conf", "--wal-method", "stream", "--checkpoint", "fast", "--no-sync"),
        )
        assert copying.wait() == 0, self.log.read_text()[-2000:]


def fail_over(scene: Scene) -> None:
    """Kill PostgreSQL, so that a replica that may lack the tail takes its place for good."""
    directory = scene.own.directory / f"replica-{time.monotonic_ns()}"
    directory.mkdir(mode=0o711)
    replica, before = Replica(directory, scene.postgres), scene.postgres
    replica.start()
    scene.linger(1)
    before.kill()
    replica.promote()
    scene.postgres = replica
    scene.own.to_postgres.target = replica.port
    scene.own.to_postgres.reset()
    scene.platform.database = replica.url.rpartition("/")[0] + "/" + scene.platform.database.rpartition("/")[2]
    before.remove()


def fill_a_disk(scene: Scene) -> None:
    """Fill a disk of Kafka or of PostgreSQL; whichever stops for it is started again when there is room."""
    disk = scene.random.choice(scene.own.disks)
    filling = disk / "filling"
    with filling.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 20))
    scene.linger(4)
    filling.unlink()
    scene.kafka.ensure_running()
    scene.postgres.ensure_running()


def jump_the_clock(scene: Scene) -> None:
    """Send records with the times of a broker whose clock is wrong by much, forwards or backwards."""
    topic = f"unpaid-work.events.{scene.bystander}"
    now = int(time.time() * 1000)
    with closing(KafkaAdminClient(bootstrap_servers=scene.platform.kafka)) as admin:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, {"message.timestamp.type": "CreateTime"})
        admin.alter_configs([resource])
    with closing(KafkaProducer(bootstrap_servers=scene.platform.kafka)) as producer:
        for days in (0, scene.random.choice((400, -400, 20_000, -20_000)), 0):
            producer.send(topic, key=b"k", value=scene.random.choice(POISON), timestamp_ms=max(0, now + days * DAY))
    reached = (
        "SELECT max(value::date) - current_date FROM unpaid_work.shards, jsonb_each_text(reached) WHERE authority = %s"
    )
    (ahead,) = scene.platform.rows(reached, scene.bystander)[0]
    assert ahead is None or ahead <= 1, f"books are {ahead} days ahead of the clock"


def add_a_partition(scene: Scene) -> None:
    """Add a partition to a topic that must have one: its authority is parked, and the others go on."""
    topic = f"orders.events.{scene.bystander}"
    with closing(KafkaAdminClient(bootstrap_servers=scene.platform.kafka)) as admin:
        (found,) = admin.describe_topics([topic])
        if len(found["partitions"]) > 1:
            return
        admin.create_partitions({topic: 2})
    until(lambda: scene.bystander in parked(scene.platform), f"{scene.bystander} is parked")


def parked(platform: Platform) -> set[str]:
    """Return who is parked now, according to the latest row of each authority."""
    latest = "SELECT DISTINCT ON (authority) authority, action FROM orders.parks ORDER BY authority, id DESC"
    return {authority for authority, action in platform.rows(latest) if action == Action.PARKED}


def roll_out_other_rules(scene: Scene) -> None:
    """Start a worker with other rules beside the old one, which then goes; and take it all back."""
    name = scene.random.choice(WORKERS[:2])
    path = scene.own.directory / "closed_days.csv"
    path.write_text(f"authority,day,name\n{scene.random.choice(scene.under_way.authorities)},2026-01-05,closed\n")
    scene.platform.add("next", name)
    scene.platform.tell("next", calendar_closed_days_path=str(path))
    scene.platform.spawn("next")
    scene.linger(4)
    scene.platform.kill(name)
    until(lambda: scene.platform.up("next"), "the new version works")
    scene.platform.spawn(name)
    scene.linger(4)
    scene.platform.kill("next")


def restore_an_older_copy(scene: Scene) -> None:
    """Restore an older copy of Kafka's data: every worker refuses it, and goes on when the newer one is back."""
    older, newer = (scene.own.directory / f"{name}-{time.monotonic_ns()}" for name in ("older", "newer"))
    scene.kafka.stop()
    scene.kafka.copy(older)
    scene.kafka.start()
    _send_unreadable(scene)
    scene.under_way.wait_until_shown(scene.platform)
    scene.kafka.stop()
    scene.kafka.copy(newer)
    scene.kafka.restore(older)
    scene.kafka.start()
    _send_unreadable(scene)  # other events, at the offsets of those that were taken
    for name in WORKERS:
        status = scene.platform.exit_status(name)
        assert status == REFUSED, f"{name} ended with {status}"
    scene.kafka.stop()
    scene.kafka.restore(newer)
    scene.kafka.start()
    scene.platform.spawn(*WORKERS)
    for copy in (older, newer):
        shutil.rmtree(copy)


def _send_unreadable(scene: Scene) -> None:
    """Send one unreadable message to each topic of those whose load is under way."""
    topics = [f"{kind}.{authority}" for kind in Topic for authority in scene.under_way.authorities]
    with closing(KafkaProducer(bootstrap_servers=scene.platform.kafka)) as producer:
        for topic in topics:
            producer.send(topic, key=b"k", value=b"%d" % time.monotonic_ns())


WIDER: tuple[Fault, ...] = (
    cut_the_network,
    slow_the_network,
    break_connections_off,
    freeze_sessions,
    fail_over,
    fill_a_disk,
    jump_the_clock,
    add_a_partition,
    roll_out_other_rules,
    restore_an_older_copy,
)
