"""A worker's metrics are bounded, whoever sends what, and complete from the start."""

from datetime import UTC, date, datetime

import pytest
from msgspec import json
from prometheus_client import CollectorRegistry

from contracts.authorities import AUTHORITIES
from contracts.decoding.codec import decode
from contracts.events import Topic
from contracts.rejections import Reason
from services.records.ingest.measuring import Unpublished, Waits, silent_days
from services.records.ingest.metrics import VERSIONS, RecordsMetrics, version_in
from services.records.model.bank_holidays import scotland
from services.records.model.fold import Arrival, Settled
from services.records.model.record import Outcome
from tests.support.scenario import NOON, Sent, topics

SMALL = "S12000027"


def settled(value: bytes, outcome: Outcome) -> Settled:
    content = decode(value, Topic.ORDERS, SMALL, datetime.fromtimestamp(NOON / 1000, UTC))
    return Settled(Arrival(Topic.ORDERS, Sent(0, value), date(2026, 9, 21), content), outcome)


def refused(version: str) -> Settled:
    return settled(b'{"producerversion": "%s"' % version.encode(), Outcome.REJECTED)


def series(registry: CollectorRegistry, name: str) -> int:
    return sum(len(family.samples) for family in registry.collect() if family.name == name)


def test_a_sender_cannot_make_series_without_end() -> None:
    registry = CollectorRegistry()
    metrics = RecordsMetrics(registry)
    metrics.owns(AUTHORITIES)
    for number in range(500):
        metrics.settled(SMALL, [refused(f"{number}.0"), refused('"'), refused("x" * 41), refused("ü")])
    told = {sample.labels["version"] for family in registry.collect() for sample in family.samples
            if family.name == "payback_producer_events" and sample.labels["authority"] == SMALL}  # fmt: skip
    assert len(told) <= VERSIONS + 2
    assert {"", "other", "0.0"} <= told
    rejected = {"authority": SMALL, "version": "other", "outcome": "rejected"}
    assert registry.get_sample_value("payback_producer_events_total", rejected) == 500 - VERSIONS + 1


def test_the_version_of_what_is_refused_is_read_off_whatever_came() -> None:
    assert version_in(b'{"producerversion" : "4.1-rc+2"}') == "4.1-rc+2"
    for raw in (None, b"", b"\xff\xfe", b'{"producerversion": 4}', b'{"producerversion": "a b"}'):
        assert version_in(raw) == ""


def test_every_count_begins_at_zero() -> None:
    """A counter that first appears with a value shows Prometheus no increase: all events of a small authority refused at once."""
    registry = CollectorRegistry()
    RecordsMetrics(registry).owns([SMALL])
    for outcome in Outcome:
        assert registry.get_sample_value("payback_events_total", {"authority": SMALL, "outcome": outcome}) == 0
        labels = {"authority": SMALL, "version": "", "outcome": outcome}
        assert registry.get_sample_value("payback_producer_events_total", labels) == 0
    for reason in Reason:
        assert registry.get_sample_value("payback_rejections_total", {"authority": SMALL, "reason": reason}) == 0
    assert registry.get_sample_value("payback_record_times_replaced_total", {"authority": SMALL}) == 0


def test_of_a_commit_the_longest_wait_and_the_latest_time_are_told() -> None:
    registry = CollectorRegistry()
    line = next(lines for kind, _, lines in topics() if kind is Topic.ORDERS)[0]
    authority = json.decode(line)["source"].split("/")[2]
    content = decode(line, Topic.ORDERS, authority, datetime.fromtimestamp(NOON / 1000, UTC))
    arrivals = [
        Settled(Arrival(Topic.ORDERS, Sent(at, line, NOON + at * 1000), date.max, content), Outcome.APPLIED)
        for at in (3, 1, 2)
    ]
    RecordsMetrics(registry).waited(SMALL, arrivals, NOON / 1000 + 10)
    assert registry.get_sample_value("payback_event_wait_seconds_sum", {"authority": SMALL}) == 9
    assert registry.get_sample_value("payback_event_told_seconds_count", {"authority": SMALL}) == 1


@pytest.mark.parametrize(
    ("last", "today", "days"),
    [
        ("2026-11-23", "2026-11-23", 0),
        ("2026-11-23", "2026-11-24", 0),
        ("2026-11-23", "2026-11-25", 1),
        ("2026-11-27", "2026-11-30", 0),  # a weekend
        ("2026-12-24", "2026-12-30", 1),  # Christmas and Boxing Day, of which one is a Saturday, and the weekend
        ("2026-12-31", "2027-01-05", 0),  # two days at the New Year
    ],
)
def test_silence_is_counted_in_the_days_on_which_people_work(last: str, today: str, days: int) -> None:
    at = datetime.fromisoformat(f"{last}T16:00:00+00:00")
    assert silent_days(scotland(), at, date.fromisoformat(today)) == days


def test_who_gets_further_has_not_waited_long() -> None:
    waits = Waits()
    assert waits.longest([Unpublished("a", (1, 1), 5), Unpublished("b", (1, 1), 5)], 100) == 0
    assert waits.longest([Unpublished("a", (1, 2), 5), Unpublished("b", (1, 1), 5)], 160) == 60
    assert waits.longest([Unpublished("a", (1, 2), 9)], 190) == 30
    assert waits.longest([], 200) == 0
    assert waits.longest([Unpublished("a", (1, 2), 9)], 300) == 0
