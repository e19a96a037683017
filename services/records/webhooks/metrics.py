"""Metrics of what is sent to receivers of webhooks. Labels name authorities and results, never an address or an order."""

from collections import Counter as Counts
from collections.abc import Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.records.webhooks.subscriptions import Waiting

RESULTS = ("delivered", "failed")


class WebhookMetrics:
    """Metrics of messages sent and waiting (services.records.webhooks.sender)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.messages = Counter(
            "payback_webhook_messages_total",
            "Attempts to send one change to one receiver, by how they ended",
            ["authority", "result"],
            registry=registry,
        )
        self._stopped = Gauge(
            "payback_webhook_receivers_stopped",
            "Receivers to which nothing is sent any more until somebody of the authority resumes them",
            ["authority"],
            registry=registry,
        )
        self._waiting = Gauge(
            "payback_webhook_waiting_seconds",
            "For how long the first change that a receiver lacks has waited; the longest of each authority, without stopped receivers",
            ["authority"],
            registry=registry,
        )
        self._looked = Gauge(
            "payback_webhook_looked_timestamp_seconds",
            "When the sender last looked for messages to send",
            registry=registry,
        )

    def looked(self, found: Iterable[Waiting], now: datetime) -> None:
        """Record the state of all receivers."""
        found = list(found)
        for gauge in (self._stopped, self._waiting):
            gauge.clear()
        for authority, number in Counts(one.authority for one in found if one.stopped).items():
            self._stopped.labels(authority).set(number)
        for authority in {one.authority for one in found}:
            for result in RESULTS:  # a counter's first value is no increase to Prometheus, so each starts at zero
                self.messages.labels(authority, result)
        since: dict[str, datetime] = {}
        for one in found:
            if one.since and not one.stopped:
                since[one.authority] = min(one.since, since.get(one.authority, now))
        for authority, begun in since.items():
            self._waiting.labels(authority).set((now - begun).total_seconds())
        self._looked.set(now.timestamp())
