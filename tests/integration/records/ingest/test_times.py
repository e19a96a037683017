"""Times of records that cannot be neither stop a worker nor make history; a clock that jumped misdates nothing after it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from services.chassis.streaming.batches import Slice, TopicPartition
from services.orders import api as orders_api
from services.records.api.findings import own as own_findings
from services.records.api.order_schemas import Today
from services.records.ingest import times
from services.records.ingest.tables import arrivals, cells, record_times, rejections, shards
from tests.integration.records.conftest import CALENDAR, NOW, Bench
from tests.support import scenario

MakeBench = Callable[[str], Bench]
AUTHORITY = "S12000029"
TOPIC = f"orders.events.{AUTHORITY}"
LINES = next(found for kind, code, found in scenario.topics() if code == AUTHORITY and kind == "orders.events")
HOUR = timedelta(hours=1)


def ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def feed(bench: Bench, *timestamps: int, start: int = 0) -> None:
    sent = [scenario.Sent(start + n, LINES[start + n], timestamp) for n, timestamp in enumerate(timestamps)]
    bench.worker().process([Slice(TOPIC, 0, sent)])


def arrived(bench: Bench) -> list[datetime]:
    with bench.database.connect() as connection:
        return list(connection.scalars(select(arrivals.c.arrived_at).order_by(arrivals.c.authority, arrivals.c.offset)))


def known(bench: Bench) -> set[date]:
    with bench.database.connect() as connection:
        return set(connection.scalars(select(cells.c.known_on)))


IMPOSSIBLE = {
    "missing": -1,
    "nought": 0,
    "seconds": int(NOW.timestamp()),
    "microseconds": ms(NOW) * 1000,
    "nanoseconds": ms(NOW) * 1_000_000,
    "negative": -(2**62),
    "the greatest": 2**63 - 1,
    "two days ahead": ms(NOW + timedelta(days=2)),
    "2062": ms(NOW + timedelta(days=365 * 36)),
}


@pytest.mark.parametrize("timestamp", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_time_that_cannot_be_is_the_time_of_reading(bench: MakeBench, timestamp: int) -> None:
    one = bench("orders")
    before, after = ms(NOW - 2 * HOUR), ms(NOW + HOUR)
    feed(one, before, timestamp, after)
    assert arrived(one) == [NOW - 2 * HOUR, NOW, NOW + HOUR]
    assert known(one) == {NOW.date()}
    assert one.metrics.get_sample_value("payback_record_times_replaced_total", {"authority": AUTHORITY}) == 1
    with one.database.connect() as connection:
        (row,) = connection.execute(select(record_times)).all()
        look = orders_api._OWN_FINDINGS[own_findings.RECORD_TIME.code]
        (view,) = look(connection, AUTHORITY, Today(NOW.date(), CALENDAR, ()))
        assert list(look(connection, "S12000005", Today(NOW.date(), CALENDAR, ()))) == []
    assert (row.offset, row.recorded, row.used) == (1, timestamp, NOW)
    assert "1 record of" in (view.detail or "")


def test_a_refused_event_of_a_time_that_cannot_be_is_kept(bench: MakeBench) -> None:
    one = bench("orders")
    one.worker().process([Slice(TOPIC, 0, [scenario.Sent(0, b"{", 2**63 - 1)])])
    with one.database.connect() as connection:
        assert connection.scalar(select(rejections.c.arrived_at)) == NOW
        assert connection.scalar(select(shards.c.heard_at).where(shards.c.authority == AUTHORITY)) is None
    one.worker().process([Slice(TOPIC, 0, [scenario.Sent(1, LINES[0], 2**63 - 1)])])
    with one.database.connect() as connection:
        assert connection.scalar(select(shards.c.heard_at).where(shards.c.authority == AUTHORITY)) == NOW


def test_what_follows_a_jump_of_the_brokers_clock_is_dated_right(bench: MakeBench) -> None:
    one = bench("orders")
    jumped = ms(NOW + timedelta(days=10))
    feed(one, ms(NOW), jumped, jumped, ms(NOW + HOUR))
    assert known(one) == {NOW.date()}
    one.clock.move(timedelta(days=3))
    feed(one, ms(NOW + timedelta(days=3)), start=4)
    assert known(one) == {NOW.date(), (NOW + timedelta(days=3)).date()}


def test_made_again_weeks_later_the_books_say_the_same(bench: MakeBench) -> None:
    one = bench("orders")
    stamps = [ms(NOW - HOUR), ms(NOW + timedelta(days=10)), int(NOW.timestamp()), ms(NOW + HOUR)]
    feed(one, *stamps)
    first, days = arrived(one), known(one)
    _empty(one)
    one.clock.move(timedelta(days=30))
    feed(one, *stamps)
    assert arrived(one) == first
    assert known(one) == days


def test_an_operator_mends_times_that_could_have_been(bench: MakeBench) -> None:
    one = bench("orders")
    wrong, right = ms(NOW - timedelta(days=5)), NOW - timedelta(days=9)
    with one.database.begin() as connection:
        assert times.redate(connection, TopicPartition(TOPIC, 0), 1, 2, right) == 2
    feed(one, ms(right), wrong, wrong, ms(right + HOUR))
    assert arrived(one) == [right, right, right, right + HOUR]
    assert known(one) == {right.date()}


def test_books_that_are_ahead_of_the_clock_say_so_and_new_events_have_their_own_day(bench: MakeBench) -> None:
    one = bench("orders")
    feed(one, *[ms(NOW)] * 10)
    ahead = date(2062, 1, 1)
    with one.database.begin() as connection:
        connection.execute(text('UPDATE shards SET reached = \'{"orders.events": "2062-01-01"}\''))
        connection.execute(text("UPDATE cells SET known_on = :day"), {"day": ahead})
    feed(one, *[ms(NOW)] * (len(LINES) - 10), start=10)
    assert known(one) == {NOW.date(), ahead}
    days = one.metrics.get_sample_value("payback_known_ahead_days", {"authority": AUTHORITY})
    assert days == (ahead - NOW.date()).days
    found = one.cells()
    _empty(one)
    feed(one, *[ms(NOW)] * len(LINES))
    assert one.cells() == found
    with one.database.connect() as connection:
        assert connection.scalar(select(func.max(cells.c.known_on))) == NOW.astimezone(UTC).date()


def _empty(bench: Bench) -> None:
    """Empty the books as a rebuild begins: the notes of workers and operators stay."""
    with bench.database.begin() as connection:
        connection.exec_driver_sql(
            "TRUNCATE arrivals, cells, changes, checkpoints, persons, records, rejections, shards, counters, gaps, recounts"
        )
