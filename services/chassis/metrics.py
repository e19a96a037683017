"""Every metric of the chassis, on one page. Labels name topics, kinds and routes, never people, orders or payloads."""

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from socketserver import ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    make_wsgi_app,
)

from contracts.authorities import AUTHORITIES, LISTED
from services.chassis.settings import MetricsSettings

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

disable_created_metrics()  # type: ignore[no-untyped-call]  # half of all lines, and nobody asks when a counter was made


def new_registry() -> CollectorRegistry:
    """Return a registry with the metrics of the process itself."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    built = Gauge(
        "payback_build_info",
        "Always 1; which version this process is, and which list of authorities it has",
        ["version", "listed"],
        registry=registry,
    )
    built.labels(_version(), LISTED).set(1)
    return registry


@cache
def _version() -> str:
    return version("payback")


@contextmanager
def exposed(
    settings: MetricsSettings, registry: CollectorRegistry, ready: Callable[[], bool] = lambda: True
) -> Iterator[int]:
    """Let Prometheus read the registry on a port of its own, and yield the port. `/ready` there answers 200 or 503."""
    server = make_server(settings.host, settings.port, _port(registry, ready), _ThreadingServer, _QuietHandler)
    thread = Thread(target=server.serve, name="metrics", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.end()
        thread.join()
        server.server_close()


def _port(registry: CollectorRegistry, ready: Callable[[], bool]) -> "WSGIApplication":
    metrics = make_wsgi_app(registry)

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/ready":
            return cast("Iterable[bytes]", metrics(environ, start))
        start("200 OK" if ready() else "503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"ready\n" if ready() else b"not ready\n"]

    return answer


class _ThreadingServer(ThreadingMixIn, WSGIServer):
    """Sleeps while nobody asks, where `serve_forever` looks twice a second whether it must end."""

    daemon_threads = True
    _ended = False

    def serve(self) -> None:
        """Answer until `end` is called by another thread."""
        while not self._ended:
            self.handle_request()

    def end(self) -> None:
        """Let `serve` return: a connection of our own wakes it."""
        self._ended = True
        host = str(self.server_address[0])
        socket.create_connection((host, self.server_port)).close()


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library names it so
        """Log nothing: a line for each scrape helps nobody."""


# audit


class AuditMetrics:
    """Entries of the audit, of which operators see only the number (services.chassis.audit)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.kept = Counter(
            "payback_audit_entries_total",
            "Entries that an API wrote to the audit (views of people, orders and exact figures, and decisions), by role",
            ["role"],
            registry=registry,
        )


# http

REFUSALS = (401, 403, 429)
FAULTS_OF_OURS = (500, 503)
LONG_LIVED_SECONDS = 30 * 86400.0


class HttpMetrics:
    """Requests, by the route's template (services.chassis.api.http)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "payback_http_requests_total",
            "Requests answered; status 499 where the caller went away first",
            ["method", "route", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "payback_http_request_seconds",
            "Time from the request's headers to the end of the answer",
            ["method", "route"],
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=registry,
        )
        self.running = Gauge("payback_http_requests_running", "Requests not yet answered", registry=registry)
        self.limited = Counter(
            "payback_http_requests_limited_total",
            "Requests answered 429 because their caller made too many, by how the caller was identified",
            ["caller"],
            registry=registry,
        )
        for caller in ("token", "address"):
            self.limited.labels(caller)
        self.refused = Counter(
            "payback_http_requests_refused_total",
            "Requests answered 401 (no good token), 403 (not allowed) or 429 (too many)",
            ["status"],
            registry=registry,
        )
        for status in REFUSALS:
            self.refused.labels(status)
        self.dependency_up = Gauge(
            "payback_dependency_up",
            "1 while the dependency answers, else 0; asked every few seconds",
            ["dependency"],
            registry=registry,
        )
        self._token = Gauge(
            "payback_token_expires_timestamp_seconds",
            "When an authority's token for sending events expires; only for tokens made for a month or longer",
            ["authority"],
            registry=registry,
        )

    def serves(self, method: str, route: str) -> None:
        """Begin the counters of a route at zero, since Prometheus sees no increase in a first value."""
        for status in FAULTS_OF_OURS:
            self.requests.labels(method, route, status)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self.requests.labels(method, route, status).inc()
        self.seconds.labels(method, route).observe(seconds)
        if status in REFUSALS:
            self.refused.labels(status).inc()

    def token_used(self, authority: str | None, lasts_seconds: float, expires: float) -> None:
        """Record when a token expires that somebody must renew by hand. Unknown authorities are left out."""
        if lasts_seconds >= LONG_LIVED_SECONDS and authority in AUTHORITIES:
            self._token.labels(authority).set(expires)


# stream


class StreamMetrics:
    """The worker's engine (services.chassis.streaming.stream)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.up = Gauge("payback_stream_up", "1 while batches can be processed, else 0", registry=registry)
        self.progress = Gauge(
            "payback_stream_last_progress_timestamp_seconds",
            "When a batch was last processed, or nothing was left to process",
            registry=registry,
        )
        self.measured = Gauge(
            "payback_stream_measured_timestamp_seconds",
            "When Kafka last reported how much there is to read; the lag dates from then",
            registry=registry,
        )
        self.measured.set_to_current_time()
        self.batches = Counter("payback_stream_batches_total", "Batches processed", registry=registry)
        self.events = Counter("payback_stream_events_total", "Messages processed", ["topic"], registry=registry)
        self.batch_seconds = Histogram(
            "payback_stream_batch_seconds",
            "Time to process one batch, including failed attempts",
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
            registry=registry,
        )
        self.retries = Counter(
            "payback_stream_retries_total",
            "Work done again: away (a dependency), timed_out (too much at once), fenced (another worker), dropped (a lost fetch), "
            "still (the consumer waited in silence)",
            ["kind"],
            registry=registry,
        )
        self.rebalances = Counter("payback_stream_rebalances_total", "Assignments received", registry=registry)
        self.position = Gauge("payback_stream_position", "Next offset to read", ["topic"], registry=registry)
        self.lag = Gauge("payback_stream_lag", "Messages not yet processed", ["topic"], registry=registry)
        self.lag_seconds = Gauge(
            "payback_stream_lag_seconds",
            "For how long the first message that is not yet processed has been in Kafka; 0 where there is none",
            ["topic"],
            registry=registry,
        )
        for kind in ("away", "timed_out", "fenced", "dropped", "still"):
            self.retries.labels(kind)
