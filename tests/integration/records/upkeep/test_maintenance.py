"""What operators do by hand, on real parts."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, text

from contracts.rejections import Reason
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import Slice
from services.chassis.streaming.kafka import Producer
from services.operations.topics import ensure, topic_specs
from services.records.ingest.tables import rejections
from services.records.upkeep.prove import authorities, unbalanced
from services.records.upkeep.redrive import Redriven, redrive
from tests.integration.records.conftest import Bench
from tests.support import scenario

TOPIC, AUTHORITY = "orders.events.S12000029", "S12000029"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def _lines() -> list[bytes]:
    return next(found for kind, code, found in scenario.topics() if code == AUTHORITY and kind == "orders.events")


def _books(bench: Callable[[str], Bench]) -> Bench:
    one = bench("orders")
    one.worker().process([Slice(TOPIC, 0, [scenario.Sent(offset, raw) for offset, raw in enumerate(_lines())])])
    return one


def test_books_that_balance_are_proven(bench: Callable[[str], Bench]) -> None:
    one = _books(bench)
    assert AUTHORITY in authorities(one.database)
    assert list(unbalanced(one.database, one.domain, AUTHORITY)) == []


def test_a_cell_that_is_off_is_named(bench: Callable[[str], Bench]) -> None:
    one = _books(bench)
    with one.database.begin() as connection:
        connection.execute(text("UPDATE cells SET delta = delta + 2 WHERE measure = 'orders_opened' AND delta > 0"))
    lines = list(unbalanced(one.database, one.domain, AUTHORITY))
    assert lines
    assert all("orders_opened" in line and "+2 off" in line for line in lines)


def test_an_event_without_an_outcome_is_found(bench: Callable[[str], Bench]) -> None:
    one = _books(bench)
    with one.database.begin() as connection:
        connection.execute(text('DELETE FROM arrivals WHERE "offset" = 3'))
    (line,) = unbalanced(one.database, one.domain, AUTHORITY)
    assert "have an outcome" in line


def test_what_is_acceptable_now_goes_through_again_once(bench: Callable[[str], Bench], empty_kafka: str) -> None:
    kafka = KafkaSettings(bootstrap=empty_kafka)
    ensure(kafka, topic_specs())
    one = _books(bench)
    with one.database.begin() as connection:
        first = connection.scalars(select(rejections.c.offset).order_by(rejections.c.offset)).first()
        # As if our contract had refused it by mistake, and was mended since.
        connection.execute(rejections.update().where(rejections.c.offset == first).values(value=_lines()[0]))
    with Producer(kafka) as producer:
        assert redrive(one.database, producer, NOW, reason=Reason.BAD_DATE).sent == 0
        refused = len(_rejected(one)) - 1
        assert redrive(one.database, producer, NOW, authority=AUTHORITY) == Redriven(1, refused)
        assert redrive(one.database, producer, NOW) == Redriven(0, refused)
    assert [row.redriven_at for row in _rejected(one) if row.offset == first] == [NOW]


def _rejected(one: Bench) -> list[Any]:
    with one.database.connect() as connection:
        return list(connection.execute(select(rejections)))
