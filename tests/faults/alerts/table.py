"""The faults, each with the alert that must come of it. What a fault returns mends it."""

import signal
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import NamedTuple

import psycopg
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from contracts.authorities import AUTHORITIES
from contracts.topics import NATIONAL_AGGREGATES
from services.chassis.clock import system_clock
from tests.faults.alerts.done.brokers import begin_broker, kill_broker
from tests.faults.alerts.done.figures import age_release, alter_cell, alter_figure, forget_release, lose_row
from tests.faults.alerts.done.hanging import hang
from tests.faults.alerts.done.late import fall_behind, hold_up, never_hear
from tests.faults.alerts.done.machine import have_memory_told, run_short, tell_of_clock
from tests.faults.alerts.done.outside import (
    begin_copy,
    fill_disk,
    hold_up_webhooks,
    kill_copy,
    refuse_webhooks,
    slow_down,
    stop_receiver,
)
from tests.faults.alerts.done.refusals import (
    UNREADABLE,
    bad_tokens,
    fail_some,
    failing_requests,
    refuse_all,
    refuse_producer,
    refuse_some,
)
from tests.faults.alerts.done.servers import blind, crowd, forget_transaction, kill_often, take_right
from tests.faults.alerts.done.unlike import cut_off_proof, hold_loop, look_seldom, run_old_version, run_with_new_list
from tests.faults.alerts.scene import MIDDLE, OTHER, Scene, age
from tests.faults.alerts.watched import rules
from tests.unit.deploy.test_watch import certificate

Mend = Callable[[], object]
YEAR = timedelta(days=365)


class Fault(NamedTuple):
    """One fault, and the alert that it must raise; no other alert may page meanwhile."""

    name: str
    alert: str
    inject: Callable[[Scene], Mend]
    clears: bool = True
    stays: str = ""
    """For how long it stays if it does not clear."""
    also: frozenset[str] = frozenset()
    """What may page beside it here, since the platform measures no faster although rules wait for less."""
    spoils: bool = False
    """Whether rules see it for so long afterwards that the next fault wants a platform of its own."""
    before: Callable[[Scene], object] = lambda _: None
    """What must be there first; not measured."""
    beside: bool = False
    """Whether it is done side by side with the one before it in the table: neither touches what the other needs."""


def kill(name: str) -> Callable[[Scene], Mend]:
    def inject(scene: Scene) -> Mend:
        scene.platform.kill(name)
        return lambda: scene.platform.start(name)

    return inject


def freeze(name: str) -> Callable[[Scene], Mend]:
    def inject(scene: Scene) -> Mend:
        scene.platform.freeze(name)
        return lambda: scene.platform.thaw(name)

    return inject


def lose(job: str, name: str) -> Callable[[Scene], Mend]:
    def inject(scene: Scene) -> Mend:
        scene.watched.scrape(job, None)
        return lambda: scene.watched.scrape(job, scene.platform.metrics_address(name))

    return inject


def stop_postgres(scene: Scene) -> Mend:
    scene.postgres.stop()
    return scene.postgres.start


def kill_kafka(scene: Scene) -> Mend:
    scene.kafka.kill()
    return scene.kafka.start


def freeze_kafka(scene: Scene) -> Mend:
    scene.kafka.send_signal(signal.SIGSTOP)
    return lambda: scene.kafka.send_signal(signal.SIGCONT)


def cut_off_from_kafka(scene: Scene) -> Mend:
    """Cut the worker off from Kafka. Nothing is sent meanwhile, so that it has nothing to do."""
    assert scene.to_kafka is not None
    scene.to_kafka.cut()
    return scene.to_kafka.mend


def cut_off_from_postgres(scene: Scene) -> Mend:
    assert scene.to_postgres is not None
    scene.to_postgres.cut()
    return scene.to_postgres.mend


def hold_publication(scene: Scene) -> Mend:
    """Hold the turn to publish in somebody's session, which does nothing."""
    connection = psycopg.connect(scene.platform.database)
    connection.execute("SELECT FROM orders.publications WHERE authority = %s FOR UPDATE", [OTHER])
    scene.heartbeats([OTHER])
    return connection.close


def park(scene: Scene) -> Mend:
    insert = 'INSERT INTO orders.parks (authority, action, said, "by", at) VALUES (%s, %s, %s, %s, now())'
    scene.platform.execute(insert, MIDDLE, "parked", "a bug", "worker")
    return lambda: scene.platform.execute(insert, MIDDLE, "retried", "", "operator")


def put_aside(scene: Scene) -> Mend:
    with closing(KafkaProducer(bootstrap_servers=scene.platform.kafka)) as producer:
        producer.send(NATIONAL_AGGREGATES, b"{}", key=b"x").get(10)

    return lambda: scene.platform.execute("DELETE FROM reporting.put_aside")


def silence(authority: str | None = None) -> Callable[[Scene], Mend]:
    """Make it look as if the last event of one authority, or of all, came ten days ago; the proof may find that arrivals are not what
    the log says.
    """
    whose, which = ("WHERE authority = %s", [authority]) if authority else ("", [])

    def move(scene: Scene, by: str) -> None:
        for service in ("orders", "unpaid_work"):
            scene.platform.execute(
                f"UPDATE {service}.arrivals SET arrived_at = arrived_at + interval '{by}' {whose}", *which
            )

    def inject(scene: Scene) -> Mend:
        move(scene, "-10 days")

        def mend() -> None:
            move(scene, "10 days")
            scene.heartbeats(which or AUTHORITIES)

        return mend

    return inject


def ending_token(scene: Scene) -> Mend:
    began = system_clock() - YEAR + timedelta(days=10)
    assert scene.authority_posts(MIDDLE, scene.platform.token(MIDDLE, YEAR, began)) == 202
    return lambda: scene.authority_posts(MIDDLE, scene.platform.token(MIDDLE, YEAR, system_clock()))


def ending_certificate(scene: Scene) -> Mend:
    path = scene.files / "kafka.crt"
    path.write_bytes(certificate(system_clock() + timedelta(days=10)))
    return lambda: path.write_bytes(certificate(system_clock() + YEAR))


def old_backup(scene: Scene) -> Mend:
    age(scene.files / "kafka.tgz", timedelta(days=2))
    return lambda: age(scene.files / "kafka.tgz", timedelta())


def change_retention(scene: Scene) -> Mend:
    topic = f"orders.events.{MIDDLE}"
    _configure(scene, topic, "retention.ms", "3600000")
    return lambda: _configure(scene, topic, "retention.ms", "-1")


def hold_measuring(scene: Scene) -> Mend:
    """Hold, in somebody's session, a table of which a worker asks only to tell how its authorities are."""
    connection = psycopg.connect(scene.platform.database)
    connection.execute("LOCK TABLE orders.tree_heads IN ACCESS EXCLUSIVE MODE")
    return connection.close


def impossible_time(scene: Scene) -> Mend:
    """Send a record whose sender takes seconds for milliseconds, in a topic that keeps the sender's times for a moment."""
    topic = f"orders.events.{OTHER}"
    _configure(scene, topic, "message.timestamp.type", "CreateTime")
    with closing(KafkaProducer(bootstrap_servers=scene.platform.kafka)) as producer:
        producer.send(topic, UNREADABLE, timestamp_ms=1_790_000_000).get(10)
    _configure(scene, topic, "message.timestamp.type", "LogAppendTime")
    return lambda: None


def leave_open(scene: Scene) -> Mend:
    """Leave days open: the last day that was signed is four days ago."""
    last = system_clock().date() - timedelta(days=4)
    row = (
        "INSERT INTO orders.tree_heads (authority, day, size, root, next_offset, signed) VALUES (%s, %s, 0, '', 0, '')"
    )
    scene.platform.execute(row, MIDDLE, last)
    return lambda: scene.platform.execute("DELETE FROM orders.tree_heads WHERE authority = %s", MIDDLE)


def _configure(scene: Scene, topic: str, setting: str, value: str) -> None:
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, {setting: value})
    with closing(KafkaAdminClient(bootstrap_servers=scene.platform.kafka)) as admin:
        admin.alter_configs([resource])


def delete_history(scene: Scene) -> Mend:
    with closing(KafkaAdminClient(bootstrap_servers=scene.platform.kafka)) as admin:
        admin.delete_records({TopicPartition(f"orders.events.{MIDDLE}", 0): 1})
    return lambda: None


ALL = (
    Fault("a worker is killed", "ProcessDown", kill("orders-worker")),
    Fault("an API is frozen", "ProcessDown", freeze("unpaid_work-api")),
    Fault("a worker is frozen", "ProcessDown", freeze("reporting-worker")),
    Fault("a process is not there at all", "ProcessMissing", lose("watch", "watch")),
    Fault("PostgreSQL is stopped", "PostgresAway", stop_postgres),
    Fault("Kafka is killed", "KafkaAway", kill_kafka),
    Fault("Kafka is frozen", "KafkaAway", freeze_kafka),
    Fault("a worker is cut off from Kafka while idle", "WorkerStuck", cut_off_from_kafka),
    Fault("a worker stands still, and answers", "WorkerBlind", hold_loop("unpaid_work-worker")),
    Fault("an API is cut off from PostgreSQL", "CutOff", cut_off_from_postgres),
    Fault("one topic of 32 stands still", "AuthorityLate", hang(f"orders.events.{OTHER}")),
    Fault("the topic of aggregates stands still", "FiguresStale", hang(NATIONAL_AGGREGATES, MIDDLE)),
    Fault(
        "nobody publishes an authority's changes",
        "PublishingBehind",
        hold_publication,
        also=frozenset({"FiguresStale"}),
    ),
    Fault(
        "a worker does not know of a new authority",
        "TopicUnread",
        run_with_new_list,
        also=frozenset({"AggregatesPutAside"}),
    ),
    Fault("everybody falls silent", "NobodyHeard", silence(), also=frozenset({"ProofFailed"})),
    # What waits for longest.
    Fault("a process of another version runs", "VersionsDiffer", run_old_version),
    Fault(
        "an authority was never heard",
        "AuthoritiesMissing",
        never_hear,
        also=frozenset({"ProofFailed"}),
        beside=True,
    ),
    Fault("the latest release is old", "ReleaseOld", age_release, beside=True),
    Fault("the proof is cut off from PostgreSQL", "ProofStale", cut_off_proof, beside=True),
    Fault("nobody looks at Kafka", "Unwatched", look_seldom, beside=True),
    Fault(
        "an authority falls silent", "AuthoritySilent", silence(MIDDLE), also=frozenset({"ProofFailed"}), beside=True
    ),
    Fault("who tells of PostgreSQL is killed", "ExporterBlind", blind, beside=True),
    Fault("a worker falls behind", "LagGrowing", fall_behind, also=frozenset({"AuthorityLate"}), beside=True),
    Fault("publications are held up", "FreshnessBudget", hold_up, beside=True),
    # What is of one authority, of one file, of one session.
    Fault("all of the smallest authority is refused", "MostRefused", refuse_all),
    Fault("one in five events of an authority is refused", "RejectionBudget", refuse_some, beside=True),
    Fault("an authority is parked", "AuthorityParked", park, beside=True),
    Fault("an aggregate that cannot be read", "AggregatesPutAside", put_aside, beside=True),
    Fault("a flood with a token that is no longer good", "RequestsRefused", bad_tokens, beside=True),
    Fault("a token is about to end", "TokenEnds", ending_token, beside=True),
    Fault("a certificate is about to end", "CertificateEnds", ending_certificate, beside=True),
    Fault("a backup was not made", "BackupOld", old_backup, beside=True),
    Fault("retention is changed", "KafkaSettings", change_retention, beside=True),
    Fault("a cell of orders is altered", "ProofFailed", alter_cell("orders.cells"), beside=True),
    Fault("programs of two authorities take nothing", "WebhooksUntaken", refuse_webhooks, beside=True),
    Fault("an authority's program is told nothing any more", "WebhookStopped", stop_receiver, beside=True),
    Fault("a disk is filled", "DiskFilling", fill_disk, beside=True),
    Fault("memory runs short", "MemoryShort", run_short, before=have_memory_told, beside=True),
    Fault("a transaction is left open", "TransactionForgotten", forget_transaction, beside=True),
    Fault("nobody signs the days of an authority", "DayUnclosed", leave_open, beside=True),
    # What the proof comes round to, and a process that is watched for half an hour.
    Fault("a process loses a right in PostgreSQL", "DatabaseSettings", take_right),
    Fault("a row of reporting is lost", "AggregatesUnequal", lose_row, also=frozenset({"ProofFailed"}), beside=True),
    Fault("a release does not come", "ReleaseLate", forget_release, beside=True),
    Fault("the way to PostgreSQL is slow", "RequestsSlow", slow_down, beside=True),
    Fault("a process dies again and again", "ProcessRestarting", kill_often, beside=True),
    Fault("who sends webhooks is held up", "WebhooksStill", hold_up_webhooks),
    Fault("a worker cannot ask how its authorities are", "BooksUnmeasured", hold_measuring, beside=True),
    Fault("a broker of two is killed", "BrokerGone", kill_broker, before=begin_broker, beside=True),
    Fault("a cell of unpaid work is altered", "ProofFailed", alter_cell("unpaid_work.cells")),
    Fault("PostgreSQL has hardly any connections left", "PostgresCrowded", crowd, beside=True),
    # From here on a copy is asked for: nobody forgets it again.
    Fault("a figure of reporting is altered", "ProofFailed", alter_figure),
    Fault("who copies Kafka is killed", "CopyBehind", kill_copy, before=begin_copy, beside=True),
    Fault("one request in twenty fails", "RequestsFailingSlowly", fail_some, beside=True),
    # Its table is gone, so the proof cannot read it either.
    Fault("requests fail", "RequestsFailing", failing_requests, also=frozenset({"ProofFailed"}), spoils=True),
    # These cannot be mended within the time that rules look back, or not at all, so they come last.
    Fault(
        "a new version of a producer is refused",
        "ProducerRefused",
        refuse_producer,
        clears=False,
        stays="for the day that it looks back on",
    ),
    Fault(
        "a record has an impossible time",
        "RecordTimesWrong",
        impossible_time,
        clears=False,
        stays="for the hour that it looks back on",
        beside=True,
    ),
    Fault(
        "history is deleted",
        "HistoryGone",
        delete_history,
        clears=False,
        also=frozenset({"ProofFailed"}),
        beside=True,
    ),
    Fault(
        "nobody keeps the clock of a machine",
        "ClockWrong",
        tell_of_clock,
        clears=False,
        stays="until somebody does",
        beside=True,
    ),
)
FAULTS = tuple(fault for fault in ALL if fault.alert in rules())
