"""Metrics of what no service sees of itself: wrong topics, certificates that expire, backups that were not made."""

import logging
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from threading import Event

import typer
from prometheus_client import CollectorRegistry, Gauge
from pydantic import Field

from contracts.events import Topic
from contracts.topics import source_topics
from services.chassis import logs
from services.chassis.clock import system_clock
from services.chassis.failures import Failure
from services.chassis.metrics import exposed, new_registry
from services.chassis.settings import Group, KafkaSettings, LogSettings, MetricsSettings, Settings
from services.chassis.streaming.clients.admin import Admin
from services.operations.doctor import begins_late, copies, dated_ahead, full
from services.operations.expiry import ends, of_kafka
from services.operations.topics import topic_specs

commands = typer.Typer()
log = logging.getLogger(__name__)
BACKUPS = {"postgresql": "payback*.dump", "kafka": "kafka*.tgz"}
"""The backups that the page `restore` asks operators to make, by the names of the files."""
ABOUT = ("topics", "copies", "history", "record_times", "disks")


class LookSettings(Group):
    """The places to look at, and how often."""

    every_seconds: float = Field(default=300.0, gt=0)
    replication: int = Field(
        default=-1, description="the replicas that each topic must have; -1 for the cluster's default"
    )
    backups_path: Path | None = Field(default=None, description="the folder where backups are put")
    certificates_path: Path | None = Field(
        default=None, description="a folder with *.pem or *.crt files whose expiry is watched"
    )


class WatchSettings(Settings):
    """Settings of `payback watch`, from the environment."""

    kafka: KafkaSettings
    watch: LookSettings = LookSettings()
    metrics: MetricsSettings = MetricsSettings(port=9105)
    logs: LogSettings = LogSettings()


class WatchMetrics:
    """Metrics of findings, by what they are about."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.findings = Gauge(
            "payback_findings",
            "Problems with Kafka: topics and their settings, copies, history, record_times, disks; `payback doctor` describes them",
            ["about"],
            registry=registry,
        )
        self.looked = Gauge(
            "payback_findings_timestamp_seconds", "When Kafka was last checked completely", registry=registry
        )
        self.looked.set_to_current_time()
        self.brokers = Gauge(
            "payback_brokers", "How many brokers of Kafka run; 0 while nobody has counted them", registry=registry
        )
        self.certificates = Gauge(
            "payback_certificate_expires_timestamp_seconds",
            "When a certificate expires, by the name of its file",
            ["file"],
            registry=registry,
        )
        self.backups = Gauge(
            "payback_backup_timestamp_seconds",
            "When the latest backup was finished, by what it is of; 0 where there is none",
            ["of"],
            registry=registry,
        )


@commands.command(
    help=(
        "Check Kafka, certificates and backups every few minutes, and report to Prometheus. Runs until it is stopped.\n\n"
        "Kafka is where PAYBACK_KAFKA_BOOTSTRAP says. PAYBACK_WATCH_BACKUPS_PATH and PAYBACK_WATCH_CERTIFICATES_PATH "
        "name folders."
    ),
)
def watch() -> None:
    settings = WatchSettings.load()
    logs.configure(settings.logs, "watch")
    registry, stop = new_registry(), Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    metrics = WatchMetrics(registry)
    with exposed(settings.metrics, registry):
        while True:
            look(settings, metrics, system_clock())
            if stop.wait(settings.watch.every_seconds):
                return


def look(settings: WatchSettings, metrics: WatchMetrics, now: datetime) -> None:
    """Look at everything once. The metrics of anything that does not answer stay as they were, and their time shows it."""
    for of, pattern in BACKUPS.items() if settings.watch.backups_path else ():
        metrics.backups.labels(of).set(latest(settings.watch.backups_path, pattern))
    metrics.certificates.clear()
    for path in certificates(settings):
        metrics.certificates.labels(path.name).set(ends(path))
    try:
        with closing(Admin(settings.kafka)) as admin:
            metrics.brokers.set(admin.brokers())
            findings = look_at_kafka(admin, settings, now)
    except Failure as failure:
        log.warning("cannot check Kafka: %s", failure)
        return
    for about, found in findings.items():
        metrics.findings.labels(about).set(len(found))
        for words in found:
            log.warning("%s", words)
    metrics.looked.set(now.timestamp())


def look_at_kafka(admin: Admin, settings: WatchSettings, now: datetime) -> Mapping[str, list[str]]:
    """Return findings in words, by what they are about. Raises Away or Refused."""
    specs = topic_specs(settings.watch.replication)
    spans = admin.spans(admin.existing(source_topics(*Topic)))
    looks: Iterable[Iterable[str]] = (
        admin.differences(specs),
        copies(admin, [spec.name for spec in specs]),
        begins_late(settings.kafka, spans),
        dated_ahead(spans, now),
        full(admin.disks()),
    )
    return {about: list(found) for about, found in zip(ABOUT, looks, strict=True)}


def latest(folder: Path | None, pattern: str) -> float:
    """Return when the latest non-empty one of these files was finished, in seconds since 1970; 0 if there is none."""
    files = folder.glob(pattern) if folder else ()
    return max((file.stat().st_mtime for file in files if file.stat().st_size), default=0.0)


def certificates(settings: WatchSettings) -> Iterator[Path]:
    """Yield the certificates used for Kafka, and those of the folder."""
    yield from of_kafka(settings.kafka)
    folder = settings.watch.certificates_path
    if folder:
        yield from sorted(path for path in folder.iterdir() if path.suffix in {".pem", ".crt"})
