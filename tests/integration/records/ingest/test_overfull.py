"""An order of which too many facts are sent counts nothing from then on, costs hardly anything, and its authority is told why."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select

from contracts.codes import Activity, Attendance, WorkType
from contracts.decoding.codec import encode
from contracts.events import ContactMade, Fact, FactWithdrawn, SessionRecorded, Topic
from contracts.rejections import Reason
from contracts.topics import topic_of
from services.chassis.streaming.batches import Slice
from services.records.ingest import store
from services.records.ingest.recount import differences, records_of
from services.records.ingest.tables import rejections
from services.records.model import limit
from services.records.upkeep import redrive
from services.records.upkeep.explain import cell_name, explain
from tests.integration.records.conftest import NOW, Bench
from tests.integration.records.test_between_authorities import A
from tests.support.desk import ManagersView, client
from tests.support.lives import RECORDED, event, imposed
from tests.support.scenario import Sent

MOST = 3
MONDAY = date(2025, 3, 3)
TODAY = "2026-10-01"
MINUTES = f"minutes_credited|{A}|2025-03-01|"
MakeBench = Callable[[str], Bench]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "MOST_FACTS", MOST)


def session(number: int, minutes: int = 60) -> SessionRecorded:
    return SessionRecorded(
        ref=f"s{number}",
        session_on=MONDAY + timedelta(days=number),
        attendance=Attendance.ATTENDED,
        activity=Activity.UNPAID_WORK,
        work_type=next(iter(WorkType)),
        minutes_credited=minutes,
    )


AS_MANY = tuple(map(session, range(1, MOST + 1)))
LATER: tuple[Fact, ...] = (session(MOST + 1), session(1, 120), FactWithdrawn(fact="session/s2"), session(9))
"""One more, a correction, a withdrawal, and yet one more."""
WHOLE = FactWithdrawn(fact="order")


class Told:
    """Sends facts of one order, each recorded later than the last, in batches of so many."""

    def __init__(self, bench: Bench, size: int, cached: int = 20_000) -> None:
        self.bench, self._size, self._worker = bench, size, bench.worker(cached)
        self._numbers, self._offsets = count(1), {topic: count() for topic in Topic}

    def send(self, *facts: Fact, topic: Topic = Topic.UNPAID_WORK) -> None:
        told = [self._event(fact, topic) for fact in facts]
        for begin in range(0, len(told), self._size):
            self._worker.process([Slice(topic_of(topic, A), 0, told[begin : begin + self._size])])

    def _event(self, fact: Fact, topic: Topic) -> Sent:
        number = next(self._numbers)
        stated = event(fact, "CPO/1", A, number, RECORDED + timedelta(minutes=number))
        return Sent(next(self._offsets[topic]), encode(stated))

    def refused(self) -> list[str]:
        with self.bench.database.connect() as connection:
            return list(connection.scalars(select(rejections.c.reason).order_by(rejections.c.offset)))

    def view(self) -> ManagersView:
        return ManagersView(client(self.bench.database, self.bench.domain, TODAY), A)


@pytest.fixture(params=[(1, 0), (2, 20_000), (100, 20_000)], ids=str)
def work(request: pytest.FixtureRequest, bench: MakeBench) -> Iterator[Told]:
    """Yield what sends to unpaid work: batches of any size, and with no record in the worker's memory."""
    told = Told(bench("unpaid_work"), *request.param)
    told.send(imposed(MONDAY), topic=Topic.ORDERS)
    told.send(*AS_MANY)
    assert told.bench.cells()[MINUTES] == 60 * MOST, "as many as may be count"
    assert told.refused() == []
    yield told
    with told.bench.database.connect() as connection:
        assert differences(connection, told.bench.domain, A) == {}


def test_one_fact_more_and_the_order_counts_nothing_any_more(work: Told) -> None:
    work.send(*LATER)
    assert work.refused() == [Reason.TOO_MANY_FACTS] * len(LATER)
    assert {key.partition("|")[0] for key in work.bench.cells()} <= {"events", "reporting_delay", "sequence"}
    told: list[dict[str, Any]] = work.view().get("rejections")["rejections"]
    assert {(one["reason"], one["path"], one["remedy"]) for one in told} == {
        ("too_many_facts", "$.subject", Reason.TOO_MANY_FACTS.remedy)
    }
    assert all("more than 3 facts" in one["message"] for one in told)
    ledger = work.view().get("ledgers/CPO/1")
    assert ledger["overfull"]
    assert [fact["key"] for fact in ledger["facts"]] == ["imposed", "session/s1", "session/s2", "session/s3"]
    assert ledger["clocks"] == ledger["findings"] == []


def test_its_events_are_accounted_for_and_it_is_held_as_what_it_is(work: Told) -> None:
    work.send(*LATER)
    held, facts = work.view().get("held"), work.view().get("held/facts")
    assert (held["orders"], held["orders_overfull"], held["orders_not_imposed"], held["orders_withdrawn"]) == (
        1,
        1,
        0,
        0,
    )
    assert held["rejected"] == {"too_many_facts": len(LATER)}
    assert (facts["accepted"], facts["of_withdrawn_orders"], facts["counting"]) == (MOST, MOST, 0)
    work.send(WHOLE, topic=Topic.ORDERS)
    held = work.view().get("held")
    assert (held["orders_overfull"], held["orders_withdrawn"]) == (0, 1), "what it is advised to do, it can do"
    work.send(session(1))
    assert held["rejected_open"] + 1 == work.view().get("held")["rejected_open"]


def test_why_it_does_not_count_is_explained(work: Told) -> None:
    work.send(*LATER)
    with work.bench.database.connect() as connection:
        found = explain(cell_name(MINUTES), records_of(connection, A), work.bench.domain)
    assert (found.value, found.elsewhere) == (0, {"too many facts of the order were sent": 1})
    asked = work.view().get("explain", measure="minutes_credited", period="2025-03")
    assert asked["value"] == 0


def test_its_refused_events_are_not_sent_again(work: Told) -> None:
    """They would be refused again, each time an operator sends others again."""
    work.send(*LATER)
    one = work.bench

    class Nobody:
        def send_all(self, records: Any) -> list[object]:
            assert list(records) == []
            return []

    found = redrive.redrive(one.database, Nobody(), NOW)  # type: ignore[arg-type]
    assert (found.sent, found.still_refused) == (0, len(LATER))


def test_a_refused_event_of_it_costs_no_reading_of_its_facts(bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(bench("unpaid_work"), 1, cached=0)
    told.send(*AS_MANY, *LATER)

    def load(*_: object) -> None:
        raise AssertionError("the facts were read")

    with monkeypatch.context() as patch:
        patch.setattr(store, "load", load)
        told.send(*LATER)
        with pytest.raises(AssertionError, match="were read"):
            told.send(imposed(MONDAY), topic=Topic.ORDERS)
    assert len(told.refused()) == 2 * len(LATER)
    told.send(imposed(MONDAY), topic=Topic.ORDERS)
    facts = told.view().get("ledgers/CPO/1")["facts"]
    assert len(facts) == MOST + 1, "what the other topic states is kept, and nothing was lost"


def test_each_topic_has_its_own_number(bench: MakeBench) -> None:
    """Else it would depend on how far a worker reads one topic ahead of the other which events are refused."""
    told = Told(bench("unpaid_work"), 100)
    told.send(*AS_MANY)
    told.send(imposed(MONDAY), topic=Topic.ORDERS)
    assert told.refused() == []
    assert told.bench.cells()[MINUTES] == 60 * MOST
    orders = Told(bench("orders"), 100)
    orders.send(imposed(MONDAY), ContactMade(made_on=MONDAY), topic=Topic.ORDERS)
    assert orders.view().get("orders/CPO/1")["overfull"] is False
