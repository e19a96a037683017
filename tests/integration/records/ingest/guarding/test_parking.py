"""One authority's event on which the platform fails stops nobody else, whatever the fault, and is brought back by a word."""

import random
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select, text

from contracts.authorities import AUTHORITIES
from contracts.decoding.codec import Event, decode
from contracts.events import OrderImposed, Topic
from contracts.generate.samples import ARRIVED
from contracts.topics import topic_of
from services.chassis.clock import system_clock
from services.chassis.database import engine
from services.chassis.failures import Fenced, Refused, TimedOut
from services.chassis.settings import DatabaseSettings
from services.chassis.streaming.batches import Slice, TopicPartition
from services.chassis.streaming.containment import Contained
from services.records.ingest.guarding import parking
from services.records.ingest.guarding.parking import Action
from services.records.ingest.tables import arrivals, checkpoints, parks, rejections
from services.records.ingest.worker import Worker
from services.records.model.domain import Domain
from services.records.model.record import Record
from tests.integration.records.conftest import Bench
from tests.support import scenario
from tests.support.checking.balance import unbalanced

MakeBench = Callable[[str], Bench]
Cells = dict[str, int]


def lines(bench: Bench) -> list[tuple[Topic, str, list[bytes]]]:
    return [one for one in scenario.topics() if one[0] in bench.domain.kinds]


def failing_on(domain: Domain, poisons: Collection[str]) -> Domain:
    """Return the service with a fault that shows on events of these ids."""
    view = domain.counting.view

    def fails(record: Record) -> Any:
        if any(entry.id in poisons for entry in record.values()):
            raise ArithmeticError("nobody thought of this")
        return view(record)

    return replace(domain, counting=replace(domain.counting, view=fails, renew=None))


def ids_by_authority(bench: Bench) -> dict[str, list[str]]:
    """Return ids of impositions that nothing replaces, so that each is met, whatever the batches."""
    found: dict[str, dict[str, list[str]]] = {}
    for kind, authority, raws in lines(bench):
        for raw in raws:
            event = decode(raw, kind, authority, ARRIVED)
            if isinstance(event, Event) and isinstance(event.data, OrderImposed):
                found.setdefault(authority, {}).setdefault(event.subject, []).append(event.id)
    return {authority: [one[0] for one in orders.values() if len(one) == 1] for authority, orders in found.items()}


def take(worker: Worker, bench: Bench, fetches: Iterable[list[Slice]]) -> None:
    worker.start(bench.sources)
    contained = Contained(worker)
    for fetch in fetches:
        contained.process(fetch)


def of(cells: Cells, authorities: Collection[str]) -> Cells:
    return {key: value for key, value in cells.items() if key.split("|")[1] in authorities}


def whole(bench: Bench) -> Cells:
    """Return the cells of all, without any fault."""
    take(bench.worker(), bench, scenario.slices(lines(bench), 1000))
    cells = bench.cells()
    with bench.database.begin() as connection:
        connection.exec_driver_sql(
            "TRUNCATE arrivals, cells, changes, checkpoints, persons, records, rejections, shards, counters, gaps, recounts, parks"
        )
    return cells


def parked(bench: Bench) -> dict[str, parking.Park]:
    with bench.database.connect() as connection:
        return parking.parked(connection)


def release(bench: Bench, authority: str, action: Action) -> None:
    with bench.database.begin() as connection:
        parking.release(connection, authority, action, "test", "because", system_clock())


@pytest.mark.parametrize(("seed", "service"), list(enumerate(["orders", "unpaid_work"] * 3)))
def test_whoever_is_hit_the_others_are_served_and_all_comes_back(bench: MakeBench, service: str, seed: int) -> None:
    one = bench(service)
    expected = whole(one)
    rng = random.Random(seed)
    ids = ids_by_authority(one)
    hit = rng.sample(sorted(ids), rng.choice([1, 1, 2, 5]))
    failing = failing_on(one.domain, {rng.choice(ids[authority]) for authority in hit})
    worker = Worker(one.database, failing, one.worker_metrics())
    take(worker, one, scenario.slices(lines(one), rng.choice([1, 7, 40, 1000])))
    others = [code for code in AUTHORITIES if code not in hit]
    assert set(parked(one)) == set(hit)
    assert of(one.cells(), others) == of(expected, others)
    for authority in AUTHORITIES:
        assert list(unbalanced(one.database, one.domain, authority)) == []
    for authority in hit:
        assert one.metrics.get_sample_value("payback_authority_parked", {"authority": authority}) == 1
        release(one, authority, Action.RETRIED)
    take(one.worker(), one, scenario.slices(lines(one), 40))
    assert one.cells() == expected
    assert parked(one) == {}


def test_the_row_names_topic_and_offset_and_nothing_that_was_sent(bench: MakeBench) -> None:
    one = bench("orders")
    kind, authority, raws = next(found for found in lines(one) if found[1] == "S12000029")
    ids = ids_by_authority(one)[authority]
    worker = Worker(one.database, failing_on(one.domain, {ids[2]}), one.worker_metrics())
    take(worker, one, scenario.slices([(kind, authority, raws)], 1000))
    held = parked(one)[authority]
    offset = next(n for n, raw in enumerate(raws) if f'"{ids[2]}"'.encode() in raw)
    assert held.place == (TopicPartition(topic_of(kind, authority), 0), offset)
    assert held.said.startswith("ArithmeticError at ")
    assert "nobody thought" not in held.said
    assert position(one, topic_of(kind, authority)) == offset


def test_a_skipped_event_is_kept_and_the_rest_is_taken(bench: MakeBench) -> None:
    one = bench("orders")
    kind, authority, raws = next(found for found in lines(one) if found[1] == "S12000029")
    poison = ids_by_authority(one)[authority][1]
    worker = Worker(one.database, failing_on(one.domain, {poison}), one.worker_metrics())
    fetches = list(scenario.slices([(kind, authority, raws)], 9))
    take(worker, one, fetches)
    held = parked(one)[authority]
    assert held.place is not None
    assert worker.is_up_to_date()
    release(one, authority, Action.SKIPPED)
    assert not worker.is_up_to_date()
    take(worker, one, fetches)
    assert worker.is_up_to_date()
    assert position(one, held.place.source.topic) == len(raws)
    assert list(unbalanced(one.database, one.domain, authority)) == []
    with one.database.connect() as connection:
        kept = connection.execute(select(rejections).where(rejections.c.reason == "put_aside")).all()
        counted = connection.scalar(select(func.count()).select_from(arrivals).where(arrivals.c.outcome == 4))
        acts = list(connection.execute(select(parks.c.action, parks.c.by, parks.c.said).order_by(parks.c.id)))
    assert [(row.offset, row.value, row.event_id) for row in kept] == [
        (held.place.offset, raws[held.place.offset], poison)
    ]
    assert counted == 1
    assert [tuple(act) for act in acts] == [("parked", "worker", held.said), ("skipped", "test", "because")]
    assert sum(n for key, n in one.cells().items() if key.endswith("|outcome=put_aside")) == 1


def test_one_order_that_cannot_be_read_parks_one_authority(bench: MakeBench) -> None:
    one = bench("orders")
    fetches = list(scenario.slices(lines(one), 1000))
    take(one.worker(), one, fetches)
    before = one.cells()
    with one.database.begin() as connection:
        subject = connection.scalar(text("SELECT min(subject) FROM records WHERE authority = 'S12000030'"))
        was = connection.scalar(
            text("SELECT facts::text FROM records WHERE authority = 'S12000030' AND subject = :s"), {"s": subject}
        )
        connection.execute(
            text("""UPDATE records SET facts = '{"imposed": 7}' WHERE authority = 'S12000030' AND subject = :s"""),
            {"s": subject},
        )
    again = [
        Slice(p.topic, 0, [scenario.Sent(len(p.messages) + m.offset, m.value) for m in p.messages]) for p in fetches[0]
    ]
    take(one.worker(), one, [again])
    assert set(parked(one)) == {"S12000030"}
    behind = {piece.topic for piece in again if position(one, piece.topic) != piece.next_offset}
    assert behind == {"orders.events.S12000030"}
    with one.database.begin() as connection:  # and while counting again, with no event to blame
        release(one, "S12000030", Action.RETRIED)
        connection.exec_driver_sql("UPDATE shards SET counted_by = 'older rules'")
    one.worker()
    assert parked(one)["S12000030"].place is None
    with pytest.raises(Refused, match="no single event"):
        release(one, "S12000030", Action.SKIPPED)
    with one.database.begin() as connection:
        connection.execute(
            text("UPDATE records SET facts = CAST(:f AS json) WHERE authority = 'S12000030' AND subject = :s"),
            {"f": was, "s": subject},
        )
    release(one, "S12000030", Action.RETRIED)
    take(one.worker(), one, [again])
    assert parked(one) == {}
    assert scenario.in_reach(one.cells()) == scenario.in_reach(before)


def test_a_worker_that_was_overtaken_parks_nobody(bench: MakeBench) -> None:
    one = bench("orders")
    kind, authority, raws = next(found for found in lines(one) if found[1] == "S12000029")
    fetch = next(scenario.slices([(kind, authority, raws)], 1000))
    worker = Worker(one.database, failing_on(one.domain, {ids_by_authority(one)[authority][0]}), one.worker_metrics())
    worker.start(one.sources)
    take(one.worker(), one, [fetch])
    with pytest.raises(Fenced):
        Contained(worker).process(fetch)
    assert parked(one) == {}


def test_a_schema_that_is_not_ours_to_use_parks_nobody(bench: MakeBench) -> None:
    one = bench("orders")
    worker = one.worker()
    with one.database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE cells RENAME TO cells_gone")
    with pytest.raises(Exception, match="UndefinedTable"):
        Contained(worker).process(next(scenario.slices(lines(one), 5)))
    assert parked(one) == {}


SLOW = """
CREATE FUNCTION slow() RETURNS trigger AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$ LANGUAGE plpgsql;
CREATE TRIGGER slow BEFORE INSERT ON arrivals FOR EACH ROW EXECUTE FUNCTION slow();
"""


def test_a_batch_that_cannot_finish_in_time_is_done_in_smaller_ones(bench: MakeBench, postgres: str) -> None:
    """PostgreSQL gives a statement half a second, in which some 25 events can be written here; the batch has all."""
    one = bench("orders")
    kind, authority, raws = next(found for found in lines(one) if found[1] == "S12000029")
    with one.database.begin() as connection:
        connection.exec_driver_sql(SLOW)
    impatient = engine(DatabaseSettings(url=postgres, schema_name="orders", statement_timeout_seconds=0.5))
    worker = Worker(impatient, one.domain, one.worker_metrics())
    worker.start(one.sources)
    contained = Contained(worker)
    (fetch,) = scenario.slices([(kind, authority, raws)], 1000)
    timed_out = 0
    while True:  # as the engine does
        try:
            contained.process(fetch)
        except TimedOut:
            timed_out += 1
            continue
        break
    impatient.dispose()
    assert 1 <= timed_out < 8
    assert position(one, topic_of(kind, authority)) == len(raws)
    assert parked(one) == {}
    assert list(unbalanced(one.database, one.domain, authority)) == []


def position(bench: Bench, topic: str) -> int:
    with bench.database.connect() as connection:
        return connection.scalar(select(checkpoints.c.next_offset).where(checkpoints.c.topic == topic)) or 0


def test_a_topic_that_got_more_partitions_parks_its_authority_and_the_rest_go_on(bench: MakeBench) -> None:
    one, hit = bench("orders"), "S12000029"
    expected = whole(one)
    topic = topic_of(Topic.ORDERS, hit)
    sources = one.sources | {TopicPartition(topic, 1): one.sources[TopicPartition(topic, 0)]}
    worker = Worker(one.database, one.domain, one.worker_metrics(), clock=one.clock)
    assert worker.start(sources).keys() == sources.keys()
    contained = Contained(worker)
    for fetch in scenario.slices(lines(one), 40):
        contained.process([*fetch, Slice(topic, 1, [scenario.Sent(0, b"what nobody can put in order")])])
    others = [code for code in AUTHORITIES if code != hit]
    assert of(one.cells(), others) == of(expected, others)
    assert {code: park.said for code, park in parked(one).items()} == {
        hit: f"Refused: topics of {hit} have several partitions, and one is read"
    }
    assert worker.held_back() == {TopicPartition(topic, 0): 0, TopicPartition(topic, 1): 0}
    release(one, hit, Action.RETRIED)
    worker.start(sources)
    assert hit in parked(one)
    release(one, hit, Action.RETRIED)  # once the topic was made again with one partition
    take(one.worker(), one, scenario.slices(lines(one), 40))
    assert one.cells() == expected
