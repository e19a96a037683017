"""A flood of refused events: few rows, right numbers, and nothing that is silent."""

import gc
import tracemalloc
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from sqlalchemy import Table, func, select

from contracts.decoding.codec import Event, encode
from contracts.events import OfficerNominated
from contracts.generate.samples import AUTHORITY, EVENTS
from contracts.topics import topic_of
from services.chassis.streaming.batches import Slice
from services.chassis.streaming.fetching.bounded import RECORD_BYTES
from services.chassis.streaming.fetching.inflating import ZSTD
from services.operations.refusals import counted_only
from services.records.ingest.guarding import floods
from services.records.ingest.tables import arrivals, changes, refused_days, rejections
from services.records.upkeep.redrive import Wanted
from tests.integration.records.conftest import NOW, Bench
from tests.support.desk import ManagersView, new_client, token
from tests.support.generated.thorough import TURN, turns
from tests.support.scenario import NOON, Sent
from tests.unit.chassis.streaming.fetching.test_bounded import batch, read

TOPIC = f"orders.events.{AUTHORITY}"
GOOD: Event = next(event for event in EVENTS if isinstance(event.data, OfficerNominated))
KEPT, FLOOD = 20, 1000
DAY_LATER = NOON + 24 * 3600 * 1000


@pytest.fixture(autouse=True)
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floods, "KEPT_A_DAY", KEPT * floods.ROWS_BYTES)


def flooded(one: Bench, size: int) -> None:
    """Feed a flood, a good event, more of the flood, and a refused event of the next day, in batches of this size."""
    values = [b"", *[b"{}" if n % 10 == 9 else b"" for n in range(1, FLOOD)], encode(GOOD), b"", b""]
    sent = [Sent(offset, value) for offset, value in enumerate(values)] + [Sent(FLOOD + 3, b"[]", DAY_LATER)]
    worker = one.worker()
    for begin in range(0, len(sent), size):
        worker.process([Slice(TOPIC, 0, sent[begin : begin + size])])


def rows(one: Bench, table: Table) -> int:
    with one.database.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


@pytest.mark.parametrize("size", [7, 300, 5000])
def test_few_rows_are_kept_of_a_flood_and_every_number_is_right(bench: Callable[[str], Bench], size: int) -> None:
    one = bench("orders")
    flooded(one, size)
    assert (rows(one, rejections), rows(one, arrivals)) == (KEPT + 1, KEPT + 2)
    assert rows(one, changes) == KEPT + 2, "the refused ones, and what the good event lacks"
    events = {key.split("|")[3]: number for key, number in one.cells().items() if key.startswith("events|")}
    assert events == {
        "outcome=rejected": FLOOD + 3,
        "outcome=applied": 1,
        "reason=not_json": FLOOD + 2 - FLOOD // 10,
        "reason=not_cloudevent": FLOOD // 10 + 1,
    }
    counted = one.metrics.get_sample_value("payback_rejections_total", {"authority": AUTHORITY, "reason": "not_json"})
    assert counted == FLOOD + 2 - FLOOD // 10
    with one.database.connect() as connection:
        found = connection.execute(
            select(refused_days).where(refused_days.c.counted > 0).order_by(refused_days.c.reason)
        )
        assert [(row.reason, row.counted, row.first, row.last) for row in found] == [
            ("not_cloudevent", FLOOD // 10 - 2, 29, FLOOD - 1),
            ("not_json", FLOOD + 2 - FLOOD // 10 - 18, 20, FLOOD + 2),
        ]


def test_the_authority_and_operators_are_told_what_is_only_counted(bench: Callable[[str], Bench]) -> None:
    one = bench("orders")
    flooded(one, 5000)
    number = FLOOD + 2 - KEPT
    with new_client(one.database, one.domain, "2026-09-30") as api:
        view = ManagersView(api, AUTHORITY)
        page: dict[str, Any] = view.get("rejections")
        held = view.get("held")
        unread = api.get("/v1/events/unheard-of", headers=token(AUTHORITY, "orders:read"))
        others = api.get("/v1/events/unheard-of", headers=token("S12000047", "orders:read"))
        assert view.get("rejections", reason="too_large")["counted"] == []
        assert view.get("rejections", open="false")["counted"] == []
        assert ManagersView(api, "S12000047").get("rejections")["counted"] == []
    assert len(page["rejections"]) == KEPT + 1
    assert sum(each["number"] for each in page["counted"]) == held["rejected_counted"] == number
    assert held["events"]["rejected"] == number + held["rejected_open"]
    assert page["counted"][1]["first_offset"] == 20
    assert f"{number} refused events that are only counted" in unread.json()["title"] + unread.json().get("detail", "")
    assert "only counted" not in others.text
    told = list(counted_only(one.database, Wanted(), NOW.date().replace(day=1)))
    assert [line.split()[1:3] for line in told] == [["98", "not_cloudevent"], ["884", "not_json"]]
    assert list(counted_only(one.database, Wanted("S12000047"), NOW.date().replace(day=1))) == []


EACH_TIME = 5000
PLENTY = 2**40
KINDS: Mapping[str, tuple[bytes, int]] = MappingProxyType(
    {"kept": (b"{}", PLENTY), "counted": (b"{}", 0), "empty": (b"", 0), "duplicate": (encode(GOOD), 0)}
)


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for place, kind in enumerate(KINDS) for name in turns(("orders", "unpaid_work"), TURN + place)],
)
def test_a_turn_takes_no_more_memory_than_is_reckoned_for_each_record(
    bench: Callable[[str], Bench], monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    """From what was fetched to the commit: fetches are bounded by that price, however little each record holds. Each kind comes to one
    service, and to the other tomorrow.
    """
    value, room = KINDS[kind]
    monkeypatch.setattr(floods, "KEPT_A_DAY", room)
    one = bench(name)
    worker, topic = one.worker(), topic_of(one.domain.own, AUTHORITY)
    turns = [batch(ZSTD, [(None, value, [])] * EACH_TIME, begin) for begin in (0, EACH_TIME)]
    worker.process([Slice(topic, 0, read(turns[0]))])  # what is made once
    gc.collect()
    tracemalloc.start()
    fetched = [Slice(topic, 0, read(turns[1]))]
    tracemalloc.reset_peak()  # of the room for decompressing, which is bounded by itself
    worker.process(fetched)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows(one, rejections) == (2 * EACH_TIME if kind == "kept" else 0)
    assert peak < EACH_TIME * (RECORD_BYTES + len(value)), f"{peak // EACH_TIME} bytes for each record"
