"""Metrics of the worker of reporting."""

from prometheus_client import CollectorRegistry, Gauge


class IngestMetrics:
    """What could not be taken."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.put_aside = Gauge(
            "payback_aggregates_put_aside",
            "Messages of national.aggregates that this version could not read or store",
            registry=registry,
        )
