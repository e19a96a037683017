"""An order that moves between authorities counts once, whatever is lost, repeated or late: or it is found out."""

import random
from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from contracts.codec import Event
from contracts.codes import EndReason
from contracts.events import ContactMade, OrderEnded, TransferAnswered, TransferReceived, TransferRequested
from services.orders.domain import domain
from services.records.calendar import Calendar
from services.records.record import Record, apply
from services.records.summary import summary
from tests.support.lives import event, imposed

ORDERS = domain(Calendar("test", frozenset()))
A, B, C = "S12000005", "S12000036", "S12000049"
CHAIN = (A, B, C)
"""Authorities through which an order moves; it is called CPO/1 everywhere."""


def journey(stops: int) -> list[Event]:
    """All events of an order that moves on through so many authorities."""
    told = []
    for place, code in enumerate(CHAIN[:stops]):
        facts = [imposed(date(2025, 3, 3)), ContactMade(made_on=date(2025, 3, 4 + place))]
        if place:
            origin = CHAIN[place - 1]
            facts.append(TransferReceived(received_on=date(2025, 4 + place, 1), from_=origin, from_subject="CPO/1"))
        if place + 1 < stops:
            facts.append(TransferRequested(ref="t1", requested_on=date(2025, 4 + place, 1), to=CHAIN[place + 1]))
            facts.append(TransferAnswered(ref="t1", answered_on=date(2025, 4 + place, 3), accepted=True))
            facts.append(OrderEnded(ended_on=date(2025, 4 + place, 3), reason=EndReason.TRANSFERRED_OUT))
        else:
            facts.append(OrderEnded(ended_on=date(2025, 12, 1), reason=EndReason.COMPLETED))
        told += [event(fact, authority=code, number=number) for number, fact in enumerate(facts)]
    return told


def delivered(events: list[Event]) -> dict[str, Record]:
    records: dict[str, Record] = {code: {} for code in CHAIN}
    for one in events:
        apply(records[one.authority], one)
    return records


def cells(records: dict[str, Record]) -> Counter[tuple[str, date, str]]:
    total: Counter[tuple[str, date, str]] = Counter()
    for one in records.values():
        total.update(ORDERS.contributions(one))
    return total


def unmatched(records: dict[str, Record]) -> set[str]:
    """Authorities with a side of a transfer whose other side is not told; what `transfers.unmatched` asks of the database."""
    found = set()
    summaries = {code: summary(one, ORDERS.counted(one).parts) for code, one in records.items()}
    for code, one in summaries.items():
        arrived_at = {other.came_from for other in summaries.values()}
        if one.left_on is not None and f"{code}/CPO/1" not in arrived_at:
            found.add(code)
        if one.came_from is not None and summaries[one.came_from[:9]].left_on is None:
            found.add(code)
    return found


@given(st.integers(1, 3), st.randoms(use_true_random=False))
def test_all_told_it_counts_once(stops: int, chance: random.Random) -> None:
    events = journey(stops) * 2
    chance.shuffle(events)
    records = delivered(events)
    counted = cells(records)
    assert sum(n for (measure, _, category), n in counted.items() if (measure, category) == ("orders_imposed", "")) == 1
    assert sum(n for (measure, _, _), n in counted.items() if measure == "orders_opened") == stops
    assert sum(n for (measure, _, _), n in counted.items() if measure == "orders_closed") == stops
    assert unmatched(records) == set()


@given(st.integers(1, 3), st.randoms(use_true_random=False))
def test_whatever_is_lost_it_never_counts_twice_unseen(stops: int, chance: random.Random) -> None:
    """Only while `transfer.received` is missing can it count again; an origin that told of its leaving then sees that nobody took it."""
    events = [one for one in journey(stops) * 2 if chance.random() < 0.5]
    chance.shuffle(events)
    records = delivered(events)
    imposed_in = [
        code for code, one in records.items() if ORDERS.contributions(one).get(("orders_imposed", date(2025, 3, 1), ""))
    ]
    for code in imposed_in[1:]:
        origin = CHAIN[CHAIN.index(code) - 1]
        assert "transferred_in" not in records[code]
        left = {"ended", "transfer_answer/t1"} & records[origin].keys() and "imposed" in records[origin]
        assert not left or origin in unmatched(records)
