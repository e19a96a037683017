"""Whatever an authority sends, it and all others are served: each poison comes from one of its own, between two good events of the same.

An authority that was parked names its poison, since no two have the same.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from contracts.authorities import AUTHORITIES
from contracts.decoding.codec import Event, decode, encode
from contracts.events import OfficerNominated, OrderImposed, PeriodClosed, SessionRecorded
from contracts.generate.samples import AUTHORITY, EVENTS
from contracts.rejections import Rejection
from services.chassis.streaming.batches import Slice
from services.chassis.streaming.containment import Contained
from services.chassis.streaming.fetching.bounded import LONGEST
from services.records.ingest.guarding import parking
from services.records.ingest.tables import arrivals, checkpoints
from services.records.model import fold
from tests.integration.records.conftest import Bench
from tests.support.checking.balance import unbalanced
from tests.support.generated.thorough import examples
from tests.support.scenario import Sent

MakeBench = Callable[[str], Bench]
TOPICS = {"orders": "orders.events", "unpaid_work": "unpaid-work.events"}
UNSPOILT = 5
"""At least so many authorities send nothing but what is good."""


def sample(kind: type) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encode(next(event for event in EVENTS if isinstance(event.data, kind))))
    return found


def spoilt(kind: type, path: str, value: str) -> bytes:
    """Return the sample with this in the place of a member, written as it stands, so that it need not be JSON that Python can make."""
    event = sample(kind)
    *outer, last = path.split(".")
    inner = event
    for name in outer:
        inner = inner[name]
    inner[last] = "<here>"
    return json.dumps(event).replace('"<here>"', value).encode()


POISONS = {
    "a total of 10^20": spoilt(PeriodClosed, "data.orders_imposed", str(10**20)),
    "a total of 2^63": spoilt(PeriodClosed, "data.orders_ended", str(2**63)),
    "a total of -10^19": spoilt(PeriodClosed, "data.minutes_credited", str(-(10**19))),
    "a total of 1e400": spoilt(PeriodClosed, "data.minutes_credited", "1e400"),
    "a wild number": spoilt(OfficerNominated, "sequence", str(10**18 - 1)),
    "a number of 2^70": spoilt(OfficerNominated, "sequence", str(2**70)),
    "a refused event with a wild number": spoilt(OfficerNominated, "sequence", f'{10**18 - 1}, "extra": 1'),
    "a refused event with a negative number": spoilt(OfficerNominated, "sequence", f'{-(2**63)}, "extra": 1'),
    "a refused event with a number of a thousand digits": spoilt(
        OfficerNominated, "sequence", '"' + "9" * 1000 + '", "extra": 1'
    ),
    "the year 1": spoilt(OfficerNominated, "time", '"0001-01-01T00:00:00Z"'),
    "the year 1, east of here": spoilt(OfficerNominated, "time", '"0001-01-01T00:00:00+14:00"'),
    "the year 9999": spoilt(OfficerNominated, "time", '"9999-12-31T23:59:59Z"'),
    "the year 9999, west of here": spoilt(OfficerNominated, "time", '"9999-12-31T23:59:59-12:00"'),
    "the year 9999, west of here, with a number": spoilt(
        OfficerNominated, "time", '"9999-12-31T23:59:59-12:00", "sequence": 7'
    ),
    "the first day of all": spoilt(OrderImposed, "data.imposed_on", '"0001-01-01"'),
    "the last day of all": spoilt(OrderImposed, "data.imposed_on", '"9999-12-31"'),
    "nought in an id": spoilt(OfficerNominated, "id", '"\\u0000"'),
    "nought in a subject": spoilt(OfficerNominated, "subject", '"a\\u0000b"'),
    "half a character in an id": spoilt(OfficerNominated, "id", '"\\ud800"'),
    "half a character in a source": spoilt(OfficerNominated, "source", '"\\udfff"'),
    "a member that is an error": spoilt(OfficerNominated, "data", '{"nominated_on": "2025-01-01", "\\u0000": 1}'),
    "very deep": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "very long": b" " * LONGEST,
    "a session of a wild ref": spoilt(SessionRecorded, "data.ref", '"' + "x" * 60_000 + '"'),
    "nothing": b"",
    "not text": bytes(range(256)),
}


def good(authority: str, number: int) -> bytes:
    event = sample(OrderImposed) | {
        "id": f"good-{number}",
        "subject": f"G/{number}",
        "source": f"/authorities/{authority}",
    }
    return json.dumps(event).encode()


def from_each(poisons: Mapping[str, Sent]) -> dict[str, Sent]:
    """Return each poison by the authority that sends it, which its envelope names where it has one."""
    assert len(poisons) <= len(AUTHORITIES) - UNSPOILT
    senders = dict(zip(AUTHORITIES, poisons.values(), strict=False))
    return {code: replace(sent, value=_named(code, sent.value)) for code, sent in senders.items()}


def _named(code: str, value: bytes | None) -> bytes | None:
    return None if value is None else value.replace(AUTHORITY.encode(), code.encode())


def walk(bench: Bench, poisons: Mapping[str, Sent]) -> set[str]:
    """Send two orders of everybody, with the poisons between. Returns which of these have parked somebody."""
    sent_by, names = from_each(poisons), dict(zip(AUTHORITIES, poisons, strict=False))
    topics = {
        code: f"{TOPICS[bench.domain.service] if code in sent_by else 'orders.events'}.{code}" for code in AUTHORITIES
    }
    fetch = list[Slice]()
    for code, topic in topics.items():
        first, last = good(code, 0), good(code, 1)
        values = [Sent(0, first), sent_by[code], Sent(2, last)] if code in sent_by else [Sent(0, first), Sent(1, last)]
        fetch.append(Slice(topic, 0, values))
    Contained(bench.worker()).process(fetch[::2] + fetch[1::2])
    with bench.database.connect() as connection:
        positions = {row.topic: row.next_offset for row in connection.execute(select(checkpoints))}
        parked = set(parking.parked(connection))
    assert {code: positions[topic] for code, topic in topics.items()} == {
        code: 1 if code in parked else 3 if code in sent_by else 2 for code in topics
    }
    return {names[code] for code in parked}


def assert_all_are_served(bench: Bench, poisons: Mapping[str, Sent]) -> None:
    cells = bench.cells()
    imposed = {
        code: sum(n for key, n in cells.items() if key.startswith(f"orders_imposed|{code}|") and key.endswith("|"))
        for code in AUTHORITIES
    }
    if bench.domain.service == "orders":
        assert {imposed[code] for code in AUTHORITIES if code not in from_each(poisons)} == {2}
        assert min(imposed.values()) == 2
    for code in AUTHORITIES:
        assert list(unbalanced(bench.database, bench.domain, code)) == []


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
def test_no_such_event_stops_others_or_its_own_authority(bench: MakeBench, service: str) -> None:
    one, poisons = bench(service), {name: Sent(1, value, key=b"k") for name, value in POISONS.items()}
    assert walk(one, poisons) == set()
    assert_all_are_served(one, poisons)


TIMES = (0, -1, 2**63 - 1, -(2**63), int(datetime(2025, 6, 1).timestamp()))  # noqa: DTZ001


def test_nor_its_time_nor_its_key(bench: MakeBench) -> None:
    one, poisons = bench("orders"), {str(time): Sent(1, None, time, b"\x00" * LONGEST) for time in TIMES}
    assert walk(one, poisons) == set()
    assert_all_are_served(one, poisons)


def test_each_that_is_a_fault_of_ours_is_named_and_stops_no_others(
    bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the tests above can fail, whichever of them it is, however many."""
    spoilt = {_named(code, value) for value in POISONS.values() for code in AUTHORITIES}
    one, poisons = bench("orders"), {name: Sent(1, value) for name, value in POISONS.items()}

    def fails(value: bytes | None, *rest: Any) -> Event | Rejection:
        if value in spoilt:
            raise ArithmeticError("nobody thought of this")
        return decode(value, *rest)

    monkeypatch.setattr(fold, "decode", fails)
    assert walk(one, poisons) == {*POISONS}


@pytest.fixture
def orders(bench: MakeBench) -> Bench:
    """Return the same books for all examples."""
    return bench("orders")


RAW = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda member, value: spoilt(OfficerNominated, member, value),
        st.sampled_from(["id", "source", "type", "subject", "time", "data", "data.nominated_on", "specversion"]),
        st.one_of(
            st.text(max_size=30).map(json.dumps),
            st.integers().map(str),
            st.floats().map(str),
            st.sampled_from(["null", "true", "[]", "{}", "-0", "1E999", '"\\ud800"', '"\\u0000"']),
        ),
    ),
)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(RAW, min_size=1, max_size=10))
def test_whatever_comes_has_an_outcome(orders: Bench, values: list[bytes]) -> None:
    """All sorts of bytes, one batch after the other, to the same books: each has one outcome, and no authority is parked for them."""
    topic, one = f"orders.events.{AUTHORITY}", orders
    with one.database.connect() as connection:
        start = connection.scalar(select(checkpoints.c.next_offset).where(checkpoints.c.topic == topic)) or 0
    Contained(one.worker()).process([Slice(topic, 0, [Sent(start + n, value) for n, value in enumerate(values)])])
    with one.database.connect() as connection:
        assert parking.parked(connection) == {}
        settled = len(connection.execute(select(arrivals.c.offset).where(arrivals.c.authority == AUTHORITY)).all())
    assert settled == start + len(values)
