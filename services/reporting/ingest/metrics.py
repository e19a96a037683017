"""Metrics of the worker of reporting."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import get_args

from prometheus_client import CollectorRegistry, Gauge, Histogram

from contracts.authorities import AUTHORITIES
from contracts.cells import Position, Service
from services.reporting.ingest.fold import Origin

DELAYS = (0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600, 86_400)
SINCE_TOLD = (1, 5, 15, 60, 600, 3600, 86_400, 3 * 86_400, 10 * 86_400)


NOTHING: Mapping[Origin, float] = MappingProxyType({})


class IngestMetrics:
    """Messages that could not be stored, and the age of the figures shown."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.put_aside = Gauge(
            "payback_aggregates_put_aside",
            "Messages of national.aggregates that this version could not read or store",
            registry=registry,
        )
        self._shown = Gauge(
            "payback_shown_timestamp_seconds",
            "When the latest event with a visible effect came, by service and authority",
            ["service", "authority"],
            registry=registry,
        )
        self._visible = Histogram(
            "payback_event_visible_seconds",
            "From an event's arrival in Kafka to its effect being visible; of each publication the event that came last",
            ["authority"],
            buckets=DELAYS,
            registry=registry,
        )
        self._delayed = Histogram(
            "payback_event_delay_seconds",
            "End to end, from the time of an event, as recorded by its sender, to its effect being visible; "
            "of each publication the latest event",
            ["authority"],
            buckets=SINCE_TOLD,
            registry=registry,
        )
        self.released = Gauge(
            "payback_release_published_timestamp_seconds",
            "When the latest release was published; 0 while there is none",
            registry=registry,
        )
        self._unequal = Gauge(
            "payback_aggregates_unequal",
            "1 while the rows here are not those that the service held when it published the position shown",
            ["service", "authority"],
            registry=registry,
        )
        self._heard: dict[Origin, datetime] = {}

    def start(self, shown: Mapping[Origin, datetime]) -> None:
        """Set the metrics to what was visible before this process began."""
        self._heard = dict(shown)
        for shard, at in shown.items():
            self._shown.labels(*shard).set(at.timestamp())

    def took(self, positions: Iterable[Position], now: datetime, told: Mapping[Origin, float] = NOTHING) -> None:
        """Record what became visible; positions that show nothing newer record no delay.

        `told` is when the latest event of each happened, in seconds since 1970, as far as that is known.
        """
        for position in positions:
            shard, heard_at = Origin(position.service, position.authority), position.heard_at
            if heard_at is None or (shard in self._heard and heard_at <= self._heard[shard]):
                continue
            self._heard[shard] = heard_at
            self._shown.labels(*shard).set(heard_at.timestamp())
            self._visible.labels(position.authority).observe(max(0.0, (now - heard_at).total_seconds()))
            if shard in told:
                self._delayed.labels(position.authority).observe(max(0.0, now.timestamp() - told[shard]))

    def unequal(self, shards: Collection[tuple[str, str]]) -> None:
        """Set which authorities have incomplete shards."""
        for service in get_args(Service):
            for code in AUTHORITIES:
                self._unequal.labels(service, code).set((service, code) in shards)
