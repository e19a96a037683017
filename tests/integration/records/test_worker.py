"""The worker on a real database: exactly once, whatever the batches, and nothing believed that was not committed."""

import random
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from contracts.events import Topic
from services.chassis.failures import Fenced, Refused
from services.chassis.streaming.batches import Slice
from services.records.ingest.recount import differences
from services.records.ingest.tables import arrivals, checkpoints, rejections
from tests.integration.records.conftest import Bench, feed
from tests.support import scenario

MakeBench = Callable[[str], Bench]


@pytest.mark.parametrize(("size", "cached"), [(1, 3), (7, 20_000), (100_000, 20_000)])
def test_the_scenario_gives_its_cells_whatever_the_batches(bench: MakeBench, size: int, cached: int) -> None:
    benches = [bench("orders"), bench("unpaid_work")]
    for one in benches:
        feed(one, size, cached=cached)
    found: dict[str, int] = {}
    for one in benches:
        found |= one.cells()
    assert scenario.in_reach(found) == scenario.expected()


def test_posted_twice_and_shuffled_nothing_changes(bench: MakeBench) -> None:
    for one in (bench("orders"), bench("unpaid_work")):
        feed(one, 50)
        lengths = {code: len(found) for kind, code, found in scenario.topics() if kind is one.domain.own}
        before = {
            key: value for key, value in one.cells().items() if not key.startswith(("events|", "reporting_delay|"))
        }
        lines = [(kind, code, list(found)) for kind, code, found in scenario.topics() if kind in one.domain.kinds]
        worker = one.worker()
        for kind, code, found in lines:
            random.Random(5).shuffle(found)
            offset = worker_position(one, kind, code)
            for fetch in scenario.slices([(kind, code, found)], 13, offset):
                worker.process(fetch)
        after = {
            key: value for key, value in one.cells().items() if not key.startswith(("events|", "reporting_delay|"))
        }
        assert after == before
        with one.database.connect() as connection:
            kept = connection.scalar(select(func.count()).select_from(arrivals))
        assert kept == 2 * sum(lengths.values())


def worker_position(bench: Bench, kind: Topic, authority: str) -> int:
    query = select(checkpoints.c.next_offset).where(checkpoints.c.topic == f"{kind}.{authority}")
    with bench.database.connect() as connection:
        return int(connection.execute(query).scalar_one())


def test_cells_are_the_sum_of_their_records(bench: MakeBench) -> None:
    for one in (bench("orders"), bench("unpaid_work")):
        feed(one, 11)
        with one.database.connect() as connection:
            for code in {code for _, code, _ in scenario.topics()}:
                assert differences(connection, one.domain, code) == {}


def test_every_event_has_an_outcome(bench: MakeBench) -> None:
    one = bench("orders")
    feed(one, 20)
    query = select(arrivals.c.authority, func.count().label("number")).group_by(arrivals.c.authority)
    with one.database.connect() as connection:
        outcomes = {row.authority: row.number for row in connection.execute(query)}
        counts = select(rejections.c.authority, func.count().label("number")).group_by(rejections.c.authority)
        refused = {row.authority: row.number for row in connection.execute(counts)}
    assert outcomes == {code: worker_position(one, Topic.ORDERS, code) for code in outcomes}
    wanted = scenario.expected_outcomes()
    assert {f"rejected.orders.{code}": n for code, n in refused.items()} == {
        key: n for key, n in wanted.items() if key.startswith("rejected.orders")
    }


def test_a_rejection_keeps_the_bytes(bench: MakeBench) -> None:
    one = bench("orders")
    worker = one.worker()
    worker.process([Slice("orders.events.S12000005", 0, [scenario.Sent(0, b'{"broken'), scenario.Sent(1, None)])])
    with one.database.connect() as connection:
        rows = connection.execute(select(rejections).order_by(rejections.c.offset)).all()
    assert [(row.reason, row.path, row.value) for row in rows] == [
        ("not_json", "$", b'{"broken'),
        ("not_json", "$", None),
    ]


def test_the_same_fetch_again_has_no_effect(bench: MakeBench) -> None:
    one = bench("orders")
    worker = one.worker()
    fetch = next(scenario.slices([t for t in scenario.topics() if t[0] is Topic.ORDERS], 10))
    worker.process(fetch)
    before = one.cells()
    worker.process(fetch)
    assert one.cells() == before


def test_a_worker_that_was_overtaken_cannot_write(bench: MakeBench) -> None:
    one = bench("orders")
    first, second = one.worker(), one.worker()
    fetches = list(scenario.slices([t for t in scenario.topics() if t[0] is Topic.ORDERS], 5))
    first.process(fetches[0])
    with pytest.raises(Fenced):
        second.process(fetches[0])
    positions = second.start(one.sources)
    assert positions == first.start(one.sources)
    second.process(fetches[1])


def test_owners_of_the_two_topics_of_one_authority_cannot_both_write(bench: MakeBench) -> None:
    one = bench("unpaid_work")
    lines = {kind: found for kind, code, found in scenario.topics() if code == "S12000029"}
    first, second = one.worker(), one.worker()
    first.process([Slice("orders.events.S12000029", 0, [scenario.Sent(0, lines[Topic.ORDERS][0])])])
    with pytest.raises(Fenced):
        second.process([Slice("unpaid-work.events.S12000029", 0, [scenario.Sent(0, lines[Topic.UNPAID_WORK][0])])])


def test_a_topic_made_again_is_refused(bench: MakeBench) -> None:
    one = bench("orders")
    one.worker()
    again = {source: identity._replace(topic_id="another") for source, identity in one.sources.items()}
    with pytest.raises(Refused, match="deleted and made again"):
        one.worker().start(again)
    elsewhere = {source: identity._replace(cluster_id="another") for source, identity in one.sources.items()}
    with pytest.raises(Refused, match="another cluster"):
        one.worker().start(elsewhere)


def test_other_rules_recount_what_was_counted(bench: MakeBench) -> None:
    one = bench("orders")
    feed(one, 50)
    before = one.cells()
    with one.database.begin() as connection:
        connection.exec_driver_sql("UPDATE cells SET delta = delta + 3 WHERE measure = 'first_contact'")
        connection.exec_driver_sql("UPDATE shards SET counted_by = 'older rules'")
    one.worker()
    assert one.cells() == before
