"""One authority's events about many large orders are counted in turns, in bounded memory, and others' events with the first."""

import gc
import tracemalloc
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import event as events
from sqlalchemy import text

from contracts.codes import Activity, Attendance, EndReason, WorkType
from contracts.decoding.codec import encode
from contracts.events import Fact, OrderEnded, SessionRecorded, Topic
from contracts.topics import topic_of
from services.chassis.streaming.batches import Slice, TopicPartition, rest_of
from services.records.ingest import worker as workers
from services.records.ingest.guarding import turns
from services.records.ingest.worker import Worker
from services.records.model import summary
from services.records.model.limit import MOST_FACTS
from tests.integration.records.conftest import Bench
from tests.support import scenario
from tests.support.lives import event, imposed
from tests.support.scenario import NOON, Sent

GREEDY, OTHER = "S12000048", "S12000021"
MONDAY = date(2025, 3, 3)
LARGE, EACH = 30, 60
"""Orders, and sessions of each: so few that they are soon sent, and of the size of which two fit into a turn here."""
ONE_TURN = 130


def session(number: int) -> SessionRecorded:
    return SessionRecorded(
        ref=f"s{number}",
        session_on=MONDAY + timedelta(days=number % 300),
        attendance=Attendance.ATTENDED,
        activity=Activity.UNPAID_WORK,
        work_type=next(iter(WorkType)),
        minutes_credited=60,
    )


def told(authority: str, subjects: list[str], numbers: list[int], begin: int = 0) -> Slice:
    """Return sessions of these orders, one after the other of each number."""
    values = [encode(event(session(number), subject, authority)) for number in numbers for subject in subjects]
    sent = [Sent(begin + place, value, NOON + begin + place) for place, value in enumerate(values)]
    return Slice(topic_of(Topic.UNPAID_WORK, authority), 0, sent)


ORDERS = [f"CPO/{number}" for number in range(LARGE)]


def impositions(authority: str) -> Slice:
    values = [encode(event(imposed(MONDAY), subject, authority)) for subject in ORDERS]
    return Slice(topic_of(Topic.ORDERS, authority), 0, [Sent(n, value, NOON + n) for n, value in enumerate(values)])


def finish(worker: Worker, slices: list[Slice]) -> int:
    """Give the worker what it leaves until nothing is left, as the stream does. Returns how many turns that took."""
    number = 0
    while slices:
        slices, number = rest_of(slices, worker.process(slices)), number + 1
    return number


@pytest.fixture
def small_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "FACTS_AT_ONCE", ONE_TURN)
    monkeypatch.setattr(workers, "FEW", 0)


@pytest.mark.parametrize("cached", [0, 20_000])
@pytest.mark.usefixtures("small_turns")
def test_large_orders_are_counted_in_turns_and_others_with_the_first(
    bench: Callable[[str], Bench], cached: int
) -> None:
    one = bench("unpaid_work")
    worker = one.worker(cached)
    finish(worker, [impositions(GREEDY), told(GREEDY, ORDERS, list(range(EACH)))])
    whole = told(GREEDY, ORDERS, [EACH], LARGE * EACH)
    left = worker.process([whole, told(OTHER, ["CPO/1"], [1])])
    assert left == {TopicPartition(whole.topic, 0): LARGE * EACH + 2}
    assert one.cells()[f"sessions|{OTHER}|2025-03-01|"] == 1
    assert finish(worker, rest_of([whole], left)) == LARGE // 2 - 1
    sessions = {
        key: number
        for key, number in one.cells().items()
        if key.startswith(f"sessions|{GREEDY}|") and key.endswith("|")
    }
    assert sum(sessions.values()) == LARGE * (EACH + 1)


@pytest.mark.usefixtures("small_turns")
def test_it_makes_the_same_as_everything_at_once(
    bench: Callable[[str], Bench], migrated: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slices = [impositions(GREEDY), told(GREEDY, ORDERS, list(range(EACH)))]
    in_turns, at_once = bench("unpaid_work"), Bench(migrated(), "unpaid_work")
    worker = in_turns.worker(cached=3)
    finish(worker, slices)
    more = [told(GREEDY, ORDERS, [EACH, EACH + 1], LARGE * EACH)]
    assert finish(worker, more) > LARGE // 2
    monkeypatch.setattr(turns, "FACTS_AT_ONCE", 10**9)
    assert finish(at_once.worker(), slices) == 1
    assert finish(at_once.worker(), more) == 1
    assert in_turns.cells() == at_once.cells()
    at_once.database.dispose()


@pytest.mark.usefixtures("small_turns")
def test_the_scenario_in_small_turns_comes_to_what_is_expected(
    bench: Callable[[str], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused events, withdrawn orders, people, and both topics of every authority."""
    monkeypatch.setattr(turns, "FACTS_AT_ONCE", 5)
    for module in (turns, summary):
        monkeypatch.setattr(module, "LIGHT", 0)
    found: dict[str, int] = {}
    for one in (bench("orders"), bench("unpaid_work")):
        worker = one.worker()
        lines = [told for told in scenario.topics() if told[0] in one.domain.kinds]
        fetches = list(scenario.slices(lines, 20))
        assert sum(finish(worker, fetch) for fetch in fetches) > 2 * len(fetches)
        found |= one.cells()
    assert scenario.in_reach(found) == scenario.expected()


MANY = 100
COPY = text(
    "INSERT INTO records SELECT (jsonb_populate_record(r, jsonb_build_object('subject', 'CPO/' || n))).* "
    "FROM records r CROSS JOIN generate_series(1, :many) n WHERE r.subject = 'CPO/0'"
)


@pytest.fixture
def largest(bench: Callable[[str], Bench]) -> Bench:
    """Return a service that holds very many orders with as many facts as may be."""
    one = bench("unpaid_work")
    finish(one.worker(), [told(GREEDY, ["CPO/0"], list(range(MOST_FACTS - 1)))])
    with one.database.begin() as connection:
        connection.execute(COPY, {"many": MANY})
    return one


def test_a_batch_about_many_of_the_largest_orders_takes_no_more_memory_than_fits_into_a_turn(
    largest: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the first, before anybody knows what such a batch costs."""
    monkeypatch.setattr(turns, "FACTS_AT_ONCE", 20_000)
    subjects = [f"CPO/{number}" for number in range(1, MANY + 1)]
    whole = told(GREEDY, subjects, [MOST_FACTS], MOST_FACTS)
    worker = largest.worker()
    gc.collect()
    tracemalloc.start()
    try:
        left = worker.process([whole])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    fit = turns.FACTS_AT_ONCE // (MOST_FACTS - 1)
    assert left == {TopicPartition(whole.topic, 0): MOST_FACTS + fit}
    assert peak < turns.FACTS_AT_ONCE * 3_000, f"{peak // turns.FACTS_AT_ONCE} bytes for each fact"


PEOPLE, STAYS, LOOKED_AT = 30, 20, 4
"""People, orders that each has, and how many people are looked at in one turn here."""
PERSONS = [f"person-of-tests-{number:04}" for number in range(PEOPLE)]
FOR_PEOPLE = turns.STAY * (STAYS + 1) * LOOKED_AT
"""The weight of a turn in which so many are looked at, with the order that comes."""
EARLIER = text(
    "INSERT INTO persons (authority, person_ref, begun, ended, is_new, orders) SELECT :authority, person, date '2010-01-01' + 90 * n, "
    "date '2010-01-01' + 90 * n + 20, true, 1 FROM unnest(CAST(:people AS text[])) person, generate_series(1, :stays) n"
)


def of_orders(authority: str, begin: int, *facts: Fact) -> Slice:
    values = [encode(event(fact, f"CPO/{number}", authority)) for number, fact in enumerate(facts)]
    sent = [Sent(begin + place, value, NOON + begin + place) for place, value in enumerate(values)]
    return Slice(topic_of(Topic.ORDERS, authority), 0, sent)


NEW = [replace(imposed(MONDAY), person_ref=person) for person in PERSONS]
ENDED = [OrderEnded(ended_on=MONDAY, reason=EndReason.COMPLETED)] * PEOPLE


def of_many_orders(one: Bench) -> Worker:
    """Return a worker of a service that holds people with many orders each."""
    worker = one.worker()
    with one.database.begin() as connection:
        connection.execute(EARLIER, {"authority": GREEDY, "people": PERSONS, "stays": STAYS})
    return worker


@pytest.mark.parametrize("cached", [0, 20_000])
def test_people_of_many_orders_are_counted_in_turns_and_others_with_the_first(
    bench: Callable[[str], Bench], migrated: Callable[[], str], monkeypatch: pytest.MonkeyPatch, cached: int
) -> None:
    one, at_once = bench("orders"), Bench(migrated(), "orders")
    of_many_orders(one)
    worker, other = one.worker(cached), of_many_orders(at_once)
    for begin, facts in ((0, NEW), (PEOPLE, ENDED)):
        whole, beside = of_orders(GREEDY, begin, *facts), of_orders(OTHER, begin, facts[0])
        monkeypatch.setattr(turns, "FACTS_AT_ONCE", FOR_PEOPLE)
        read: list[int] = []

        def count(*said: Any, read: list[int] = read) -> None:
            if said[2].startswith("SELECT p.* FROM (SELECT a, p"):
                read.append(said[1].rowcount)

        events.listen(one.database, "after_cursor_execute", count)
        left = worker.process([whole, beside])
        assert left == {TopicPartition(whole.topic, 0): begin + LOOKED_AT}
        assert 0 < sum(read) <= LOOKED_AT * (STAYS + 1) + 1
        assert one.cells()[f"orders_imposed|{OTHER}|2025-03-01|"] == 1
        assert finish(worker, rest_of([whole], left)) == PEOPLE // LOOKED_AT
        events.remove(one.database, "after_cursor_execute", count)
        monkeypatch.setattr(turns, "FACTS_AT_ONCE", 10**9)
        assert finish(other, [whole, beside]) == 1
        assert one.cells() == at_once.cells()
    at_once.database.dispose()
