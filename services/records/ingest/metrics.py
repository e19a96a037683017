"""Metrics of a service of records, on one page. Labels name authorities, outcomes and reasons; values are counts of events."""

from collections import Counter as Counts
from collections.abc import Iterable, Mapping

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
        self._parked = Gauge(
            "payback_authority_parked",
            "1 while nothing of the authority is taken, since the platform fails on one of its events",
            ["authority"],
            registry=registry,
        )
        self._replaced = Counter(
            "payback_record_times_replaced_total",
            "Messages whose time in Kafka cannot be, so that the time of reading was used",
            ["authority"],
            registry=registry,
        )
        self._ahead = Gauge(
            "payback_known_ahead_days",
            "By how many days what is known of an authority is dated ahead of the clock",
            ["authority"],
            registry=registry,
        )
        for reason in Reason:
            self.rejected.labels("", reason)

    def parked(self, authorities: Iterable[str]) -> None:
        """Tells which authorities are parked now."""
        self._parked.clear()
        for authority in authorities:
            self._parked.labels(authority).set(1)

    def replaced(self, authorities: Iterable[str]) -> None:
        """Counts messages whose time was replaced."""
        for authority, number in Counts(authorities).items():
            self._replaced.labels(authority).inc(number)

    def ahead(self, days: Mapping[str, int]) -> None:
        """Tells how many days each authority's books are ahead of the clock."""
        self._ahead.clear()
        for authority, number in days.items():
            self._ahead.labels(authority).set(max(0, number))

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
