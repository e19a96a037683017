"""Writes docs/metrics.md, the page of all metrics, from their definitions: `python -m deploy.prometheus.document`."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from contracts.authorities import AUTHORITIES
from services.chassis.metrics import AuditMetrics, HttpMetrics, StreamMetrics, new_registry
from services.operations.moving.copy import CopyMetrics
from services.operations.proof.databases import DatabaseMetrics
from services.operations.proof.watching import ProofMetrics
from services.operations.watch import WatchMetrics
from services.records.ingest.metrics import RecordsMetrics
from services.records.webhooks.metrics import WebhookMetrics
from services.reporting.ingest.metrics import IngestMetrics
from services.reporting.publishing_held import OpeningMetrics

PATH = Path(__file__).parents[2] / "docs" / "metrics.md"
API = (HttpMetrics,)
RECORDS_API = (*API, AuditMetrics)
RECORDS = (StreamMetrics, RecordsMetrics)
JOBS: Mapping[str, tuple[Callable[[CollectorRegistry], object], ...]] = {
    "orders-api": RECORDS_API,
    "unpaid-work-api": RECORDS_API,
    "reporting-api": (*API, AuditMetrics, OpeningMetrics),
    "desk-api": API,
    "orders-worker": RECORDS,
    "unpaid-work-worker": RECORDS,
    "reporting-worker": (StreamMetrics, IngestMetrics),
    "orders-webhooks": (WebhookMetrics,),
    "unpaid-work-webhooks": (WebhookMetrics,),
    "watch": (WatchMetrics,),
    "proof": (ProofMetrics, DatabaseMetrics),
    "copy": (CopyMetrics,),
}
"""The metrics that each process defines besides those of every process."""
BOUNDS: Mapping[str, tuple[str, int]] = {
    "authority": ("code of an authority", len(AUTHORITIES)),
    "about": ("topics, copies, history, record_times, disks; of databases: schema, rights, clocks", 8),
    "caller": ("token, address", 2),
    "dependency": ("kafka, postgresql, schema, signers, and, for the desk, each service", 4),
    "file": ("name of a certificate's file", 20),
    "kind": ("away, timed_out, fenced, dropped, still", 5),
    "listed": ("digest of the list of authorities", 10),
    "method": ("seven methods, or other", 8),
    "of": ("postgresql, kafka", 2),
    "outcome": ("applied, superseded, duplicate, rejected, put_aside", 5),
    "reason": ("reason of refusal, see reference/refusals.md", 40),
    "result": ("delivered, failed", 2),
    "role": ("role, see access.md, or other", 7),
    "route": ("the route's template, or unknown; never a path", 80),
    "service": ("orders, unpaid_work; for proofs and databases, reporting too", 3),
    "state": ("listed, in_force", 2),
    "status": ("HTTP status", 20),
    "topic": ("name of a topic", 2 * len(AUTHORITIES) + 1),
    "version": ("the producer's name and version; eight for each authority, then other. payback_build_info: ours", 10),
}
"""The values that each label may have, and how many different ones at most."""
HEAD = """# Metrics

`make documents` makes this page from the definitions; a test compares it with what processes expose. All names begin with `payback_`;
counters end in `_total`, histograms in `_bucket`, `_sum` and `_count`. The Prometheus client adds metrics about the process itself
(`process_*`, `python_*`), and Prometheus adds `up`. No label ever holds a person, an order or a payload.

For an age, the metric holds the time at which something happened: `time() - payback_..._timestamp_seconds`. A value that could not be
measured stays as it was, so look at the age of the measurement too: `payback_stream_measured_timestamp_seconds` for what Kafka says,
`payback_books_measured_timestamp_seconds` for what PostgreSQL says, `payback_findings_timestamp_seconds` for `watch`.
"""


def defined(*classes: Callable[[CollectorRegistry], object], own: bool = True) -> Iterator[Any]:
    """Yield our metrics in a registry with these definitions."""
    registry = new_registry() if own else CollectorRegistry()
    for one in classes:
        one(registry)
    for metric in registry._collector_to_names:  # noqa: SLF001 - the library has no other way to tell labels
        if getattr(metric, "_name", "").startswith("payback_"):
            yield metric


def by_job() -> dict[str, set[str]]:
    """Return the names of the metrics of each process."""
    return {job: {metric._name for metric in defined(*classes)} for job, classes in JOBS.items()}  # noqa: SLF001


def document() -> str:
    """Return the page as it is committed."""
    return "\n".join([HEAD, *_labels(), *_metrics()])


def _labels() -> Iterator[str]:
    yield "| label | holds | at most |\n|---|---|---|"
    yield from (f"| `{label}` | {holds} | {most} |" for label, (holds, most) in BOUNDS.items())
    yield ""


def _metrics() -> Iterator[str]:
    for title, part in (("Every process", defined()), *_parts()):
        yield f"## {title}\n\n| metric | kind | labels | means |\n|---|---|---|---|"
        for metric in sorted(part, key=lambda one: str(one._name)):  # noqa: SLF001
            yield _row(metric)
        yield ""


def _parts() -> Iterator[tuple[str, Iterator[Any]]]:
    yield "APIs", defined(*API, own=False)
    yield "API of reporting", defined(OpeningMetrics, own=False)
    yield "APIs of orders, unpaid work and reporting", defined(AuditMetrics, own=False)
    yield "Workers", defined(StreamMetrics, own=False)
    yield "Workers of orders and unpaid work", defined(RecordsMetrics, own=False)
    yield "Worker of reporting", defined(IngestMetrics, own=False)
    yield "Senders of webhooks", defined(WebhookMetrics, own=False)
    yield "`payback watch`", defined(WatchMetrics, own=False)
    yield "`payback prove --watch`", defined(ProofMetrics, DatabaseMetrics, own=False)
    yield "`payback copy --follow`", defined(CopyMetrics, own=False)


def _row(metric: Any) -> str:
    suffix = "_total" if metric._type == "counter" else ""  # noqa: SLF001
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001
    return (
        f"| `{metric._name.removeprefix('payback_')}{suffix}` | {metric._type} | {labels} | {metric._documentation} |"  # noqa: SLF001
    )


if __name__ == "__main__":
    PATH.write_text(document(), encoding="utf-8")
