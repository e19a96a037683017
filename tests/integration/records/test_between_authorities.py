"""What needs more than one record: transfers, control totals, and counters of sources."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import count

import pytest

from contracts.codec import Event, encode
from contracts.codes import Activity, Attendance, EndReason, WorkType
from contracts.events import (
    Fact,
    FactWithdrawn,
    OrderEnded,
    PeriodClosed,
    SessionRecorded,
    Topic,
    TransferReceived,
    TransferRequested,
)
from contracts.topics import topic_of
from services.chassis.batches import Slice
from tests.integration.records.conftest import Bench
from tests.support.desk import ManagersView, client
from tests.support.lives import event, imposed
from tests.support.scenario import Sent

MakeBench = Callable[[str], Bench]
A, B = "S12000005", "S12000036"
SOON, LATE = "2025-05-20", "2025-06-30"
"""Two and eight weeks after the transfer."""
IMPOSED = imposed(date(2025, 3, 3))
ASKED = TransferRequested(ref="t1", requested_on=date(2025, 4, 28), to=B)
LEFT = OrderEnded(ended_on=date(2025, 5, 6), reason=EndReason.TRANSFERRED_OUT)
ARRIVED = TransferReceived(received_on=date(2025, 5, 6), from_=A, from_subject="CPO/1")


class Sender:
    """Hands events over in fetches of one."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self._worker = bench, bench.worker()
        self._offsets: defaultdict[str, Iterator[int]] = defaultdict(count)

    def send(self, *events: Event) -> None:
        for one in events:
            self.send_raw(topic_of(type(one.data).TOPICS[0], one.authority), encode(one))

    def send_raw(self, topic: str, value: bytes) -> None:
        self._worker.process([Slice(topic, 0, [Sent(next(self._offsets[topic]), value)])])

    def tell(self, authority: str, *facts: Fact, subject: str = "CPO/1") -> None:
        self.send(*(event(fact, subject, authority) for fact in facts))

    def findings(self, authority: str, today: str) -> list[tuple[str, str]]:
        asked = ManagersView(client(self.bench.database, self.bench.domain, today), authority)
        return [(one["rule"], one["subject"]) for one in asked.get("findings")["findings"]]

    def details(self, authority: str) -> list[str]:
        asked = ManagersView(client(self.bench.database, self.bench.domain, LATE), authority)
        return [one["detail"] for one in asked.get("findings")["findings"]]

    def imposed(self) -> int:
        """Orders imposed in Scotland."""
        cells = self.bench.cells()
        return sum(n for key, n in cells.items() if key.startswith("orders_imposed|") and key.endswith("|"))


@pytest.fixture
def orders(bench: MakeBench) -> Sender:
    return Sender(bench("orders"))


@pytest.fixture
def unpaid_work(bench: MakeBench) -> Sender:
    return Sender(bench("unpaid_work"))


def test_a_pair_that_matches_counts_once_and_is_no_finding(orders: Sender) -> None:
    orders.tell(B, ARRIVED, IMPOSED, subject="E/7")
    orders.tell(A, LEFT, IMPOSED, ASKED)
    assert orders.imposed() == 1
    assert orders.findings(A, LATE) == orders.findings(B, LATE) == []
    other = ManagersView(client(orders.bench.database, orders.bench.domain, LATE), A).get("orders/CPO/1")["transfers"]
    assert other == [{"direction": "out", "authority": B, "subject": "E/7", "matched": True}]
    other = ManagersView(client(orders.bench.database, orders.bench.domain, LATE), B).get("orders/E/7")["transfers"]
    assert other == [{"direction": "in", "authority": A, "subject": "CPO/1", "matched": True}]


def test_an_order_that_nobody_received_is_found_after_its_time(orders: Sender) -> None:
    orders.tell(A, IMPOSED, ASKED, LEFT)
    assert orders.findings(A, SOON) == []
    assert orders.findings(A, LATE) == [("transfer_out_unmatched", "CPO/1")]
    orders.tell(B, IMPOSED, ARRIVED, subject="E/7")
    assert orders.findings(A, LATE) == []


def test_an_order_that_nobody_sent_is_found_after_its_time(orders: Sender) -> None:
    orders.tell(B, IMPOSED, ARRIVED, subject="E/7")
    orders.tell(A, IMPOSED)
    assert orders.findings(B, SOON) == []
    assert orders.findings(B, LATE) == [("transfer_in_unmatched", "E/7")]
    orders.tell(A, LEFT)
    assert orders.findings(B, LATE) == []
    orders.tell(B, FactWithdrawn(fact="order"), subject="E/7")
    assert orders.findings(A, LATE) == [("transfer_out_unmatched", "CPO/1")]


def test_an_order_that_two_received_is_shown_to_both(orders: Sender) -> None:
    orders.tell(A, IMPOSED, LEFT)
    orders.tell(B, IMPOSED, ARRIVED, subject="E/7")
    orders.tell("S12000049", IMPOSED, ARRIVED, subject="G/1")
    assert orders.imposed() == 1
    assert orders.findings(B, SOON) == [("transfer_in_twice", "E/7")]
    assert orders.findings("S12000049", SOON) == [("transfer_in_twice", "G/1")]


def test_totals_that_do_not_agree(orders: Sender, bench: MakeBench) -> None:
    totals = PeriodClosed(month="2025-03", orders_imposed=2, orders_ended=0, minutes_credited=90)
    orders.tell(A, IMPOSED)
    orders.tell(A, totals, subject="-")
    assert orders.findings(A, LATE) == [("control_totals", "-")]
    assert orders.details(A) == ["orders_imposed: 2 stated, 1 counted"]
    assert orders.bench.cells()[f"control_totals|{A}|2025-03-01|total=orders_imposed"] == 2
    orders.tell(A, IMPOSED, subject="CPO/2")
    assert orders.findings(A, LATE) == []
    work = Sender(bench("unpaid_work"))
    work.tell(A, totals, subject="-")
    assert work.details(A) == ["minutes_credited: 90 stated, 0 counted"]


def session(number: int) -> Fact:
    return SessionRecorded(
        ref=f"s{number}",
        session_on=date(2025, 3, 10),
        attendance=Attendance.ATTENDED,
        activity=Activity.UNPAID_WORK,
        work_type=WorkType.GARDENING,
        minutes_credited=60,
    )


def numbered(numbers: Iterable[int]) -> list[Event]:
    """A counter runs over both topics of a source."""
    facts = {number: IMPOSED if number % 2 else session(number) for number in numbers}
    made = [event(fact, f"CPO/{number}", A, number) for number, fact in facts.items()]
    return [_with_number(one, int(one.id)) for one in made]


def _with_number(one: Event, number: int) -> Event:
    fields = {name: getattr(one, name) for name in one.__struct_fields__}
    return Event(**(fields | {"sequence": number, "system": "case"}))


def test_gaps_are_shown_until_they_are_filled(unpaid_work: Sender) -> None:
    unpaid_work.send(*numbered([1, 2, 7, 4]))
    shown = [detail for detail in unpaid_work.details(A) if detail]
    assert shown == [f"/authorities/{A}/systems/case: 3", f"/authorities/{A}/systems/case: 5 to 6"]
    cells = unpaid_work.bench.cells()
    assert cells[f"sequence|{A}|2026-01-01|received"] == 4
    assert cells[f"sequence|{A}|2026-01-01|missing"] == 3
    unpaid_work.send(*numbered([6, 5, 3, 4, 1]))
    assert not [detail for detail in unpaid_work.details(A) if detail]
    cells = unpaid_work.bench.cells()
    assert cells[f"sequence|{A}|2026-01-01|received"] == 7
    assert f"sequence|{A}|2026-01-01|missing" not in cells


def test_the_number_of_a_refused_event_came_all_the_same(unpaid_work: Sender) -> None:
    first, second, third = numbered([1, 2, 3])
    unpaid_work.send(first, third)
    broken = encode(second).replace(b'"attended"', b'"asleep"')
    assert broken != encode(second)
    unpaid_work.send_raw(topic_of(Topic.UNPAID_WORK, A), broken)
    assert not [detail for detail in unpaid_work.details(A) if detail]
