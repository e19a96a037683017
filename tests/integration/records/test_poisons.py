"""Whatever one authority sends, the other 31 are served: each poison alone, before and after what is good of the same authority."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from contracts.authorities import AUTHORITIES
from contracts.decoding.codec import encode
from contracts.events import OfficerNominated, OrderImposed, PeriodClosed, SessionRecorded
from contracts.generate.samples import AUTHORITY, EVENTS
from services.chassis.streaming.batches import Slice
from services.chassis.streaming.containment import Contained
from services.chassis.streaming.fetching.bounded import LONGEST
from services.records.ingest.guarding import parking
from services.records.ingest.tables import arrivals, checkpoints
from tests.integration.records.conftest import Bench
from tests.support.checking.balance import unbalanced
from tests.support.scenario import NOON, Sent

MakeBench = Callable[[str], Bench]
OTHERS = [code for code in AUTHORITIES if code != AUTHORITY]
TOPICS = {"orders": "orders.events", "unpaid_work": "unpaid-work.events"}


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


def walk(bench: Bench, value: bytes | None, key: bytes | None = b"k", timestamp: int = NOON) -> set[str]:
    """Send two orders of everybody; one authority has the poison between. Returns who is parked."""
    worker = bench.worker()
    contained = Contained(worker)
    topic = f"{TOPICS[bench.domain.service]}.{AUTHORITY}"
    fetch = [Slice(f"orders.events.{code}", 0, [Sent(n, good(code, n)) for n in range(2)]) for code in OTHERS]
    first, last = (good(AUTHORITY, n) for n in (0, 1))
    fetch.insert(7, Slice(topic, 0, [Sent(0, first), Sent(1, value, timestamp, key), Sent(2, last)]))
    contained.process(fetch)
    with bench.database.connect() as connection:
        positions = {row.topic: row.next_offset for row in connection.execute(select(checkpoints))}
        parked = set(parking.parked(connection))
    assert all(positions[f"orders.events.{code}"] == 2 for code in OTHERS)
    assert positions[topic] == (1 if parked else 3)
    return parked


def assert_others_are_served(bench: Bench) -> None:
    cells = bench.cells()
    imposed = {
        code: sum(n for key, n in cells.items() if key.startswith(f"orders_imposed|{code}|") and key.endswith("|"))
        for code in OTHERS
    }
    if bench.domain.service == "orders":
        assert set(imposed.values()) == {2}
    for code in AUTHORITIES:
        assert list(unbalanced(bench.database, bench.domain, code)) == []


@pytest.mark.parametrize("service", ["orders", "unpaid_work"])
@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)
def test_no_such_event_stops_the_others_or_its_own_authority(bench: MakeBench, service: str, poison: bytes) -> None:
    one = bench(service)
    assert walk(one, poison) == set()
    assert_others_are_served(one)


@pytest.mark.parametrize("timestamp", [0, -1, 2**63 - 1, -(2**63), int(datetime(2025, 6, 1).timestamp())])  # noqa: DTZ001
def test_nor_its_time_nor_its_key(bench: MakeBench, timestamp: int) -> None:
    one = bench("orders")
    assert walk(one, None, b"\x00" * LONGEST, timestamp) == set()
    assert_others_are_served(one)


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


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(RAW, min_size=1, max_size=10))
def test_whatever_comes_has_an_outcome(bench: MakeBench, values: list[bytes]) -> None:
    """All sorts of bytes, one batch after the other, to the same books: each has one outcome, and no authority is parked for them."""
    one = bench("orders")
    topic = f"orders.events.{AUTHORITY}"
    with one.database.connect() as connection:
        start = connection.scalar(select(checkpoints.c.next_offset).where(checkpoints.c.topic == topic)) or 0
    Contained(one.worker()).process([Slice(topic, 0, [Sent(start + n, value) for n, value in enumerate(values)])])
    with one.database.connect() as connection:
        assert parking.parked(connection) == {}
        settled = len(connection.execute(select(arrivals.c.offset).where(arrivals.c.authority == AUTHORITY)).all())
    one.database.dispose()
    assert settled == start + len(values)
