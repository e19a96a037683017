"""Parts that go away and come back, and workers that must not go on: nothing is lost, and all recovers by itself."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest
from kafka import KafkaAdminClient

from contracts.authorities import AUTHORITIES
from contracts.topics import authority_of
from deploy.local.postgres import Postgres
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.membership.assignor import people_of
from services.operations.topics import ensure, topic_specs
from tests.support.generated.thorough import TURN, turns
from tests.support.kafka import KafkaProcess
from tests.support.made.load import Load
from tests.support.processes import APIS, WORKERS, Platform, until
from tests.support.running.unlucky import ASK, ASKED, LINGERS

pytestmark = [pytest.mark.faults, pytest.mark.long, pytest.mark.timeout(600)]

OUTAGE_SECONDS = float(os.environ.get("PAYBACK_TEST_OUTAGE_SECONDS", "5"))
SMALLEST = min(map(people_of, AUTHORITIES))
UNLUCKY = (sys.executable, "-m", "tests.support.running.unlucky")


def assert_told_to_retry(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"


def assert_all_right(platform: Platform, load: Load) -> None:
    """Assert that all that Kafka keeps is shown, counted once, and that nothing that was answered 202 is missing."""
    load.wait_until_shown(platform)
    load.assert_counted(platform)
    load.assert_once(platform)
    load.assert_reporting_equal(platform)


# PostgreSQL


@pytest.mark.parametrize(
    ("end", "authorities"), turns([("stop", ["S12000023", "S12000027"]), ("kill", ["S12000011"])], TURN)
)
def test_postgres_away_is_waited_out(
    platform: Platform, postgres_process: Postgres, end: str, authorities: Sequence[str]
) -> None:
    load = Load(authorities, months=3)
    processes = platform.running()
    before, meanwhile, after = load.pieces(3)
    load.post(platform, before)
    getattr(postgres_process, end)()
    load.post(platform, meanwhile)  # Kafka keeps it, so it is accepted
    for service, role, path in (
        ("orders", authorities[0], "/v1/rejections"),
        ("unpaid_work", authorities[0], "/v1/rejections"),
        ("reporting", "national", "/v1/cells"),
        ("reporting", "national", "/readyz"),
    ):
        assert_told_to_retry(platform.client(service, role).get(path))
    for service in ("orders", "unpaid_work"):  # Kafka keeps what comes, so they are ready, and say what is missing
        ready = platform.client(service, "national").get("/readyz")
        assert (ready.status_code, ready.json()["without"]) == (200, ["postgresql"])
    for name in ("orders-worker", "unpaid_work-worker"):
        until(lambda name=name: not platform.up(name), f"{name} says that it cannot work")  # type: ignore[misc]
    time.sleep(OUTAGE_SECONDS)
    postgres_process.start()
    load.post(platform, after)
    assert_all_right(platform, load)
    load.assert_outcomes(platform)
    for name in (*APIS, *WORKERS):
        until(lambda name=name: platform.up(name), f"{name} is well again")  # type: ignore[misc]
    assert platform.running() == processes


# Kafka


def post_until_refused(
    platform: Platform, load: Load, topic: str, lines: Sequence[bytes]
) -> tuple[httpx.Response, int]:
    """Hand over one event after another; the first answer that is a problem, and how far it got."""
    for number, line in enumerate(lines):
        answer = load.try_post(platform, topic, [line])
        if answer.status_code not in {202, 422}:
            return answer, number
    raise AssertionError("all was accepted")


def test_kafka_away_is_answered_503_and_nothing_accepted_is_lost(
    platform: Platform, kafka_process: KafkaProcess
) -> None:
    load = Load(["S12000020"], months=4)
    pieces = load.pieces(3)
    load.post(platform, pieces[0])
    topic = pieces[1][0].topic
    lines = [delivery.value for delivery in pieces[1] if delivery.topic == topic]
    with ThreadPoolExecutor(1) as pool:
        posting = pool.submit(post_until_refused, platform, load, topic, lines)
        until(lambda: posting.done() or len(load.receipts) > len(pieces[0]) + 10, "some are accepted")
        kafka_process.kill()
        back = time.monotonic() + OUTAGE_SECONDS
        platform.stop("unpaid_work-worker")  # what it could not send does not keep it
        platform.spawn("unpaid_work-worker")
        refused, number = posting.result()
    assert_told_to_retry(refused)
    assert refused.json()["accepted"] == 0
    asked = [platform.client(service, "national") for service in ("orders", "unpaid_work")]
    with ThreadPoolExecutor(len(asked)) as pool:
        for ready in pool.map(lambda client: client.get("/readyz"), asked):
            assert_told_to_retry(ready)
    processes = platform.running()
    assert processes.keys() == {*APIS, *WORKERS}
    time.sleep(max(0.0, back - time.monotonic()))
    kafka_process.start()
    rest = lines[number:]
    until(lambda: load.try_post(platform, topic, rest).status_code == 202, "the intake recovers by itself")
    load.post(platform, [delivery for delivery in pieces[1] if delivery.topic != topic])
    load.post(platform, pieces[2])
    assert_all_right(platform, load)
    assert platform.running() == processes


# Workers that must not go on


@pytest.mark.parametrize(("moment", "authority"), turns([("before", "S12000034"), ("during", "S12000017")], TURN + 1))
def test_a_worker_that_lost_its_partitions_cannot_write(platform: Platform, moment: str, authority: str) -> None:
    """It is frozen in the middle of a batch for longer than its session, and thawed when another has done its work."""
    load = Load([authority], months=3)
    name = f"frozen-{moment}"
    platform.add(name, "orders-worker", *UNLUCKY, moment)
    platform.start(name)
    until(lambda: f"orders.events.{authority}" in platform.owned(name), f"{name} owns {authority}")
    known, before, after = load.pieces(3)
    load.post(platform, known)
    load.wait_until_shown(platform)
    platform.process(name).send_signal(ASK)
    until(lambda: ASKED in platform.log(name).read_text(), f"{name} knows what it is to do")
    load.post(platform, before)
    until(lambda: LINGERS in platform.log(name).read_text(), f"{name} is in the middle of a batch")
    platform.freeze(name)
    load.wait_until_shown(platform)
    load.assert_once(platform)
    written = books_of(platform, authority)
    platform.thaw(name)
    until(lambda: f"orders.events.{authority}" in platform.owned(name), f"{name} is back")
    assert books_of(platform, authority) == written, "it wrote what was no longer its own"
    load.post(platform, after)
    assert_all_right(platform, load)
    load.assert_outcomes(platform)
    platform.stop(name)


def books_of(platform: Platform, authority: str) -> list[tuple[object, ...]]:
    """Return what a worker of orders has written of an authority: positions, outcomes and cells."""
    return [
        *platform.rows("SELECT topic, next_offset FROM orders.checkpoints WHERE topic LIKE %s", f"%.{authority}"),
        *platform.rows("SELECT count(*) FROM orders.arrivals WHERE authority = %s", authority),
        *platform.rows("SELECT count(*), sum(delta)::bigint FROM orders.cells WHERE authority = %s", authority),
    ]


def test_two_workers_share_the_authorities(platform: Platform) -> None:
    load = Load(["S12000006", "S12000041", "S12000029", "S12000050"], months=1)
    pairs = {"orders-worker": "orders-worker-2", "unpaid_work-worker": "unpaid_work-worker-2"}
    alone, together, alone_again = load.pieces(3)
    load.post(platform, alone)
    for first, second in pairs.items():
        platform.add(second, first)
    platform.start(*pairs.values())
    for first, second in pairs.items():
        until(lambda f=first, s=second: shared_evenly(platform, f, s), f"{first} and {second} share")  # type: ignore[misc]
    done = {name: platform.metric(name, "payback_stream_events_total") for names in pairs.items() for name in names}
    load.post(platform, together)
    load.wait_until_shown(platform)
    for name, number in done.items():
        assert platform.metric(name, "payback_stream_events_total") > number
    load.post(platform, alone_again)
    platform.stop(*pairs.values())
    assert_all_right(platform, load)
    load.assert_outcomes(platform)


def shared_evenly(platform: Platform, first: str, second: str) -> bool:
    """Return whether each serves half of the people, none in two hands, all topics of one authority in the same."""
    halves = [{authority_of(topic) for topic in platform.owned(name)} for name in (first, second)]
    people = [sum(people_of(authority) for authority in half) for half in halves]
    return not halves[0] & halves[1] and len(halves[0] | halves[1]) == 32 and abs(people[0] - people[1]) <= SMALLEST


@pytest.fixture
def remade(platform: Platform) -> Iterator[str]:
    """Yield a topic that may be made again. Afterwards its positions are forgotten, as an operator would see to it."""
    topic = "orders.events.S12000040"
    yield topic
    for service in ("orders", "unpaid_work"):
        platform.execute(f"DELETE FROM {service}.checkpoints WHERE topic = %s", topic)
    platform.start(*(name for name in WORKERS if name not in platform.running()))


def test_a_topic_deleted_and_made_again_is_refused(platform: Platform, remade: str) -> None:
    load = Load([authority_of(remade)], months=1)
    load.post(platform, load.deliveries)
    load.wait_until_shown(platform)
    shown = platform.cells(load.authorities)
    assert shown
    with closing(KafkaAdminClient(bootstrap_servers=platform.kafka)) as admin:
        admin.delete_topics([remade])
        until(lambda: remade not in admin.list_topics(), "the topic is gone")
    ensure(KafkaSettings(bootstrap=platform.kafka), topic_specs())
    readers = ("orders-worker", "unpaid_work-worker")
    for again in (False, True):
        sizes = {name: platform.log(name).stat().st_size for name in readers}
        if again:
            platform.spawn(*readers)
        for name in readers:
            assert platform.exit_status(name) == 3
            said = platform.log(name).read_text()[sizes[name] if again else 0 :]
            assert f"{remade} " in said
            assert "deleted and made again" in said
    assert platform.cells(load.authorities) == shown
