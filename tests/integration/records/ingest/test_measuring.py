"""Figures about authorities come from PostgreSQL, so that a worker that has just begun tells the same."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from services.chassis.database import transaction
from services.records.trees import keeping
from services.records.trees.keeping import KeptHead
from tests.integration.records.conftest import NOW, Bench
from tests.support import scenario

ARRIVED = datetime.fromtimestamp(scenario.NOON / 1000, UTC)


def told(bench: Bench, name: str, **labels: str) -> float | None:
    return bench.metrics.get_sample_value(f"payback_{name}", labels)


def test_a_restart_forgets_nothing(bench: Callable[[str], Bench]) -> None:
    one = bench("orders")
    lines = [found for found in scenario.topics() if found[0] in one.domain.kinds]
    authority = lines[0][1]
    quiet = lines[-1][1]
    one.clock.move(ARRIVED + timedelta(hours=3) - NOW)
    worker = one.worker()
    for fetch in scenario.slices(lines[:-1], 500):
        worker.process(fetch)
    refused = int(told(one, "events_total", authority=authority, outcome="rejected") or 0)
    waiting = one.worker()
    waiting.measure()
    assert refused > 0
    assert told(one, "last_event_timestamp_seconds", authority=authority) == ARRIVED.timestamp()
    assert told(one, "last_taken_timestamp_seconds", authority=authority) == ARRIVED.timestamp()
    assert told(one, "events_last_day", authority=authority, outcome="rejected") == refused
    assert told(one, "events_last_day", authority=quiet, outcome="rejected") == 0, "nothing came of it"
    assert told(one, "last_event_timestamp_seconds", authority=quiet) is None
    assert (told(one, "cells_unpublished") or 0) > 100
    assert told(one, "shards_unpublished") == len(waiting.owned()), "nobody publishes, whoever is held back or not"
    assert told(one, "publish_lag_seconds") == 0
    one.clock.move(timedelta(minutes=7))
    waiting.measure()
    assert told(one, "publish_lag_seconds") == 420
    assert told(one, "books_measured_timestamp_seconds") == one.clock().timestamp()
    assert told(one, "day_closed_timestamp_seconds", authority=authority) is None, "no tree was ever signed"
    with transaction(one.database) as connection:
        for day in (date(2026, 3, 28), date(2026, 3, 27)):
            keeping.add_head(connection, authority, KeptHead(day, 0, b"", 0, ""))
    waiting.measure()
    ended = told(one, "day_closed_timestamp_seconds", authority=authority)
    assert ended == datetime(2026, 3, 29, tzinfo=UTC).timestamp(), "midnight in London, before summer time begins"
    one.clock.move(timedelta(days=4))
    waiting.measure()
    assert told(one, "events_last_day", authority=authority, outcome="rejected") == 0
    days = one.domain.calendar.working_days(ARRIVED.date(), (one.clock() - timedelta(days=1)).date())
    assert told(one, "silent_working_days", authority=authority) == days > 0
