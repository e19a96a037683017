"""Publishes a held release at its announced moment. The API does this, since it shows releases."""

import logging
from collections.abc import Sequence
from datetime import datetime
from threading import Event

from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy import Engine

from services.chassis.clock import Clock
from services.chassis.database import transaction
from services.chassis.failures import Away
from services.reporting.files.store import make_files
from services.reporting.releases import announcing
from services.reporting.releases.calendar import Announcement, to_come
from services.reporting.releases.publication import next_due, publish_due

log = logging.getLogger(__name__)

MOST_SECONDS = 30.0
"""Time between two checks: how late a held release, or another announced day, may be noticed."""


class OpeningMetrics:
    """Metrics of when the next release is due."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._due = Gauge(
            "payback_release_due_timestamp_seconds",
            "When the release announced for the earliest day is due, until it is published; 0 while nothing is announced",
            registry=registry,
        )

    def looked(self, calendar: Sequence[Announcement]) -> None:
        """Record the next release due, held or not."""
        moments = [each.moment for each in to_come(calendar) if each.moment]
        self._due.set(moments[0].timestamp() if moments else 0)


def keep_opening(database: Engine, clock: Clock, stop: Event, metrics: OpeningMetrics) -> None:
    """Publish whatever is due, until told to stop. After a failure it logs why and tries again."""
    pause = 0.0
    while not stop.wait(pause):
        pause = MOST_SECONDS
        try:
            if name := publish_due(database, clock):
                log.info("published %s", name)
                make_files(database, name, clock().date())
            with transaction(database) as connection:
                pause = seconds_until(next_due(connection), clock())
                metrics.looked(announcing.calendar(connection))
        except Away as away:
            log.warning("not published: %s", away)
        except Exception:
            log.exception("not published")  # showing figures must not stop because of it


def seconds_until(due: datetime | None, now: datetime) -> float:
    """Return how long to wait: until the due moment, but never so long that another announcement is missed."""
    return MOST_SECONDS if due is None else min(MOST_SECONDS, max(0.0, (due - now).total_seconds()))
