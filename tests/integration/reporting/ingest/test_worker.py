"""The worker keeps the national aggregates, and there are times when it must not go on."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from contracts.cells import Aggregate, encode_aggregate
from services.chassis.failures import Fenced, Refused
from services.chassis.metrics import new_registry
from services.chassis.streaming import told
from services.chassis.streaming.batches import Slice, SourceIdentity
from services.chassis.streaming.containment import Contained
from services.chassis.streaming.fetching.bounded import LONGEST
from services.chassis.streaming.seal import HEADER, Sealer, sealer
from services.reporting.ingest.believing import Believing
from services.reporting.ingest.metrics import IngestMetrics
from services.reporting.ingest.worker import Aggregates
from services.reporting.read.tables import put_aside
from tests.integration.reporting.conftest import IDENTITY, NOW, SOURCE, Feed, Message, cell, position, slice_of

GLASGOW, FIFE = "S12000049", "S12000047"
Headers = dict[str, str]


@pytest.fixture
def feed(feed_only: Feed) -> Feed:
    """Return a feed of nothing but the test's own messages."""
    return feed_only


def values(client: TestClient, headers: Headers, **parameters: str | int) -> dict[tuple[str, str, str], int]:
    answer = client.get("/v1/cells", params=parameters, headers=headers)
    assert answer.status_code == 200, answer.text
    return {(c["authority"], c["period"], c["category"]): c["value"] for c in answer.json()["cells"]}


def test_services_are_summed_and_zero_cells_left_out(client: TestClient, national: Headers, feed: Feed) -> None:
    feed(
        [
            cell("findings", GLASGOW, "2026-03", "rule=credit_after_end", 3),
            cell("findings", GLASGOW, "2026-03", "rule=credit_after_end", 4, service="unpaid_work"),
            cell("findings", FIFE, "2026-03", "rule=credit_after_end", 0),
            position(GLASGOW),
            position(GLASGOW, service="unpaid_work"),
            position(FIFE),
        ]
    )
    assert values(client, national, measure="findings") == {(GLASGOW, "2026-03-01", "rule=credit_after_end"): 7}


def test_the_greatest_version_of_the_latest_day_wins_in_any_order(
    client: TestClient, national: Headers, feed: Feed
) -> None:
    feed([position(GLASGOW)])
    feed([cell("orders_imposed", GLASGOW, "2026-03", "", 9, "2026-05-02", version=7)])
    feed(
        [
            cell("orders_imposed", GLASGOW, "2026-03", "", 5, "2026-05-01", version=3),
            cell("orders_imposed", GLASGOW, "2026-03", "", 8, "2026-05-02", version=6),
            cell("orders_imposed", GLASGOW, "2026-03", "", 4, "2026-05-01", version=2),
        ]
    )
    assert values(client, national) == {(GLASGOW, "2026-03-01", ""): 9}
    assert values(client, national, as_of="2026-05-01") == {(GLASGOW, "2026-03-01", ""): 5}
    assert values(client, national, as_of="2026-04-30") == {}


def test_a_rebuild_appears_all_at_once(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([cell("orders_imposed", GLASGOW, "2026-03", "", 9), cell("sessions", GLASGOW, "2026-03", "", 2)])
    feed([position(GLASGOW)])
    rebuilt = cell("orders_imposed", GLASGOW, "2026-03", "", 10, version=1, generation=2)
    feed([rebuilt])
    assert values(client, national, measure="orders_imposed") == {(GLASGOW, "2026-03-01", ""): 9}
    feed([position(GLASGOW, generation=2), cell("orders_imposed", GLASGOW, "2026-03", "", 99, version=9)])
    assert values(client, national) == {(GLASGOW, "2026-03-01", ""): 10}
    assert values(client, national, as_of="2026-05-01") == {(GLASGOW, "2026-03-01", ""): 10}


def test_a_position_of_an_older_generation_changes_nothing(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([position(GLASGOW, 5, generation=2), position(GLASGOW, 5, generation=2, service="unpaid_work")])
    feed([position(GLASGOW, 9, version=50, generation=1)])
    assert client.get("/v1/positions", headers=national).json()["positions"][f"orders.events.{GLASGOW}/0"] == 5


def test_a_position_counts_once_every_reader_has_shown_it(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([position(GLASGOW, 8)])
    assert client.get("/v1/positions", headers=national).json()["positions"] == {}
    feed([position(GLASGOW, 5, service="unpaid_work")])
    assert client.get("/v1/positions", headers=national).json()["positions"] == {
        f"orders.events.{GLASGOW}/0": 5,
        f"unpaid-work.events.{GLASGOW}/0": 5,
    }


def test_cells_are_paged_without_gap_or_repeat(client: TestClient, national: Headers, feed: Feed) -> None:
    feed([position(GLASGOW), *(cell("orders_imposed", GLASGOW, f"2026-{n:02}", "", n) for n in range(1, 8))])
    seen, parameters = [], {"limit": "3"}
    while True:
        page = client.get("/v1/cells", params=parameters, headers=national).json()
        seen += [c["value"] for c in page["cells"]]
        if page["next"] is None:
            break
        parameters["cursor"] = page["next"]
    assert seen == [1, 2, 3, 4, 5, 6, 7]


def test_whole_cells_are_for_national_viewers(client: TestClient, glasgow: Headers) -> None:
    assert client.get("/v1/cells").status_code == 401
    assert client.get("/v1/cells", headers=glasgow).status_code == 403


def test_a_worker_that_was_overtaken_writes_nothing(
    database: Engine, client: TestClient, national: Headers, feed: Feed
) -> None:
    overtaken = Aggregates(database, IngestMetrics(new_registry()))
    overtaken.start({SOURCE: IDENTITY})
    feed([position(GLASGOW)])
    with pytest.raises(Fenced):
        overtaken.process([slice_of([cell("orders_imposed", GLASGOW, "2026-03", "", 9)], 0)])
    assert values(client, national) == {}


def test_another_topic_under_the_same_name_is_refused(database: Engine, feed: Feed) -> None:
    feed([position(GLASGOW)])
    with pytest.raises(Refused, match="deleted and made again"):
        Aggregates(database, IngestMetrics(new_registry())).start({SOURCE: SourceIdentity("cluster", "another")})
    with pytest.raises(Refused, match="another cluster"):
        Aggregates(database, IngestMetrics(new_registry())).start({SOURCE: SourceIdentity("another", "topic")})


def encoded(aggregate: Aggregate) -> bytes:
    return encode_aggregate(aggregate)


UNREADABLE = {
    "another kind": b'{"kind":"surprise"}',
    "not json": b"\xff\x00",
    "too large": b" " * LONGEST,
    "more than fits": encoded(cell("orders_imposed", FIFE, "2026-03", "", 7)).replace(
        b'"value":7', b'"value":%d' % 2**70
    ),
    "a version that does not fit": encoded(cell("sessions", FIFE, "2026-03", "", 7)).replace(
        b'"version":1', b'"version":%d' % 2**64
    ),
    "a character that cannot be kept": encoded(cell("orders_imposed", FIFE, "2026-03", "x\x00y", 7)),
    "a member of a newer version": encoded(cell("sessions", FIFE, "2026-03", "", 7)).replace(b"{", b'{"new":1,', 1),
}


@pytest.mark.parametrize("value", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_what_cannot_be_taken_is_put_aside_and_the_rest_is_taken(
    database: Engine, client: TestClient, national: Headers, value: bytes, place: int
) -> None:
    good: list[Aggregate] = [
        position(GLASGOW),
        *(cell("orders_imposed", GLASGOW, f"2026-{n:02}", "", n) for n in (1, 2, 3)),
    ]
    messages = [encoded(each) for each in good]
    messages.insert(place, value)
    registry = new_registry()
    worker = Aggregates(database, IngestMetrics(registry))
    worker.start({SOURCE: IDENTITY})
    Contained(worker).process([Slice(*SOURCE, [Message(n, one) for n, one in enumerate(messages)])])
    assert sorted(values(client, national).values()) == [1, 2, 3]
    assert registry.get_sample_value("payback_aggregates_put_aside") == 1
    with database.connect() as connection:
        (row,) = connection.execute(select(put_aside)).all()
    assert (row.topic, row.offset, row.value) == (SOURCE.topic, place, value)
    again = new_registry()
    other = Aggregates(database, IngestMetrics(again))
    assert other.start({SOURCE: IDENTITY}) == {SOURCE: 5}
    assert again.get_sample_value("payback_aggregates_put_aside") == 1
    with database.begin() as connection:
        connection.execute(put_aside.delete())  # by an operator, as the runbook says
    other.measure()
    assert again.get_sample_value("payback_aggregates_put_aside") == 0


def test_what_a_newer_version_can_read_is_taken_when_it_starts(
    database: Engine, client: TestClient, national: Headers
) -> None:
    registry = new_registry()
    worker = Aggregates(database, IngestMetrics(registry))
    worker.start({SOURCE: IDENTITY})
    Contained(worker).process([Slice(*SOURCE, [Message(0, encoded(position(GLASGOW))), Message(1, b"{")])])
    with database.begin() as connection:  # as if this version could read it
        connection.execute(put_aside.update().values(value=encoded(cell("orders_imposed", GLASGOW, "2026-03", "", 9))))
    registry = new_registry()
    Aggregates(database, IngestMetrics(registry)).start({SOURCE: IDENTITY})
    assert values(client, national) == {(GLASGOW, "2026-03-01", ""): 9}
    assert registry.get_sample_value("payback_aggregates_put_aside") == 0


def test_a_cell_that_another_service_sealed_is_put_aside_for_good(
    database: Engine, client: TestClient, national: Headers
) -> None:
    """Orders may write to the topic. It must not be able to say how much unpaid work was done."""
    orders, unpaid_work = sealer("o" * 32), sealer("u" * 32)
    believing = Believing({"orders": orders, "unpaid_work": unpaid_work})
    shown, true = (
        position(GLASGOW, service="unpaid_work"),
        cell("sessions", GLASGOW, "2026-03", "", 9, service="unpaid_work"),
    )
    forged = cell("sessions", GLASGOW, "2026-03", "", 99, version=2, service="unpaid_work")
    messages = [sealed(0, shown, unpaid_work), sealed(1, true, unpaid_work), sealed(2, forged, orders)]
    Aggregates(database, believing=believing).start({SOURCE: IDENTITY})
    for _ in range(2):
        registry = new_registry()
        worker = Aggregates(database, IngestMetrics(registry), believing=believing)
        worker.start({SOURCE: IDENTITY})
        Contained(worker).process([Slice(*SOURCE, messages)])
        assert values(client, national) == {(GLASGOW, "2026-03-01", ""): 9}
        assert registry.get_sample_value("payback_aggregates_put_aside") == 1


def sealed(offset: int, aggregate: Aggregate, by: Sealer | None) -> Message:
    assert by is not None
    key, value = aggregate.key.encode(), encode_aggregate(aggregate)
    return Message(offset, value, key=key, headers=((HEADER, by.seal(key, value)),))


def test_the_same_fetch_again_has_no_effect(database: Engine, client: TestClient, national: Headers) -> None:
    worker = Aggregates(database, IngestMetrics(new_registry()))
    worker.start({SOURCE: IDENTITY})
    fetch = [slice_of([position(GLASGOW), cell("orders_imposed", GLASGOW, "2026-03", "", 9)], 0)]
    worker.process(fetch)
    worker.process(fetch)
    assert values(client, national) == {(GLASGOW, "2026-03-01", ""): 9}


def test_the_delay_is_from_the_time_of_an_event_to_its_being_visible(database: Engine) -> None:
    """Of what is shown anew, as far as the publisher says when it happened."""
    registry = new_registry()
    worker = Aggregates(database, IngestMetrics(registry), clock=lambda: NOW + timedelta(seconds=2))
    worker.start({SOURCE: IDENTITY})
    first, again = position(GLASGOW), position(GLASGOW, version=2)
    newer = position(GLASGOW, version=3, heard_at=NOW + timedelta(seconds=1))
    for offset, (each, happened) in enumerate([(first, 10.0), (again, 500.0), (newer, 0.5)]):
        headers = (told.header(NOW.timestamp() - happened),)
        worker.process([Slice(*SOURCE, [Message(offset, encode_aggregate(each), headers=headers)])])
    later = position(GLASGOW, version=4, heard_at=NOW + timedelta(seconds=2))
    worker.process([Slice(*SOURCE, [Message(3, encode_aggregate(later))])])

    def value(part: str, **more: str) -> float | None:
        return registry.get_sample_value(f"payback_event_delay_seconds_{part}", {"authority": GLASGOW, **more})

    assert value("count") == 2
    assert value("sum") == pytest.approx(12.0 + 2.5)
    assert value("bucket", le="5.0") == 1
    assert registry.get_sample_value("payback_event_visible_seconds_count", {"authority": GLASGOW}) == 3
