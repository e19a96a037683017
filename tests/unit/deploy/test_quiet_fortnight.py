"""Nothing pages in a quiet fortnight with bank holidays, for the smallest authority either; and it would, were it not quiet.

What Prometheus sees is made from pretend authorities by the platform's own rules, every half hour from 21 December on. Nobody sends on
days on which offices are closed.
"""

import shutil
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from contracts.decoding.codec import decode
from contracts.events import Topic
from contracts.rejections import Rejection
from contracts.topics import authority_of, kind_of_topic
from services.records.ingest.measuring import is_working_day, silent_days
from services.records.model.bank_holidays import scotland
from services.simulate.nation import Simulation
from tests.support.outside.promtool import promtool

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)"
)
SMALLEST, LARGEST = "S12000027", "S12000049"
RULES = Path(__file__).parents[3] / "deploy" / "prometheus" / "alerts.yml"
BEGIN = datetime(2026, 12, 21, tzinfo=UTC)
LENGTH = timedelta(days=14)
STEP = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)
CALENDAR = scotland()
JOBS = {Topic.ORDERS: "orders-worker", Topic.UNPAID_WORK: "unpaid-work-worker"}
STOPS = BEGIN + timedelta(days=8, hours=12)
SHORTLY_BEFORE = BEGIN + timedelta(days=6)
SOON = BEGIN + timedelta(days=10)
"""Enough for what fires within a day of that. That nothing fires before it is seen of the whole fortnight."""
Value = Callable[[datetime], float | datetime]
NOTHING: Mapping[str, Value] = MappingProxyType({})
Sent = dict[tuple[str, str], list[tuple[datetime, bool]]]
"""By job and authority: when each event came, and whether it was refused."""


@pytest.fixture(scope="module")
def sent() -> Sent:
    """Return what two authorities send; events of a closed day come the next working day."""
    found: Sent = {}
    for delivery in Simulation(11, 3, date(2027, 1, 5), (SMALLEST, LARGEST)).deliveries():
        topic, authority, at = kind_of_topic(delivery.topic), authority_of(delivery.topic), delivery.arrived_at
        while not is_working_day(CALENDAR, at.date()):
            at += timedelta(days=1)
        refused = isinstance(decode(delivery.value, topic, authority, at), Rejection)
        found.setdefault((JOBS[topic], authority), []).append((at, refused))
    return {key: sorted(events) for key, events in found.items()}


def series(sent: Sent) -> Iterator[tuple[str, Value]]:
    """Yield every series that matters, and its value at a time."""
    for job in JOBS.values():
        yield f'up{{job="{job}"}}', lambda _: 1
        yield f'payback_stream_up{{job="{job}"}}', lambda _: 1
        yield f'payback_stream_measured_timestamp_seconds{{job="{job}"}}', lambda now: now
        yield f'payback_books_measured_timestamp_seconds{{job="{job}"}}', lambda now: now
        yield f'payback_publish_lag_seconds{{job="{job}"}}', lambda _: 0
        yield f'payback_working_day{{job="{job}"}}', lambda now: is_working_day(CALENDAR, now.date())
    for job in ("orders-api", "unpaid-work-api", "reporting-api", "reporting-worker", "desk-api", "watch", "proof"):
        yield f'up{{job="{job}"}}', lambda _: 1
    for of in ("kafka", "postgresql"):
        yield f'payback_backup_timestamp_seconds{{of="{of}"}}', _at_one_o_clock
    for (job, authority), events in sent.items():
        yield from _of_an_authority(f'{{job="{job}", authority="{authority}"', job, authority, events)


def _of_an_authority(
    labels: str, job: str, authority: str, events: list[tuple[datetime, bool]]
) -> Iterator[tuple[str, Value]]:
    times = [at for at, _ in events]

    def last(now: datetime) -> datetime:
        return times[bisect_right(times, now) - 1]

    def lately(now: datetime, *, refused: bool) -> int:
        began = bisect_left(times, now - timedelta(days=1))
        return sum(one is refused for _, one in events[began : bisect_right(times, now)])

    service = "orders" if job == "orders-worker" else "unpaid_work"
    yield f'payback_stream_lag_seconds{{job="{job}", topic="x.{authority}"}}', lambda _: 0
    yield f"payback_last_event_timestamp_seconds{labels}}}", last
    yield f"payback_last_taken_timestamp_seconds{labels}}}", last
    shown = f'payback_shown_timestamp_seconds{{service="{service}", authority="{authority}"}}'
    yield shown, last
    yield f"payback_silent_working_days{labels}}}", lambda now: silent_days(CALENDAR, last(now), now.date())
    yield f'payback_events_last_day{labels}, outcome="rejected"}}', lambda now: lately(now, refused=True)
    yield f'payback_events_last_day{labels}, outcome="applied"}}', lambda now: lately(now, refused=False)


def _at_one_o_clock(now: datetime) -> datetime:
    return (now - timedelta(hours=1)).replace(hour=1)


def fired(
    sent: Sent,
    directory: Path,
    otherwise: Mapping[str, Value] = NOTHING,
    begin: datetime = BEGIN,
    end: datetime = BEGIN + LENGTH,
) -> set[str]:
    """Return the alerts that fired at some time in between, but for the one that always does; with some series otherwise."""
    values = dict(series(sent))
    assert otherwise.keys() <= values.keys()
    times = [begin + number * STEP for number in range((end - begin) // STEP)]

    def told(value: float | datetime) -> float:
        """Return a time as seconds: Prometheus's own time is none where it begins."""
        return (value - begin).total_seconds() if isinstance(value, datetime) else value

    inputs = [
        {"series": name, "values": " ".join(f"{told(at(now)):.0f}" for now in times)}
        for name, at in (values | dict(otherwise)).items()
    ]
    ever = {"expr": FIRING, "eval_time": f"{(times[-1] - begin) // MINUTE}m", "exp_samples": []}
    every = f"{STEP // MINUTE}m"
    test = {"interval": every, "input_series": inputs, "promql_expr_test": [ever]}
    proof: Mapping[str, Any] = {"rule_files": [str(RULES)], "evaluation_interval": every, "tests": [test]}
    (directory / "quiet.yml").write_text(yaml.safe_dump(dict(proof)))
    done = promtool(directory, "test", "rules", "quiet.yml")
    if done.returncode == 0:
        return set()
    names = [part.split('"')[0] for part in done.stderr.split('alertname="')[1:]]
    assert names, done.stderr + done.stdout
    return set(names) - {"Watchdog", "AuthoritiesMissing"}


FIRING = (
    'max by (alertname) (max_over_time(ALERTS{alertname!~"Watchdog|AuthoritiesMissing", alertstate="firing"}[14d]))'
)


def test_a_quiet_fortnight_is_quiet(sent: Sent, tmp_path: Path) -> None:
    assert {authority for _, authority in sent} == {SMALLEST, LARGEST}
    assert fired(sent, tmp_path) == set()


def test_the_smallest_authority_is_missed_and_its_refusals_are_seen(sent: Sent, tmp_path: Path) -> None:
    silent = {
        (job, code): [one for one in events if code != SMALLEST or one[0] < STOPS]
        for (job, code), events in sent.items()
    }
    assert fired(silent, tmp_path, begin=SHORTLY_BEFORE) == {"AuthoritySilent"}
    refused = {
        (job, code): [(at, was or (code == SMALLEST and at > STOPS)) for at, was in events]
        for (job, code), events in sent.items()
    }
    assert fired(refused, tmp_path, begin=SHORTLY_BEFORE, end=SOON) == {"MostRefused"}


def test_that_nobody_is_heard_is_known_the_same_day(sent: Sent, tmp_path: Path) -> None:
    day = BEGIN + timedelta(days=2)
    until = day + timedelta(days=1)
    nobody = {key: [one for one in events if one[0] < day] for key, events in sent.items()}
    assert "NobodyHeard" in fired(nobody, tmp_path, begin=BEGIN + timedelta(days=1), end=until)


def test_a_single_event_of_the_smallest_authority_that_waits_or_is_not_shown_is_noticed(
    sent: Sent, tmp_path: Path
) -> None:
    """Its next four of a day hide neither."""
    waits = f'payback_stream_lag_seconds{{job="orders-worker", topic="x.{SMALLEST}"}}'
    one_waits: dict[str, Value] = {waits: lambda now: 1800 * (STOPS < now < STOPS + timedelta(hours=2))}
    assert fired(sent, tmp_path, one_waits, SHORTLY_BEFORE, SOON) == {"AuthorityLate"}
    shown = f'payback_shown_timestamp_seconds{{service="orders", authority="{SMALLEST}"}}'
    goes_on = dict(series(sent))[shown]
    assert fired(sent, tmp_path, {shown: lambda now: goes_on(min(now, STOPS))}, SHORTLY_BEFORE, SOON) == {
        "FiguresStale"
    }
