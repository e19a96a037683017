"""Metrics of a service of records, on one page. Labels name authorities, outcomes and reasons; values are counts of events."""

from collections import Counter as Counts
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge

from contracts.rejections import Reason, Rejection
from services.records.model.fold import Settled
from services.records.model.record import Outcome


class RecordsMetrics:
    """What became of events, and how far the national aggregates show it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.outcomes = Counter(
            "payback_events_total", "Events by what became of them", ["authority", "outcome"], registry=registry
        )
        self.rejected = Counter(
            "payback_rejections_total", "Refused events by reason", ["authority", "reason"], registry=registry
        )
        self.heard = Gauge(
            "payback_last_event_timestamp_seconds",
            "When the authority's last event came",
            ["authority"],
            registry=registry,
        )
        self.recounted = Counter(
            "payback_cells_recounted_total",
            "Cells that a recount changed, after a change of rules, of a standard or of the calendar",
            ["authority"],
            registry=registry,
        )
        self.published = Counter("payback_cells_published_total", "Rows sent to national.aggregates", registry=registry)
        self.unpublished = Gauge(
            "payback_shards_unpublished",
            "Authorities with changes not yet sent to national.aggregates",
            registry=registry,
        )
        self.publish_failures = Counter(
            "payback_publish_failures_total", "Publications that failed and are tried again", registry=registry
        )
        for reason in Reason:
            self.rejected.labels("", reason)

    def settled(self, authority: str, settled: Iterable[Settled]) -> None:
        """Counts what a committed batch brought."""
        outcomes: Counts[Outcome] = Counts()
        reasons: Counts[Reason] = Counts()
        latest = 0
        for arrival, outcome in settled:
            outcomes[outcome] += 1
            latest = max(latest, arrival.message.timestamp)
            if isinstance(arrival.content, Rejection):
                reasons[arrival.content.reason] += 1
        for outcome, number in outcomes.items():
            self.outcomes.labels(authority, outcome).inc(number)
        for reason, number in reasons.items():
            self.rejected.labels(authority, reason).inc(number)
        if latest:
            self.heard.labels(authority).set(latest / 1000)
