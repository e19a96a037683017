"""`payback copy`: keeps all topics in another Kafka too, for a move there, or for the day on which this one is lost."""

import logging
import signal
from contextlib import closing
from threading import Event
from typing import Annotated

import typer
from prometheus_client import CollectorRegistry, Gauge

from services.chassis import logs
from services.chassis.clock import system_clock
from services.chassis.failures import Away
from services.chassis.metrics import exposed, new_registry
from services.chassis.settings import KafkaSettings, LogSettings, MetricsSettings, Settings
from services.chassis.web.words import counted
from services.operations.moving.copying import Copier

commands = typer.Typer()
log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
AWAY_SECONDS = 5.0


class CopySettings(Settings):
    """The Kafka that is copied, and the one that holds the copy."""

    kafka: KafkaSettings
    target: KafkaSettings
    metrics: MetricsSettings = MetricsSettings(port=9107)
    logs: LogSettings = LogSettings()


class CopyMetrics:
    """Metrics of how far the copy is."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.copied = Gauge(
            "payback_copied_timestamp_seconds",
            "The time up to which the copy in another Kafka is complete",
            registry=registry,
        )


@commands.command(
    help=(
        "Copy all topics to another Kafka, at PAYBACK_TARGET_BOOTSTRAP, with each record in its own place.\n\n"
        "You may stop it at any time; it goes on where the copy ends. Run one at a time."
    ),
)
def copy(
    follow: Annotated[bool, typer.Option("--follow", help="Go on copying new records until it is stopped.")] = False,
) -> None:
    settings = CopySettings.load()
    if follow:
        keep_copying(settings)
        return
    with closing(Copier(settings.kafka, settings.target)) as copier:
        typer.echo(f"{counted(copier.round(), 'record')} copied; the copy is complete")


def keep_copying(settings: CopySettings) -> None:
    """Copy until told to stop. Waits for either Kafka while it is away."""
    logs.configure(settings.logs, "copy")
    registry, stop = new_registry(), Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    metrics = CopyMetrics(registry)
    with exposed(settings.metrics, registry):
        while not stop.is_set():
            try:
                with closing(Copier(settings.kafka, settings.target)) as copier:
                    _copy(copier, metrics, stop)
            except Away as away:
                log.warning("copying waits: %s", away)
                stop.wait(AWAY_SECONDS)


def _copy(copier: Copier, metrics: CopyMetrics, stop: Event) -> None:
    while not stop.is_set():
        began = system_clock()
        copier.round()
        metrics.copied.set(began.timestamp())
        stop.wait(LOOK_SECONDS)
