"""Metrics of a service of records, on one page. Labels name authorities, outcomes and reasons; values are counts of events."""

import re
from collections import Counter as Counts
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from contracts.decoding.codec import Event
from contracts.rejections import Reason, Rejection
from services.records.ingest.measuring import LATEST_EVENTS, Lately
from services.records.ingest.publishing.latest import Latest
from services.records.model.fold import Arrival, Settled
from services.records.model.record import Outcome

VERSIONS = 8
WAITS = (0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600, 86_400)
TELLINGS = (1, 10, 60, 600, 3600, 86_400, 3 * 86_400, 10 * 86_400)
_VERSION = re.compile(rb'"producerversion"\s*:\s*"([A-Za-z0-9._+-]{1,40})"')


class RecordsMetrics:
    """Outcomes of events, and progress of the national aggregates."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.outcomes = Counter(
            "payback_events_total", "Events by outcome", ["authority", "outcome"], registry=registry
        )
        self.rejected = Counter(
            "payback_rejections_total", "Refused events by reason", ["authority", "reason"], registry=registry
        )
        self._producers = Counter(
            "payback_producer_events_total",
            f"Events by the version of the program that sent them; the first {VERSIONS} of an authority by name, then 'other'",
            ["authority", "version", "outcome"],
            registry=registry,
        )
        self._versions: dict[str, set[str]] = defaultdict(set)
        self.latest = Latest()
        """What the publisher tells reporting, which knows when its effect is visible."""
        self.heard = Gauge(
            "payback_last_event_timestamp_seconds",
            "When the authority's last event came, whatever its outcome",
            ["authority"],
            registry=registry,
        )
        self._taken = Gauge(
            "payback_last_taken_timestamp_seconds",
            "When the authority's last event came that was not refused",
            ["authority"],
            registry=registry,
        )
        self._closed = Gauge(
            "payback_day_closed_timestamp_seconds",
            "The end of the authority's latest day whose tree of accepted events was signed",
            ["authority"],
            registry=registry,
        )
        self._silent = Gauge(
            "payback_silent_working_days",
            "Whole working days of the authority since its last event",
            ["authority"],
            registry=registry,
        )
        self._authorities = Gauge(
            "payback_authorities",
            "Authorities: all that the list has, and those that are one today",
            ["state"],
            registry=registry,
        )
        self._working = Gauge(
            "payback_working_day", "1 on a day on which offices in Scotland are open, else 0", registry=registry
        )
        self._lately = Gauge(
            "payback_events_last_day",
            f"Events of the last 24 hours by outcome, among the authority's latest {LATEST_EVENTS}",
            ["authority", "outcome"],
            registry=registry,
        )
        self._waited = Histogram(
            "payback_event_wait_seconds",
            "From an event's arrival in Kafka to the commit of its effect; for each commit, of the event that waited longest",
            ["authority"],
            buckets=WAITS,
            registry=registry,
        )
        self._told = Histogram(
            "payback_event_told_seconds",
            "From the time of an event, as recorded by its sender, to the commit of its effect; for each commit, of the latest event",
            ["authority"],
            buckets=TELLINGS,
            registry=registry,
        )
        self.recounted = Counter(
            "payback_cells_recounted_total",
            "Cells that a recount changed, after a change of rules, of a standard or of the calendar",
            ["authority"],
            registry=registry,
        )
        self.published = Counter("payback_cells_published_total", "Rows sent to national.aggregates", registry=registry)
        self._waiting = Gauge(
            "payback_shards_unpublished",
            "Authorities with changes not yet sent to national.aggregates",
            registry=registry,
        )
        self._cells_waiting = Gauge(
            "payback_cells_unpublished", "Rows of cells not yet sent to national.aggregates", registry=registry
        )
        self._publish_lag = Gauge(
            "payback_publish_lag_seconds",
            "For how long an authority's changes have waited to be published, without any of them being published",
            registry=registry,
        )
        self.asked = Gauge(
            "payback_books_measured_timestamp_seconds",
            "When PostgreSQL was last asked for last events, events of the last day, and unpublished rows",
            registry=registry,
        )
        self.asked.set_to_current_time()
        self.publish_failures = Counter(
            "payback_publish_failures_total", "Publications that failed and will be tried again", registry=registry
        )
        self.put_off = Gauge(
            "payback_publishing_put_off",
            "1 while the authority's cells are not sent, because the platform fails on them",
            ["authority"],
            registry=registry,
        )
        self._parked = Gauge(
            "payback_authority_parked",
            "1 while none of the authority's events are processed, because the platform fails on one of them",
            ["authority"],
            registry=registry,
        )
        self._replaced = Counter(
            "payback_record_times_replaced_total",
            "Messages whose time in Kafka is impossible, so that the time of reading was used instead",
            ["authority"],
            registry=registry,
        )
        self._ahead = Gauge(
            "payback_known_ahead_days",
            "By how many days an authority's data are dated ahead of the clock",
            ["authority"],
            registry=registry,
        )

    def owns(self, authorities: Iterable[str]) -> None:
        """Start counters at zero, since Prometheus sees no increase in a first value."""
        for authority in authorities:
            self._replaced.labels(authority)
            for outcome in Outcome:
                self.outcomes.labels(authority, outcome)
                self._producers.labels(authority, "", outcome)
            for reason in Reason:
                self.rejected.labels(authority, reason)

    def _bounded(self, authority: str, version: str) -> str:
        known = self._versions[authority]
        if version and version not in known and len(known) >= VERSIONS:
            return "other"
        known.add(version)
        return version

    def waited(self, authority: str, settled: Collection[Settled], now: float) -> None:
        """Record how long a commit's events took; `now` is in seconds since 1970."""
        if settled:
            first = min([arrival.message.timestamp for arrival, _ in settled])
            self._waited.labels(authority).observe(max(0.0, now - first / 1000))
        if times := [arrival.content.time for arrival, _ in settled if isinstance(arrival.content, Event)]:
            last = max(times).timestamp()
            self._told.labels(authority).observe(max(0.0, now - last))
            self.latest.note({authority: last})

    def found(self, heard: Mapping[str, datetime], taken: Mapping[str, datetime], lately: Iterable[Lately]) -> None:
        """Set the metrics of each authority from PostgreSQL."""
        _show(self.heard, heard)
        _show(self._taken, taken)
        self._lately.clear()
        for one in lately:
            self._lately.labels(one.authority, one.outcome).set(one.number)

    def closed(self, days: Mapping[str, datetime]) -> None:
        """Set when each authority's last signed day ended."""
        _show(self._closed, days)

    def authorities(self, listed: int, in_force: int) -> None:
        """Set the numbers of authorities."""
        self._authorities.labels("listed").set(listed)
        self._authorities.labels("in_force").set(in_force)

    def silent(self, days: Mapping[str, int], *, working_day: bool) -> None:
        """Set for how many whole working days each authority has been silent, and whether today is a working day."""
        self._working.set(working_day)
        self._silent.clear()
        for authority, number in days.items():
            self._silent.labels(authority).set(number)

    def waiting(self, authorities: int, cells: int, seconds: float) -> None:
        """Set what waits to be published, including what is held back, and for how long."""
        self._waiting.set(authorities)
        self._cells_waiting.set(cells)
        self._publish_lag.set(seconds)

    def parked(self, authorities: Iterable[str]) -> None:
        """Set which authorities are parked now."""
        self._parked.clear()
        for authority in authorities:
            self._parked.labels(authority).set(1)

    def replaced(self, authorities: Iterable[str]) -> None:
        """Count messages whose time was replaced."""
        for authority, number in Counts(authorities).items():
            self._replaced.labels(authority).inc(number)

    def ahead(self, days: Mapping[str, int]) -> None:
        """Set how many days each authority's tables are ahead of the clock."""
        self._ahead.clear()
        for authority, number in days.items():
            self._ahead.labels(authority).set(max(0, number))

    def settled(self, authority: str, settled: Collection[Settled]) -> None:
        """Count the outcomes of a committed batch."""
        versions = Counts([(_version_of(arrival), outcome) for arrival, outcome in settled])
        reasons = Counts([one.content.reason for one, _ in settled if isinstance(one.content, Rejection)])
        latest = max([arrival.message.timestamp for arrival, _ in settled], default=0)
        outcomes: Counts[Outcome] = Counts()
        for (version, outcome), number in versions.items():
            outcomes[outcome] += number
            self._producers.labels(authority, self._bounded(authority, version or ""), outcome).inc(number)
        for outcome, number in outcomes.items():
            self.outcomes.labels(authority, outcome).inc(number)
        for reason, number in reasons.items():
            self.rejected.labels(authority, reason).inc(number)
        if latest:
            self.heard.labels(authority).set(latest / 1000)


def _show(gauge: Gauge, times: Mapping[str, datetime]) -> None:
    gauge.clear()
    for authority, at in times.items():
        gauge.labels(authority).set(at.timestamp())


def _version_of(arrival: Arrival) -> str | None:
    content = arrival.content
    return content.producer_version if isinstance(content, Event) else version_in(arrival.message.value)


def version_in(raw: bytes | None) -> str:
    """Return the sender's version as a refused event names it; empty if it names none that could be one."""
    found = _VERSION.search(raw or b"")
    return found[1].decode() if found else ""
