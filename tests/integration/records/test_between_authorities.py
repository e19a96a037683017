"""Transfers, control totals, and counters of sources each need more than one record."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import count

import pytest

from contracts.codes import Activity, Attendance, EndReason, WorkType
from contracts.decoding.codec import Event, encode
from contracts.events import (
    Fact,
    FactWithdrawn,
    OrderEnded,
    OrderImposed,
    PeriodClosed,
    SessionRecorded,
    Topic,
    TransferAnswered,
    TransferReceived,
    TransferRequested,
)
from contracts.topics import topic_of
from services.chassis.streaming.batches import Slice
from tests.integration.records.conftest import Bench
from tests.support.desk import ManagersView, client, token
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
        self.log: defaultdict[str, dict[int, bytes]] = defaultdict(dict)

    def send(self, *events: Event) -> None:
        for one in events:
            self.send_raw(topic_of(type(one.data).TOPICS[0], one.authority), encode(one))

    def send_raw(self, topic: str, value: bytes) -> None:
        offset = next(self._offsets[topic])
        self.log[topic][offset] = value
        self._worker.process([Slice(topic, 0, [Sent(offset, value)])])

    def tell(self, authority: str, *facts: Fact, subject: str = "CPO/1") -> None:
        self.send(*(event(fact, subject, authority) for fact in facts))

    def findings(self, authority: str, today: str) -> list[tuple[str, str]]:
        asked = ManagersView(client(self.bench.database, self.bench.domain, today), authority)
        return [(one["rule"], one["subject"]) for one in asked.get("findings")["findings"]]

    def details(self, authority: str) -> list[str]:
        asked = ManagersView(client(self.bench.database, self.bench.domain, LATE), authority)
        return [one["detail"] for one in asked.get("findings")["findings"]]

    def imposed(self) -> int:
        """Return the number of orders imposed in Scotland."""
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
    assert orders.findings(B, LATE) == [("transfer_in_unmatched", "E/7")], (
        "A has not named B, so B learns nothing of A's order"
    )
    orders.tell(A, ASKED)
    assert orders.findings(B, LATE) == []
    orders.tell(B, FactWithdrawn(fact="order"), subject="E/7")
    assert orders.findings(A, LATE) == [("transfer_out_unmatched", "CPO/1")]


def test_an_order_that_two_received_is_shown_to_the_one_that_both_name(orders: Sender) -> None:
    orders.tell(A, IMPOSED, LEFT)
    orders.tell(B, IMPOSED, ARRIVED, subject="E/7")
    orders.tell("S12000049", IMPOSED, ARRIVED, subject="G/1")
    assert orders.imposed() == 1
    assert orders.findings(A, SOON) == [("transfer_out_twice", "CPO/1")]
    assert orders.findings(B, SOON) == orders.findings("S12000049", SOON) == []
    orders.tell(B, IMPOSED, ARRIVED, subject="E/8")
    assert orders.findings(B, SOON) == [("transfer_in_twice", "E/7"), ("transfer_in_twice", "E/8")]


def test_national_viewers_are_told_the_whole_matching_and_nobody_else(orders: Sender) -> None:
    orders.tell(A, IMPOSED, LEFT)
    orders.tell(B, IMPOSED, ARRIVED, subject="E/7")
    orders.tell("S12000049", IMPOSED, ARRIVED, subject="G/1")
    asked = client(orders.bench.database, orders.bench.domain, SOON)
    told = asked.get("/v1/transfers", headers=token(None, "national:inspect")).json()["authorities"]
    rules = {(one["authority"], finding["rule"]) for one in told for finding in one["findings"]}
    assert rules == {(A, "transfer_out_twice"), (B, "transfer_in_twice"), ("S12000049", "transfer_in_twice")}
    assert asked.get("/v1/transfers", headers=token(A, "orders:read")).status_code == 403
    assert asked.get("/v1/transfers").status_code == 401


def test_an_order_that_came_back_under_its_old_reference_counts_nowhere_and_is_found(orders: Sender) -> None:
    orders.tell(B, IMPOSED, ARRIVED, LEFT, subject="E/7")
    orders.tell(A, IMPOSED, LEFT, TransferReceived(received_on=date(2025, 5, 9), from_=B, from_subject="E/7"))
    assert orders.imposed() == 0
    assert orders.findings(A, SOON) == [("transfer_in_circle", "CPO/1")]
    assert orders.findings(B, SOON) == [("transfer_in_circle", "E/7")]


PERHAPS = "transfer_perhaps_counted_twice"


def test_both_sides_of_a_transfer_lost_but_the_request(orders: Sender) -> None:
    """Neither says that the order moved, so both count it; the same day and terms tell the one that was named, once it is time."""
    orders.tell(A, IMPOSED, ASKED)
    orders.tell(B, IMPOSED, subject="E/7")
    orders.tell(B, imposed(date(2025, 3, 3), hours=101), subject="E/8")
    orders.tell("S12000049", IMPOSED, subject="G/1")
    assert orders.imposed() == 4
    assert orders.findings(A, SOON) == orders.findings(B, SOON) == []
    assert orders.findings(A, LATE) == []
    assert orders.findings(B, LATE) == [(PERHAPS, "E/7")]
    assert orders.details(B) == [f"CPO/1 of {A} may be the same"]
    assert orders.findings("S12000049", LATE) == []


@pytest.mark.parametrize(
    ("authority", "subject", "fact"),
    [(B, "E/7", ARRIVED), (A, "CPO/1", TransferAnswered(ref="t1", answered_on=date(2025, 4, 30), accepted=False))],
)
def test_either_of_them_can_settle_it(orders: Sender, authority: str, subject: str, fact: Fact) -> None:
    orders.tell(A, IMPOSED, ASKED)
    orders.tell(B, IMPOSED, subject="E/7")
    orders.tell(authority, fact, subject=subject)
    assert PERHAPS not in {rule for rule, _ in orders.findings(A, LATE) + orders.findings(B, LATE)}


ANSWERED = TransferAnswered(ref="t1", answered_on=date(2025, 5, 6), accepted=True)


def test_many_transfers_with_losses_on_both_sides_and_none_counts_twice_unseen(orders: Sender) -> None:
    """On the real database, sixty orders of different days, each told in any order with half of it lost."""
    chance = random.Random(0)
    told: dict[int, dict[str, set[Fact]]] = {}
    events = []
    for number in range(60):
        begin = imposed(date(2025, 3, 1) + timedelta(days=number))
        arrived = TransferReceived(received_on=date(2025, 5, 6), from_=A, from_subject=f"CPO/{number}")
        sides: dict[str, list[Fact]] = {A: [begin, ASKED, ANSWERED, LEFT], B: [begin, arrived]}
        told[number] = {code: {one for one in facts if chance.random() < 0.5} for code, facts in sides.items()}
        events += [event(fact, f"CPO/{number}", code) for code, facts in told[number].items() for fact in facts]
    chance.shuffle(events)
    orders.send(*events)
    found = {code: set(orders.findings(code, LATE)) for code in (A, B)}
    twice = [number for number, sides in told.items() if _counts(sides[A]) and _counts(sides[B])]
    seen = [number for number in twice if told[number][A] & {ASKED, ANSWERED, LEFT}]
    assert 0 < len(seen) < len(twice) < orders.imposed()
    assert orders.imposed() == sum(_counts(facts) for sides in told.values() for facts in sides.values())
    for number in seen:
        rules = {(code, rule) for code in (A, B) for rule, subject in found[code] if subject == f"CPO/{number}"}
        assert rules & {(A, "transfer_out_unmatched"), (B, PERHAPS)}
        assert ((B, PERHAPS) in rules) == (ASKED in told[number][A])


def _counts(facts: set[Fact]) -> bool:
    kinds = {type(fact) for fact in facts}
    return OrderImposed in kinds and TransferReceived not in kinds


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
    """Return the events with numbers of a counter that runs over both topics of a source."""
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
