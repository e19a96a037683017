"""Findings of `payback doctor` about databases, as a metric. The proof reports them, since it alone may look at every schema."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping

from prometheus_client import CollectorRegistry, Gauge

from services.chassis.clock import system_clock
from services.chassis.failures import Away, Refused, describe_shortly
from services.chassis.settings import DatabaseSettings
from services.operations.doctor import look_at_clock, look_at_rights, look_at_schema

log = logging.getLogger(__name__)
LOOKS: Mapping[str, Callable[[DatabaseSettings], Iterable[str]]] = {
    "schema": look_at_schema,
    "rights": look_at_rights,
    "clocks": lambda database: look_at_clock(database, system_clock()),
}


class DatabaseMetrics:
    """How much was found, by service."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.findings = Gauge(
            "payback_database_findings",
            "Problems with a service's database: migrations not run, rights of processes, clocks; `payback doctor` describes them",
            ["service", "about"],
            registry=registry,
        )


def look_around(settings: DatabaseSettings, services: Collection[str], metrics: DatabaseMetrics) -> None:
    """Look at the database of each service once. Raises Away."""
    for service in services:
        own = settings.model_copy(update={"schema_name": service, "role": None})
        for about, look in LOOKS.items():
            found = _found(look, own)
            metrics.findings.labels(service, about).set(len(found))
            for words in found:
                log.warning("%s: %s", service, words)


def _found(look: Callable[[DatabaseSettings], Iterable[str]], database: DatabaseSettings) -> list[str]:
    try:
        return list(look(database))
    except Away:
        raise
    except Refused as refused:
        return [str(refused)]
    except Exception as fault:  # noqa: BLE001 - whoever proves goes on, and it is told as what was found
        return [f"nobody could look: {describe_shortly(fault)}"]
