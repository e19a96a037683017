"""Every kind of attack, on every real process, with its memory measured: none has ever more than twice what it rests at, and its bound.

The limits of requests are taken off, so that nothing but the bounds of each request holds. Afterwards everybody is served as before.
"""

import asyncio
import re
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import date
from functools import cache
from gzip import compress
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import psutil
import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaProducer

from contracts.codes import Activity, Attendance, WorkType
from contracts.decoding.codec import encode
from contracts.events import SessionRecorded, Topic
from contracts.topics import topic_of
from services.chassis.api.policy import KIB, MIB, Policies
from services.chassis.settings import KafkaSettings, StreamSettings
from services.desk.policies import POLICIES as DESK
from services.orders.policies import POLICIES as ORDERS
from services.records.ingest.cache import room_of
from services.records.ingest.guarding.floods import KEPT_A_DAY, ROWS_BYTES
from services.records.ingest.guarding.turns import FACTS_AT_ONCE
from services.records.ingest.worker import CACHED_RECORDS
from services.records.model.limit import MOST_FACTS
from services.reporting.policies import POLICIES as REPORTING
from services.unpaid_work.policies import POLICIES as UNPAID_WORK
from tests.integration.chassis.test_serve import AMBIGUOUS, FLOODS
from tests.support.children import child
from tests.support.generated.fuzzing import WORDS
from tests.support.generated.thorough import THOROUGH, TURN, turns
from tests.support.lives import event, imposed
from tests.support.processes import APIS, WORKERS, Platform, until
from tests.support.running.memory import Memory, is_at_rest

AT_ONCE = 8
"""Connections of one attacker, in each attack."""
AUTHORITY, ANOTHER = "S12000048", "S12000021"
TABLES: Mapping[str, Policies] = MappingProxyType(
    {"orders-api": ORDERS, "unpaid_work-api": UNPAID_WORK, "reporting-api": REPORTING, "desk-api": DESK}
)
UNLIMITED = {"http_requests_per_minute": "0", "http_public_seconds": "0", "http_caller_seconds": "0"}
PIECE = b"1," * 32 * 1024
TINY = 100_000
"""Records that are no events, in one batch of 65 KB."""


class Said(NamedTuple):
    """One request, in parts as they are sent."""

    parts: tuple[bytes, ...]
    refused: bool
    """Whether it must be."""


class Target(NamedTuple):
    """One API, and who it believes."""

    name: str
    port: int
    policies: Policies
    token: str

    def head(self, method: str, path: str, *more: str) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *more, "", ""]
        return "\r\n".join(lines).encode("latin-1")

    @property
    def signed_in(self) -> str:
        """Return the header by which somebody of an authority asks."""
        return (
            f"Cookie: payback_token={self.token}" if self.name == "desk-api" else f"Authorization: Bearer {self.token}"
        )

    def routes(self, *methods: str) -> Iterator[tuple[str, str]]:
        for name in self.policies:
            method, path = name.split(" ")
            if method in methods and not self.policies[name].listens:
                yield method, path


def forged_tokens(target: Target) -> Iterator[Said]:
    """Yield tokens that are long, signed by nobody or by another key, or such as JSON readers choke on."""
    head, body, _ = target.token.split(".")
    none = _encoded(b'{"alg":"none"}')
    deep = _encoded(b'{"alg":' + b"[" * 15_000)
    forged = [
        *(f"{head}.{body}.{n:0>86}" for n in range(AT_ONCE)),
        *(f"{none}.{body}.", f"{deep}.{body}.x", "." * 20_000, "x" * 30_000, f"{head}.{_encoded(b'1' * 20_000)}.x"),
    ]
    for token in forged:
        for _, path in islice(target.routes("GET"), 5, 8):
            address = re.sub("{.*?}", "x", path)
            for given in (f"Authorization: Bearer {token}", f"Cookie: payback_token={token}; payback_session={token}"):
                yield Said((target.head("GET", address, given),), refused=False)


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def framing(_: Target) -> Iterator[Said]:
    """Yield requests that two readers could read differently."""
    yield from (Said((sent,), refused=True) for sent in AMBIGUOUS.values())


def heads(_: Target) -> Iterator[Said]:
    """Yield heads, and what follows bodies, without end."""
    yield from (Said(parts, refused=True) for parts in FLOODS.values())


def injections(target: Target) -> Iterator[Said]:
    """Yield addresses with what is no name in the place of each name, and in a parameter: some words for each route, in turn."""
    given = target.signed_in
    for turn, (method, path) in enumerate(target.routes("GET", "DELETE"), TURN):
        for word in turns(WORDS, turn, some=3):
            if "{" in path:
                yield Said((target.head(method, re.sub("{.*?}", word, path), given),), refused=False)
            yield Said((target.head(method, f"{re.sub('{.*?}', 'x', path)}?after={word}", given),), refused=False)


def unknown_names(target: Target) -> Iterator[Said]:
    """Yield thousands of parameters that a route does not know, each nearly one that it does: to a third of the routes, in turn."""
    asked = "&".join(f"referenc{number:x}" for number in range(2_500))
    routes = list(target.routes("GET"))
    for method, path in turns(routes, TURN, some=len(routes) // 3):
        yield Said((target.head(method, f"{re.sub('{.*?}', 'x', path)}?{asked}", target.signed_in),), refused=False)


def paths(target: Target) -> Iterator[Said]:
    """Yield addresses that lead elsewhere, or nowhere."""
    ways = (
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/v1%2forders",
        "//",
        "/" + "a/" * 10_000,
        "/%00",
        "/static/..%2f",
    )
    yield from (Said((target.head("GET", way),), refused=True) for way in ways)


def large_bodies(target: Target) -> Iterator[Said]:
    """Yield bodies far larger than any route takes whole, announced or not, as whatever they are called, in turn."""
    given = target.signed_in
    kinds = ("application/json", "application/x-www-form-urlencoded", "application/cloudevents-batch+json")
    for turn, (_, path) in enumerate(target.routes("POST"), TURN):
        for kind in turns(kinds, turn):
            head = target.head(
                "POST", re.sub("{.*?}", "x", path), given, f"Content-Type: {kind}", "Transfer-Encoding: chunked"
            )
            chunk = b"%x\r\n%b\r\n" % (len(PIECE), PIECE)
            yield Said((head, *[chunk] * 512), refused=True)
        announced = target.head("POST", re.sub("{.*?}", "x", path), given, "Content-Length: 400000000")
        yield Said((announced, *[PIECE] * 512), refused=True)


def bombs(target: Target) -> Iterator[Said]:
    """Yield a few bytes that would become many, as JSON or as its answer, plain and packed: some of each kind for each route, in turn."""
    given = target.signed_in
    bodies = {
        "application/cloudevents-batch+json": b"[" + b"1," * (4 * MIB - 2) + b"1]",
        "application/json": b"[" * (8 * MIB),
        "application/x-ndjson": b"1\n" * 1000 + b"[" * (7 * MIB) + b"\n",
        "application/cloudevents+json": b'{"a":"' + b"\\u0000" * MIB + b'"}',
        "application/x-www-form-urlencoded": b"a&" * (128 * KIB),
        "multipart/form-data; boundary=x": b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 5_000,
    }
    lines = ("application/x-ndjson", b"\n" * (8 * MIB))
    for turn, (_, path) in enumerate(target.routes("POST"), TURN):
        for kind, body in turns((*bodies.items(), lines), turn, some=3):
            head = target.head(
                "POST", re.sub("{.*?}", "x", path), given, f"Content-Type: {kind}", f"Content-Length: {len(body)}"
            )
            yield Said((head, body), refused=False)
        packed = packed_zeros()
        told = ("Content-Encoding: gzip", "Content-Type: application/json", f"Content-Length: {len(packed)}")
        yield Said((target.head("POST", re.sub("{.*?}", "x", path), given, *told), packed), refused=False)


@cache
def packed_zeros() -> bytes:
    """Return 100 MB in 97 kB, which takes a quarter of a second to make."""
    return compress(b"0" * 100_000_000)


Attack = Callable[[Target], Iterator[Said]]
ATTACKS: tuple[Attack, ...] = (forged_tokens, framing, heads, injections, unknown_names, paths, large_bodies, bombs)


def attacks_on(name: str) -> Sequence[Attack]:
    """Return half of them, the others tomorrow, and for every second API the other way round: each is done every day."""
    return turns(ATTACKS, TURN + [*TABLES].index(name), some=len(ATTACKS) // 2)


def asked(port: int, said: Said) -> int:
    """Return the status of the answer; 0 where the connection was closed without one."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        with suppress(ConnectionError):  # the rest need not be heard
            for part in said.parts:
                connection.sendall(part)
        with suppress(ConnectionResetError):
            while part := connection.recv(1 << 20):
                answer = answer or part[:16]
    return int(answer[9:12] or 0)


def bound_of(policies: Policies) -> int:
    """Return the bound of whatever is taken whole at once, and one answer."""
    return AT_ONCE * max(each.body for each in policies.values()) + max(each.answer for each in policies.values())


@pytest.fixture(scope="module")
def unlimited() -> set[str]:
    """Return which APIs were started without limits."""
    return set()


@pytest.fixture
def attacked(platform: Platform, unlimited: set[str], name: str) -> Iterator[Platform]:
    """Yield the platform with a fresh process of this name, and what it asks, without limits."""
    asked_too = {*APIS} if name == "desk-api" else set()
    fresh = {name} | (asked_too - unlimited)
    for each in fresh:
        platform.tell(each, **UNLIMITED)
    for each in fresh & platform.running().keys():
        platform.kill(each)
    platform.start(*fresh)
    unlimited |= fresh
    yield platform
    if name == "desk-api":
        platform.kill(name)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", TABLES)
def test_no_attack_takes_more_of_an_api_than_its_bound(attacked: Platform, name: str) -> None:
    target = Target(name, attacked.port(name), TABLES[name], attacked.bearer(AUTHORITY))
    assert asked(target.port, Said((target.head("GET", "/healthz"),), refused=False)) == 200
    process = psutil.Process(attacked.process(name).pid)
    until(lambda: is_at_rest(process), f"{name} and what it started are at rest")
    for attack in attacks_on(name):
        memory, requests = Memory(process), list(attack(target))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            statuses = list(pool.map(lambda said: asked(target.port, said), requests))
        assert requests, attack.__name__
        assert max(statuses) < 500, (attack.__name__, Counter(statuses))
        passed = [
            status for said, status in zip(requests, statuses, strict=True) if said.refused and 200 <= status < 300
        ]
        assert passed == [], attack.__name__
        memory.assert_bounded(bound_of(target.policies), f"{name}, {attack.__name__}")
    assert asked(target.port, Said((target.head("GET", "/healthz"),), refused=False)) == 200


def fillings(turn: int) -> Sequence[bytes]:
    return turns((b" ", b"["), turn)


def test_no_bomb_in_kafka_takes_more_of_a_worker_than_its_bound(platform: Platform) -> None:
    """Two kinds of 100 MB, packed into a few kilobytes, each in one topic today and in the other tomorrow, and others' events meanwhile."""
    settings = KafkaSettings(bootstrap=platform.kafka)
    bound = settings.fetch_max_bytes + settings.partition_fetch_max_bytes
    memories = {name: Memory(psutil.Process(platform.process(name).pid)) for name in WORKERS}
    before = {service: platform.taken(service) for service in ("orders", "unpaid_work")}
    producer = KafkaProducer(
        bootstrap_servers=platform.kafka,
        acks="all",
        compression_type="gzip",
        max_request_size=2**28,
    )
    with closing(producer):
        for turn, kind in enumerate((Topic.ORDERS, Topic.UNPAID_WORK), TURN):
            for filling in fillings(turn):
                producer.send(topic_of(kind, AUTHORITY), key=b"k", value=filling * 100_000_000).get(60)
    good = encode(event(imposed(date(2025, 3, 3)), "ATTACKED/1", ANOTHER))
    answer = platform.post("orders", ANOTHER, good, "application/cloudevents+json")
    assert answer.status_code == 202, answer.text
    [receipt] = answer.json()["receipts"]
    platform.wait_until_shown({f"{receipt['topic']}/0": receipt["offset"]})
    sent = len(fillings(TURN))
    until(lambda: platform.taken("orders") >= before["orders"] + sent + 1, "orders takes them")
    until(lambda: platform.taken("unpaid_work") >= before["unpaid_work"] + 2 * sent + 1, "unpaid work takes them too")
    kept = platform.rows("SELECT max(length(value)) FROM orders.rejections WHERE authority = %s", AUTHORITY)
    assert kept[0][0] <= 70_000
    for name, memory in memories.items():
        memory.assert_bounded(bound, name)


def test_no_headers_in_kafka_take_more_of_a_worker_than_its_bound(platform: Platform) -> None:
    """Fifteen records of half a million empty headers each, packed into some kilobytes: with each header as an object, 500 MB."""
    settings = KafkaSettings(bootstrap=platform.kafka)
    bound = settings.fetch_max_bytes + settings.partition_fetch_max_bytes
    memories = {name: Memory(psutil.Process(platform.process(name).pid)) for name in WORKERS}
    before = platform.taken("orders")
    asyncio.run(_send_headers(platform.kafka, topic_of(Topic.ORDERS, AUTHORITY), 15, 500_000))
    good = encode(event(imposed(date(2025, 3, 3)), "ATTACKED/2", ANOTHER))
    answer = platform.post("orders", ANOTHER, good, "application/cloudevents+json")
    assert answer.status_code == 202, answer.text
    until(lambda: platform.taken("orders") >= before + 16, "orders takes them, and another authority's event")
    for name, memory in memories.items():
        memory.assert_bounded(bound, name)


async def _send_headers(bootstrap: str, topic: str, records: int, each: int) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, compression_type="gzip", max_batch_size=2**28, max_request_size=2**28
    ) as producer:
        for _ in range(records):
            batch = producer.create_batch()
            assert batch.append(key=b"k", value=b"{}", timestamp=None, headers=[("", b"")] * each) is not None
            await (await producer.send_batch(batch, topic, partition=0))


@pytest.fixture
def in_large_batches(_platform: Platform) -> Iterator[Platform]:
    """Yield the platform in good order, with fresh workers, at rest, that read as much at once as in production."""
    platform = _platform
    small = platform.environment("orders-worker")["PAYBACK_STREAM_BATCH_MAX_MESSAGES"]
    readers = ("orders-worker", "unpaid_work-worker")
    for name in readers:
        platform.tell(name, stream_batch_max_messages=str(StreamSettings().batch_max_messages))
    for name in platform.running().keys() & {*readers}:
        platform.kill(name)
    platform.mend()
    started = [psutil.Process(platform.process(name).pid) for name in readers]
    with ThreadPoolExecutor() as pool:
        until(lambda: all(pool.map(is_at_rest, started)), "the workers are at rest")
    yield platform
    for name in readers:
        platform.tell(name, stream_batch_max_messages=small)
        platform.kill(name)


@pytest.mark.one_day
def test_a_flood_of_tiny_records_in_kafka_leaves_few_rows_and_delays_nobody(in_large_batches: Platform) -> None:
    """Records of two bytes in one batch, half as many again as are kept as they came on one day."""
    platform, settings = in_large_batches, KafkaSettings(bootstrap=in_large_batches.kafka)
    bound = settings.fetch_max_bytes + settings.partition_fetch_max_bytes
    memories = {name: Memory(psutil.Process(platform.process(name).pid)) for name in WORKERS}
    (before, kept, counted), taken = told_of(platform), platform.taken("orders")
    taken_too = platform.taken("unpaid_work")
    asyncio.run(_send_tiny(platform.kafka, topic_of(Topic.ORDERS, AUTHORITY), TINY))
    good = encode(event(imposed(date(2025, 3, 3)), "ATTACKED/3", ANOTHER))
    answer = platform.post("orders", ANOTHER, good, "application/cloudevents+json")
    assert answer.status_code == 202, answer.text
    [receipt] = answer.json()["receipts"]
    other = 'SELECT 1 FROM orders.arrivals WHERE authority = %s AND "offset" = %s'
    until(lambda: bool(platform.rows(other, ANOTHER, receipt["offset"])), "another authority's event is taken")
    _, kept_then, counted_then = told_of(platform)
    assert kept_then - kept + counted_then - counted < TINY, "it does not wait for the end of the flood"
    until(lambda: platform.taken("orders") >= taken + TINY + 1, "orders takes all of them", 120)
    until(lambda: platform.taken("unpaid_work") >= taken_too + TINY + 1, "unpaid work reads past them", 120)
    size, now_kept, now_counted = told_of(platform)
    assert now_kept - kept + now_counted - counted == TINY
    assert now_kept <= KEPT_A_DAY // ROWS_BYTES
    assert size - before < 2 * KEPT_A_DAY
    for name, memory in memories.items():
        memory.assert_bounded(bound, name)


def told_of(platform: Platform) -> tuple[int, int, int]:
    """Return how large the tables are that have a row of each refused event, how many rows they have, and how many more are counted."""
    sizes = ", ".join(f"pg_total_relation_size('orders.{table}')" for table in ("arrivals", "rejections", "changes"))
    [found] = platform.rows(
        f"SELECT {sizes}, (SELECT count(*) FROM orders.rejections WHERE authority = %s), "
        "(SELECT coalesce(sum(counted), 0)::bigint FROM orders.refused_days WHERE authority = %s)",
        AUTHORITY,
        AUTHORITY,
    )
    *of_tables, kept, counted = map(int, found)
    return sum(of_tables), kept, counted


async def _send_tiny(bootstrap: str, topic: str, number: int) -> None:
    """Send so many records of two bytes as one batch."""
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, compression_type="zstd", max_batch_size=2**28, max_request_size=2**28
    ) as producer:
        batch, now = producer.create_batch(), round(time.time() * 1000)
        for _ in range(number):
            assert batch.append(key=None, value=b"{}", timestamp=now) is not None
        await (await producer.send_batch(batch, topic, partition=0))


LARGEST, AGAIN = 300, 3 if THOROUGH else 1
"""Orders with nearly as many facts as may be, and how often each of them is touched."""
FACT_BYTES = 1000
"""About what a fact takes in a worker."""
_COPIES = (
    "INSERT INTO unpaid_work.records SELECT (jsonb_populate_record(r, jsonb_build_object('subject', 'LARGEST/' || n))).* "
    "FROM unpaid_work.records r CROSS JOIN generate_series(1, %s) n WHERE r.authority = %s AND r.subject = 'LARGEST/0'"
)


def test_whoever_touches_hundreds_of_the_largest_orders_delays_nobody_else(in_large_batches: Platform) -> None:
    """Each event is about another one, which is read, counted and written whole for it."""
    platform, settings = in_large_batches, KafkaSettings(bootstrap=in_large_batches.kafka)
    held = FACTS_AT_ONCE + CACHED_RECORDS // room_of(MOST_FACTS) * MOST_FACTS
    bound = settings.fetch_max_bytes + settings.partition_fetch_max_bytes + held * FACT_BYTES
    topic, first = topic_of(Topic.UNPAID_WORK, AUTHORITY), MOST_FACTS - 2 * AGAIN
    asyncio.run(_send(platform.kafka, topic, [worked("LARGEST/0", number) for number in range(first)]))
    until(lambda: taken_of(platform, AUTHORITY) >= first, "one of them is there", 60)
    platform.execute(_COPIES, LARGEST, AUTHORITY)
    memories = {name: Memory(psutil.Process(platform.process(name).pid)) for name in WORKERS}
    before, others = taken_of(platform, AUTHORITY), taken_of(platform, ANOTHER)
    greedy = [worked(f"LARGEST/{n}", first + again) for again in range(AGAIN) for n in range(1, LARGEST + 1)]
    asyncio.run(_send(platform.kafka, topic, greedy))
    answer = platform.post("unpaid_work", ANOTHER, worked("ATTACKED/4", 1, ANOTHER), "application/cloudevents+json")
    assert answer.status_code == 202, answer.text
    until(lambda: taken_of(platform, ANOTHER) > others, "another authority's event is taken", 60)
    assert taken_of(platform, AUTHORITY) - before < len(greedy), "it does not wait for the end of them"
    until(lambda: taken_of(platform, AUTHORITY) - before == len(greedy), "all of them are taken", 300)
    for name, memory in memories.items():
        memory.assert_bounded(bound, name)


def worked(subject: str, number: int, authority: str = AUTHORITY) -> bytes:
    """Return an event that states a session of an order."""
    session = SessionRecorded(
        ref=f"s{number}",
        session_on=date(2025, 3, 3),
        attendance=Attendance.ATTENDED,
        activity=Activity.UNPAID_WORK,
        work_type=WorkType.GARDENING,
        minutes_credited=60,
    )
    return encode(event(session, subject, authority, number))


def taken_of(platform: Platform, authority: str) -> int:
    """Return how many events of unpaid work were processed of an authority."""
    return int(platform.rows("SELECT count(*) FROM unpaid_work.arrivals WHERE authority = %s", authority)[0][0])


async def _send(bootstrap: str, topic: str, values: Iterable[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for value in values:
            await producer.send(topic, value)


def test_the_measure_would_find_it(tmp_path: Path) -> None:
    """A process that takes more than it may."""
    ready = tmp_path / "ready"
    told = f"import pathlib; pathlib.Path({str(ready)!r}).touch()"
    greedy = f"import sys; sys.stdin.readline(); x = b'x' * 300_000_000; del x; {told}; sys.stdin.readline()"
    with child([sys.executable, "-c", greedy], stdin=subprocess.PIPE) as process:
        memory = Memory(psutil.Process(process.pid))
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        until(ready.exists, "it took much and gave it back", 20)
        with pytest.raises(AssertionError, match="at rest"):
            memory.assert_bounded(100 * MIB, "it")
        process.stdin.write(b"\n")
