"""The questions of the dashboards, for Grafana and for Perses."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Panel(NamedTuple):
    """One question, or several in one picture."""

    title: str
    unit: str
    questions: Sequence[tuple[str, str]]
    """Each question, and the label of its answer."""
    kind: str = "timeseries"
    limit: float | None = None
    """From this value on it is bad; drawn in red."""
    more_is_better: bool = False
    """Whether it is bad below the limit instead."""
    none: str = ""
    """The label in a row of its own that says so if a table would be empty."""

    def labels(self) -> Sequence[str]:
        """Return the labels that its answers have, in the order of their columns."""
        return list(dict.fromkeys(name for _, legend in self.questions for name in re.findall(r"{{(\w+)}}", legend)))

    def asked(self) -> Sequence[tuple[str, str]]:
        """Return the questions as a dashboard asks them."""
        return [(_or_none(answer, self.none), legend) for answer, legend in self.questions]


def _or_none(answer: str, label: str) -> str:
    none = f'label_replace(vector(0), "{label}", "none", "", "")'
    return f"{answer} or ({none} unless on () ({answer}))" if label else answer


class Board(NamedTuple):
    """One page of panels. `authority` lets viewers choose one."""

    uid: str
    title: str
    panels: Sequence[Panel]
    authority: bool = False


SHARE, SECONDS, COUNT = "percentunit", "s", "short"
DAY = 86_400
ONE = 'authority="$authority"'

BEHIND = (
    "payback:taken_timestamp_seconds - on (service, authority) "
    "max by (service, authority) (payback_shown_timestamp_seconds) > 0"
)


def _counted(counter: str, time: str) -> str:
    """Return a count for one authority, by version and outcome. A series that was not there before began with its first value."""
    one = f"{counter}{{{ONE}}}"
    return f"round(sum by (version, outcome) (({one} unless {one} offset {time}) or increase({one}[{time}])))"


SOON = f"/ {DAY} < 60"
ENDING = (
    f"(max by (authority) (payback_token_expires_timestamp_seconds) - time()) {SOON} "
    f"or (min by (file) (payback_certificate_expires_timestamp_seconds) - time()) {SOON}"
)
DISKS = 'fstype!~"tmpfs|overlay|squashfs"'
OF_A_VERSION = "payback:producer_refused:day / payback:producer_events:day > 0"
FAILED = "payback:failed_share:1h or 0 * sum by (job) (rate(payback_http_requests_total[1h]))"
"""Zero, and not a missing answer, if none failed."""

PLATFORM = Board(
    "payback-platform",
    "Payback: platform",
    (
        Panel(
            "Alerts firing",
            COUNT,
            [
                (
                    'count by (alertname, severity) (ALERTS{severity!="none", alertstate="firing"})',
                    "{{alertname}} {{severity}}",
                )
            ],
            "table",
            none="alertname",
        ),
        Panel("Processes that do not answer", COUNT, [("count by (job) (up == 0)", "{{job}}")], "table", none="job"),
        Panel(
            "Dependencies answering",
            COUNT,
            [("min by (dependency) (payback_dependency_up)", "{{dependency}}")],
            "stat",
            limit=1,
            more_is_better=True,
        ),
        Panel("Requests that failed, last hour", SHARE, [(FAILED, "{{job}}")], limit=14.4 * 0.005),
        Panel("Not visible within a minute, last hour", SHARE, [("payback:late_share:1h", "late")], limit=14.4 * 0.01),
        Panel(
            "Refused requests a minute",
            COUNT,
            [("60 * sum by (status) (rate(payback_http_requests_refused_total[5m]))", "{{status}}")],
        ),
        Panel("Requests a second", COUNT, [("sum by (job) (rate(payback_http_requests_total[5m]))", "{{job}}")]),
        Panel(
            "Time of a request, 99th percentile",
            SECONDS,
            [("histogram_quantile(0.99, sum by (job, le) (rate(payback_http_request_seconds_bucket[5m])))", "{{job}}")],
            limit=2,
        ),
        Panel("Memory", "bytes", [("process_resident_memory_bytes", "{{job}}")]),
        Panel("Processor", SHARE, [("rate(process_cpu_seconds_total[5m])", "{{job}}")]),
        Panel(
            "Days until tokens and certificates end, of the next two months",
            COUNT,
            [(ENDING, "{{authority}} {{file}}")],
            "table",
            none="authority",
        ),
        Panel(
            "Age of backups",
            SECONDS,
            [("time() - max by (of) (payback_backup_timestamp_seconds)", "{{of}}")],
            "stat",
            limit=36 * 3600,
        ),
        Panel(
            "Disks, share in use",
            SHARE,
            [(f"1 - node_filesystem_avail_bytes{{{DISKS}}} / node_filesystem_size_bytes", "{{mountpoint}}")],
            limit=0.9,
        ),
        Panel(
            "Connections of PostgreSQL, share in use",
            SHARE,
            [("sum(pg_stat_activity_count) / max(pg_settings_max_connections)", "in use")],
            limit=0.8,
        ),
        Panel("Brokers of Kafka that run", COUNT, [("max(payback_brokers)", "")], "stat", limit=1, more_is_better=True),
    ),
)
STREAMS = Board(
    "payback-streams",
    "Payback: streams",
    (
        Panel("Longest wait in Kafka", SECONDS, [("max by (job) (payback_stream_lag_seconds)", "{{job}}")], limit=300),
        Panel(
            "Waiting in Kafka, by authority",
            SECONDS,
            [("topk(20, payback:lag_seconds > 0)", "{{authority}} {{job}}")],
            "table",
            none="authority",
        ),
        Panel("Messages waiting", COUNT, [("sum by (job) (payback_stream_lag)", "{{job}}")]),
        Panel(
            "Time since Kafka was last asked",
            SECONDS,
            [("time() - payback_stream_measured_timestamp_seconds", "{{job}}")],
            limit=120,
        ),
        Panel("Events a second", COUNT, [("sum by (job) (rate(payback_stream_events_total[5m]))", "{{job}}")]),
        Panel(
            "Retries a minute",
            COUNT,
            [("60 * sum by (kind) (rate(payback_stream_retries_total[5m]))", "{{kind}}")],
        ),
        Panel(
            "Time of a batch, 95th percentile",
            SECONDS,
            [("histogram_quantile(0.95, sum by (job, le) (rate(payback_stream_batch_seconds_bucket[5m])))", "{{job}}")],
        ),
        Panel(
            "Rebalances an hour",
            COUNT,
            [("round(sum by (job) (increase(payback_stream_rebalances_total[1h])))", "{{job}}")],
        ),
        Panel("Cells waiting to be published", COUNT, [("sum by (job) (payback_cells_unpublished)", "{{job}}")]),
        Panel(
            "Longest wait to be published",
            SECONDS,
            [("max by (job) (payback_publish_lag_seconds)", "{{job}}")],
            limit=300,
        ),
        Panel(
            "Cells published a second", COUNT, [("sum by (job) (rate(payback_cells_published_total[5m]))", "{{job}}")]
        ),
        Panel(
            "Arrival to visible, 95th percentile",
            SECONDS,
            [("histogram_quantile(0.95, sum by (le) (rate(payback_event_visible_seconds_bucket[30m])))", "all")],
            limit=60,
        ),
        Panel(
            "Sender's time to visible, median",
            SECONDS,
            [("histogram_quantile(0.5, sum by (le) (rate(payback_event_delay_seconds_bucket[6h])))", "all")],
        ),
        Panel(
            "Time since Kafka's settings were checked",
            SECONDS,
            [("time() - max(payback_findings_timestamp_seconds)", "")],
            "stat",
            limit=1800,
        ),
        Panel(
            "Findings of payback doctor", COUNT, [("max by (about) (payback_findings)", "{{about}}")], "stat", limit=1
        ),
    ),
)
AUTHORITY = Board(
    "payback-authority",
    "Payback: one authority",
    (
        Panel("Working days of silence", COUNT, [(f"min(payback_silent_working_days{{{ONE}}})", "")], "stat", limit=2),
        Panel(
            "Parked",
            COUNT,
            [(f"max by (job) (payback_authority_parked{{{ONE}}}) or vector(0)", "{{job}}")],
            "stat",
            limit=1,
        ),
        Panel(
            "Days until its token ends",
            COUNT,
            [(f"(max(payback_token_expires_timestamp_seconds{{{ONE}}}) - time()) / {DAY}", "")],
            "stat",
            limit=14,
            more_is_better=True,
        ),
        Panel(
            "Events in the last day, by outcome",
            COUNT,
            [(f"sum by (outcome) (payback_events_last_day{{{ONE}}})", "{{outcome}}")],
        ),
        Panel(
            "Share refused in the last day", SHARE, [(f"payback:refused_share:day{{{ONE}}}", "{{job}}")], limit=6 * 0.02
        ),
        Panel(
            "Refusals in six hours, by reason",
            COUNT,
            [
                (
                    f"round(sum by (reason) (increase(payback_rejections_total{{{ONE}}}[6h]))) > 0",
                    "{{reason}}",
                )
            ],
            "table",
            none="reason",
        ),
        Panel(
            "Events in the last hour, by version of the sender",
            COUNT,
            [
                (
                    f"{_counted('payback_producer_events_total', '1h')} > 0",
                    "{{version}} {{outcome}}",
                )
            ],
        ),
        Panel("Wait in Kafka", SECONDS, [(f"payback:lag_seconds{{{ONE}}}", "{{job}}")], limit=300),
        Panel(
            "Arrival to visible, 95th percentile",
            SECONDS,
            [
                (
                    f"histogram_quantile(0.95, sum by (le) (rate(payback_event_visible_seconds_bucket{{{ONE}}}[1h])))",
                    "95th percentile",
                )
            ],
            limit=60,
        ),
        Panel(
            "Sender's time to commit, median",
            SECONDS,
            [
                (
                    f"histogram_quantile(0.5, sum by (le) (rate(payback_event_told_seconds_bucket{{{ONE}}}[6h])))",
                    "median",
                )
            ],
        ),
        Panel(
            "Sender's time to visible, median",
            SECONDS,
            [
                (
                    f"histogram_quantile(0.5, sum by (le) (rate(payback_event_delay_seconds_bucket{{{ONE}}}[6h])))",
                    "median",
                )
            ],
        ),
        Panel(
            "Time since the last event",
            SECONDS,
            [
                (f"time() - max(payback_last_event_timestamp_seconds{{{ONE}}})", "came"),
                (f"time() - max(payback_last_taken_timestamp_seconds{{{ONE}}})", "was taken"),
                (f"time() - max(payback_shown_timestamp_seconds{{{ONE}}})", "is visible"),
            ],
        ),
        Panel(
            "Impossible times in the last day",
            COUNT,
            [(f"round(sum(increase(payback_record_times_replaced_total{{{ONE}}}[1d]))) or vector(0)", "")],
            "stat",
            limit=1,
        ),
        Panel(
            "Differences between figures and events",
            COUNT,
            [(f"max by (service) (payback_proof_mismatches{{{ONE}}})", "{{service}}")],
            "stat",
            limit=1,
        ),
        Panel(
            "Time since its figures were compared with events",
            SECONDS,
            [(f"time() - min(payback_proved_timestamp_seconds{{{ONE}}})", "")],
            "stat",
            limit=2 * DAY,
        ),
    ),
    authority=True,
)
QUALITY = Board(
    "payback-quality",
    "Payback: quality",
    (
        Panel(
            "Authorities heard from",
            COUNT,
            [("count(min by (authority) (payback_silent_working_days) < 2) or vector(0)", "")],
            "stat",
        ),
        Panel(
            "Working days of silence",
            COUNT,
            [("sort_desc(min by (authority) (payback_silent_working_days) > 0)", "{{authority}}")],
            "table",
            none="authority",
        ),
        Panel(
            "Share refused in the last day",
            SHARE,
            [("sort_desc(payback:refused_share:day > 0)", "{{authority}} {{job}}")],
            "table",
            none="authority",
        ),
        Panel(
            "Refusals in six hours, by reason",
            COUNT,
            [("round(sum by (reason) (increase(payback_rejections_total[6h]))) > 0", "{{reason}}")],
        ),
        Panel(
            "Share refused in the last day, by version of the sender",
            SHARE,
            [(OF_A_VERSION, "{{authority}} {{version}}")],
            "table",
            none="authority",
        ),
        Panel(
            "Events in the last day, by outcome", COUNT, [("sum by (outcome) (payback_events_last_day)", "{{outcome}}")]
        ),
        Panel(
            "Not yet visible",
            SECONDS,
            [
                (
                    BEHIND,
                    "{{authority}} {{service}}",
                )
            ],
            "table",
            none="authority",
        ),
        Panel(
            "Cells changed by recounts in the last day",
            COUNT,
            [("round(sum by (authority) (increase(payback_cells_recounted_total[1d]))) > 0", "{{authority}}")],
            "table",
            none="authority",
        ),
        Panel(
            "Differences between figures and events",
            COUNT,
            [("max by (authority, service) (payback_proof_mismatches) > 0", "{{authority}} {{service}}")],
            "table",
            none="authority",
        ),
        Panel(
            "Time since all figures were compared with events",
            SECONDS,
            [("time() - min(payback_proved_timestamp_seconds)", "")],
            "stat",
            limit=2 * DAY,
        ),
        Panel("Aggregates put aside", COUNT, [("max(payback_aggregates_put_aside)", "")], "stat", limit=1),
        Panel(
            "Age of the latest release",
            SECONDS,
            [("time() - max(payback_release_published_timestamp_seconds != 0)", "")],
            "stat",
            limit=100 * DAY,
        ),
    ),
)
BOARDS: Mapping[str, Board] = {
    "platform": PLATFORM,
    "streams": STREAMS,
    "authority": AUTHORITY,
    "quality": QUALITY,
}
