"""Later events mend earlier ones, numbers are used twice, and events count in the right month."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from msgspec.structs import replace
from sqlalchemy import select

from contracts.decoding.codec import Event, encode
from contracts.decoding.envelope import MAX_SEQUENCE
from contracts.events import OfficerNominated, OrderReceived, SessionRecorded, Topic
from contracts.generate.samples import AUTHORITY, EVENTS
from services.chassis.api.auth import own_authority
from services.chassis.database import FEW, engine, settings_of
from services.chassis.streaming.batches import Slice
from services.records.api.findings.own import REUSED, reused
from services.records.api.order_schemas import Today
from services.records.api.receipts import outcomes
from services.records.ingest.tables import rejections
from services.records.upkeep import redrive
from tests.integration.records.conftest import CALENDAR, NOW, Bench
from tests.support.asking import InThisThread
from tests.support.scenario import Sent

MakeBench = Callable[[str], Bench]
ORDERS, WORK = f"orders.events.{AUTHORITY}", f"unpaid-work.events.{AUTHORITY}"
GOOD = next(event for event in EVENTS if isinstance(event.data, OfficerNominated))
SESSION = next(event for event in EVENTS if isinstance(event.data, SessionRecorded))


def event(**changes: Any) -> Event:
    return replace(GOOD, **changes)


def bad(**changes: Any) -> bytes:
    return encode(event(**changes)).replace(b"nominated_on", b"nominated_in")


def good(**changes: Any) -> bytes:
    return encode(event(**changes))


def send(bench: Bench, topic: str, *raws: bytes, start: int = 0) -> None:
    bench.worker().process([Slice(topic, 0, [Sent(start + n, raw) for n, raw in enumerate(raws)])])


def mended(bench: Bench) -> dict[int, int | None]:
    with bench.database.connect() as connection:
        return {row.offset: row.mended_by for row in connection.execute(select(rejections))}


def test_a_later_accepted_event_of_the_same_source_and_id_closes_the_rejection(bench: MakeBench) -> None:
    one = bench("orders")
    send(one, ORDERS, encode(event(id="a")), bad(id="a"), bad(id="b"), encode(event(id="b")), bad(id="c"))
    assert mended(one) == {1: None, 2: 3, 4: None}
    send(one, ORDERS, encode(event(id="c", system="another")), encode(event(id="c")), encode(event(id="c")), start=5)
    assert mended(one) == {1: None, 2: 3, 4: 6}


@pytest.mark.parametrize("size", [1, 2, 4])
def test_what_closes_a_refusal_does_not_depend_on_where_batches_end(bench: MakeBench, size: int) -> None:
    one, good = bench("orders"), encode(event(id="a"))
    raws = [good, bad(id="a"), good, bad(id="a")]
    for start in range(0, 4, size):
        send(one, ORDERS, *raws[start : start + size], start=start)
    assert mended(one) == {1: 2, 3: None}


@pytest.mark.parametrize("refused", [1, FEW, 3 * FEW], ids="{} refused".format)
def test_many_events_close_what_each_would_close(bench: MakeBench, refused: int) -> None:
    """More events than are sent within a statement, while fewer refusals are open, and while more are."""
    one, begin = bench("orders"), refused + 3
    send(one, ORDERS, b"{", bad(id="twice"), bad(id="twice"), *[bad(id=f"{n}") for n in range(refused)])
    good = [encode(event(id=f"{n}")) for n in range(2 * FEW)]
    send(one, ORDERS, *good, encode(event(id="twice")), start=begin)
    closed = {3 + n: begin + n if n < len(good) else None for n in range(refused)}
    assert mended(one) == {0: None, 1: begin + len(good), 2: begin + len(good)} | closed


MANY = 3_000


@pytest.mark.parametrize("ids", [1, MANY], ids=["one id", "an id each"])
def test_to_close_many_refusals_takes_a_time_that_does_not_grow_with_pairs(bench: MakeBench, ids: int) -> None:
    """Each refusal beside each event of its id would be nine million, and take longer than a statement may."""
    one = bench("orders")
    one.database.dispose()
    hurried = settings_of(one.database).model_copy(update={"statement_timeout_seconds": 4.0})
    one.database = engine(hurried)
    refused = [bad(id=f"{number % ids}") for number in range(MANY)]
    good = [encode(event(id=f"{number % ids}")) for number in range(MANY)]
    send(one, ORDERS, *refused, *good)
    first = {number: MANY + number % ids for number in range(MANY)}
    assert mended(one) == first


def test_of_several_systems_that_use_the_same_id_each_closes_its_own(bench: MakeBench) -> None:
    one = bench("orders")
    lines = [
        (bad, "x"), (bad, "y"), (good, "y"), (bad, "y"), (good, "x"), (good, "y"), (bad, "x"),
    ]  # fmt: skip
    send(one, ORDERS, *[make(id="a", system=system) for make, system in lines], b'{"id":"a"}', good(id="a", system="z"))
    assert mended(one) == {0: 4, 1: 2, 3: 5, 6: None, 7: 8}


def test_what_cannot_tell_its_source_is_closed_by_its_id(bench: MakeBench) -> None:
    one = bench("orders")
    wrong = encode(event(id="a")).replace(GOOD.source.encode(), b"/authorities/S12000006")
    send(one, ORDERS, wrong, b"{", encode(event(id="a")))
    assert mended(one) == {0: 2, 1: None}


def test_what_its_sender_has_mended_is_not_sent_again(bench: MakeBench) -> None:
    one = bench("orders")
    send(one, ORDERS, bad(id="a"), bad(id="b"), encode(event(id="a")))
    (waiting,) = redrive._waiting(one.database, redrive.Wanted(), 500)
    assert [row.offset for row in waiting] == [1]


def test_open_rejections_are_listed_by_themselves(bench: MakeBench) -> None:
    one = bench("orders")
    send(one, ORDERS, bad(id="a"), bad(id="b"), encode(event(id="a")))
    app = InThisThread(_app(one))
    assert [r["offset"] for r in app.get("/v1/rejections").json()["rejections"]] == [1, 0]
    assert [r["offset"] for r in app.get("/v1/rejections?open=true").json()["rejections"]] == [1]
    (closed,) = app.get("/v1/rejections?open=false").json()["rejections"]
    assert (closed["offset"], closed["mended_by"]) == (0, 2)


def _app(bench: Bench) -> Any:
    app = FastAPI()
    app.include_router(outcomes.router(Topic.ORDERS, bench.database))
    app.dependency_overrides[own_authority] = lambda: AUTHORITY
    return app


def test_a_number_used_twice_is_found_once_and_a_repeat_is_none(bench: MakeBench) -> None:
    one = bench("unpaid_work")
    first = encode(event(id="a", sequence=7, system="x"))
    other = encode(replace(SESSION, id="b", sequence=7, system="x", time=datetime(2026, 5, 31, 23, 30, tzinfo=UTC)))
    send(one, ORDERS, first, first, encode(event(id="c", sequence=7, system="y")), bad(id="d", sequence=7, system="x"))
    assert not [key for key in one.cells() if key.endswith("|reused")]
    send(one, WORK, other, other, encode(event(id="e", sequence=8, system="x")))
    send(one, ORDERS, first, start=4)
    assert {k: n for k, n in one.cells().items() if k.endswith("|reused")} == {
        f"sequence|{AUTHORITY}|2026-06-01|reused": 1
    }
    with one.database.connect() as connection:
        (view,) = reused(connection, AUTHORITY, Today(NOW.date(), CALENDAR, ()))
    assert (view.rule, view.detail) == (REUSED.code, f"/authorities/{AUTHORITY}/systems/x: 7")


def test_twelve_systems_with_a_wild_number_stop_nobody(bench: MakeBench) -> None:
    one = bench("unpaid_work")
    wild = MAX_SEQUENCE
    send(one, ORDERS, *[encode(event(id=f"{n}", sequence=wild, system=f"s{n}")) for n in range(12)])
    send(one, ORDERS, *[bad(id=f"r{n}", sequence=wild, system=f"t{n}") for n in range(12)], start=12)
    assert sum(n for key, n in one.cells().items() if key.endswith("|missing")) == 24 * 1_000_000


def test_an_event_counts_in_the_month_of_its_local_day(bench: MakeBench) -> None:
    one = bench("orders")
    received = next(each for each in EVENTS if isinstance(each.data, OrderReceived))
    late = replace(received, id="late", time=datetime(2026, 5, 31, 23, 30, tzinfo=UTC))
    winter = replace(received, id="winter", time=datetime(2026, 1, 31, 23, 30, tzinfo=UTC))
    send(one, ORDERS, encode(late), encode(winter))
    months = {key.split("|")[2] for key in one.cells() if key.startswith("events|")}
    assert months == {"2026-06-01", "2026-01-01"}


def test_a_time_before_all_calendars_stops_nobody(bench: MakeBench) -> None:
    one = bench("unpaid_work")
    first = encode(event(id="old", sequence=1)).replace(b'"time":"' + _text(GOOD.time), b'"time":"0001-01-01T00:00:00Z')
    send(one, ORDERS, first, encode(event(id="new", sequence=2)))
    assert sum(n for key, n in one.cells().items() if key.endswith("|received")) == 2


def _text(time: datetime) -> bytes:
    return time.isoformat().replace("+00:00", "Z").encode()
