"""Operators mend by hand, on real parts."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import structs
from sqlalchemy import select

from contracts.decoding.codec import Event, decode, encode
from contracts.events import Topic
from contracts.rejections import Reason
from services.chassis.audit import store
from services.chassis.audit.store import Question
from services.chassis.streaming.batches import Slice
from services.chassis.streaming.clients.producer import Producer
from services.operations.refusals import refusals
from services.operations.topics import topic_specs
from services.records.ingest.tables import rejections
from services.records.model.record import Outcome
from services.records.upkeep.redrive import Order, Redriven, Wanted, foresee, redrive
from tests.integration.records.conftest import Bench
from tests.support import scenario
from tests.support.outside.topics import TopicsAnew

TOPIC, AUTHORITY = "orders.events.S12000029", "S12000029"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
NOW_OF_SCENARIO = datetime.fromtimestamp(scenario.NOON / 1000, UTC)


def _lines() -> list[bytes]:
    return next(found for kind, code, found in scenario.topics() if code == AUTHORITY and kind == "orders.events")


def _books(bench: Callable[[str], Bench]) -> Bench:
    one = bench("orders")
    one.worker().process([Slice(TOPIC, 0, [scenario.Sent(offset, raw) for offset, raw in enumerate(_lines())])])
    return one


def test_what_is_acceptable_now_goes_through_again_once(bench: Callable[[str], Bench], topics_anew: TopicsAnew) -> None:
    kafka = topics_anew(topic_specs())
    one = _books(bench)
    with one.database.begin() as connection:
        first = connection.scalars(select(rejections.c.offset).order_by(rejections.c.offset)).first()
        # As if our contract had refused it by mistake, and was mended since.
        connection.execute(rejections.update().where(rejections.c.offset == first).values(value=_lines()[0]))
    with Producer(kafka) as producer:
        assert redrive(one.database, producer, NOW, Wanted(reason=Reason.BAD_DATE)).sent == 0
        refused = len(_rejected(one)) - 1
        paused: list[int] = []
        order = Order("an operator", "a code list lacked a code")
        assert redrive(one.database, producer, NOW, Wanted(AUTHORITY), order, pause=paused.append, batch=2) == Redriven(
            1, refused
        )
        assert redrive(one.database, producer, NOW) == Redriven(0, refused)
    assert paused == [1], "it waits after each batch, so that all that it sends is as slow as asked"
    with one.database.connect() as connection:
        (kept,) = store.search(connection, AUTHORITY, Question(), 10)
    assert (kept.entry.what, kept.entry.who) == ("payback redrive", order.by)
    assert kept.entry.detail == {"events": 1, "why": order.why}
    assert [row.redriven_at for row in _rejected(one) if row.offset == first] == [NOW]


def test_what_sending_again_would_do_is_shown_and_happens(bench: Callable[[str], Bench]) -> None:
    """The cells that change when the events do come again are those that were foretold."""
    one = bench("orders")
    one.clock.move(NOW_OF_SCENARIO - one.clock())
    lines = _lines()
    worker = one.worker()
    worker.process([Slice(TOPIC, 0, [scenario.Sent(at, raw) for at, raw in enumerate([b"no event", *lines])])])
    latest = decode(lines[-1], Topic.ORDERS, AUTHORITY, NOW_OF_SCENARIO)
    assert isinstance(latest, Event)
    with one.database.begin() as connection:
        new = encode(structs.replace(latest, id="another", time=latest.time + timedelta(days=1), subject="NEW-1"))
        connection.execute(rejections.update().where(rejections.c.offset == 0).values(value=new))
    before, books = one.cells(), _rejected(one)
    [(authority, foretold)] = list(foresee(one.database, one.domain, one.clock(), Wanted(AUTHORITY)))
    assert (one.cells(), _rejected(one)) == (before, books), "it was only looked at"
    assert authority == AUTHORITY
    assert foretold.outcomes == {Outcome.APPLIED: 1}, "what is refused again is not sent"
    assert foretold.records == 1
    assert foretold.still_refused == len(books) - 1 > 0
    again = [scenario.Sent(1 + len(lines), new, round(one.clock().timestamp() * 1000))]
    worker.process([Slice(TOPIC, 0, again)])
    moved: Counter[str] = Counter()
    for key in before.keys() | one.cells().keys():
        moved[key.split("|")[0]] += one.cells().get(key, 0) - before.get(key, 0)
    people = {"people", "new_people", "people_year"}
    changed = {measure: change for measure, change in moved.items() if change and measure not in people}
    changed.pop("events", None)
    assert changed
    assert changed == {measure: change for measure, change in foretold.cells.items() if measure != "events"}


def test_refusals_are_told_by_reason_place_and_version(bench: Callable[[str], Bench]) -> None:
    one = bench("orders")
    sent = [b'{"producerversion": "5.0"}'] * 3 + [b'{"producerversion": "5.1"}', b"no"]
    times = [scenario.NOON + 60_000 * at for at in range(5)]
    one.worker().process([Slice(TOPIC, 0, [scenario.Sent(at, sent[at], times[at]) for at in range(5)])])
    found = list(refusals(one.database, Wanted(AUTHORITY), NOW))
    assert [(each.reason, each.version, each.number) for each in found] == [
        ("not_cloudevent", "5.0", 3),
        ("not_cloudevent", "5.1", 1),
        ("not_json", "", 1),
    ]
    assert (found[0].last - found[0].first).total_seconds() == 120
    assert list(refusals(one.database, Wanted("S12000005"), NOW)) == []


def _rejected(one: Bench) -> list[Any]:
    with one.database.connect() as connection:
        return list(connection.execute(select(rejections)))
