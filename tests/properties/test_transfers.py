"""An order that moves between authorities counts once, whatever is lost, repeated or late: or it is found out."""

import random
from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from contracts.codes import EndReason, LateReason
from contracts.decoding.codec import Event
from contracts.events import ContactMade, OrderEnded, TransferAnswered, TransferReceived, TransferRequested
from services.orders.domain import domain
from services.orders.findings import findings
from services.records.ingest.sequences.sequence import Numbers, receive
from services.records.model.calendar import Calendar
from services.records.model.record import Record, apply, facts
from services.records.model.summary import Summary, summary
from tests.support.lives import event, imposed

ORDERS = domain(Calendar("test", frozenset()))
A, B, C = "S12000005", "S12000036", "S12000049"
CHAIN = (A, B, C)
"""Authorities through which an order moves; it is called CPO/1 everywhere."""


def journey(stops: int) -> list[Event]:
    """Return all events of an order that moves on through so many authorities."""
    told = []
    for place, code in enumerate(CHAIN[:stops]):
        reason = LateReason.TRANSFERRED_IN if place else None
        stated = [imposed(date(2025, 3, 3)), ContactMade(made_on=date(2025, 3, 4 + place), late_reason=reason)]
        if place:
            origin = CHAIN[place - 1]
            stated.append(TransferReceived(received_on=date(2025, 4 + place, 1), from_=origin, from_subject="CPO/1"))
        if place + 1 < stops:
            stated.append(TransferRequested(ref="t1", requested_on=date(2025, 4 + place, 1), to=CHAIN[place + 1]))
            stated.append(TransferAnswered(ref="t1", answered_on=date(2025, 4 + place, 3), accepted=True))
            stated.append(OrderEnded(ended_on=date(2025, 4 + place, 3), reason=EndReason.TRANSFERRED_OUT))
        else:
            stated.append(OrderEnded(ended_on=date(2025, 12, 1), reason=EndReason.COMPLETED))
        told += [event(fact, authority=code, number=number) for number, fact in enumerate(stated)]
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


def found_out(records: dict[str, Record]) -> set[tuple[str, str]]:
    """Return authority and rule of all findings: those that `transfers.UNMATCHED` asks of the database, here of summaries, and those of
    one record.
    """
    summaries = {code: summary(ORDERS.counted(one)) for code, one in records.items()}
    found = {(code, finding.rule.code) for code, one in records.items() for finding in findings(one)}
    taken = {one.came_from for one in summaries.values()}
    for code, one in summaries.items():
        if one.left_on is not None and f"{code}/CPO/1" not in taken:
            found.add((code, "transfer_out_unmatched"))
        if one.came_from is not None and not told_of(records[one.came_from[:9]], summaries[one.came_from[:9]], code):
            found.add((code, "transfer_in_unmatched"))
        if one.asked_of is not None and f"{code}/CPO/1" not in taken:
            there = summaries[one.asked_of]
            if there.imposed_on is not None and there.came_from is None:
                found.add((one.asked_of, "transfer_perhaps_counted_twice"))
    return found


def told_of(record: Record, one: Summary, taker: str) -> bool:
    """Return whether the origin says that the order left, and has named the authority that took it."""
    return one.left_on is not None and any(request.to == taker for request in facts(record, TransferRequested))


def counting(records: dict[str, Record]) -> list[str]:
    """Return the authorities that count the order as imposed."""
    cell = ("orders_imposed", date(2025, 3, 1), "")
    return [code for code, one in records.items() if ORDERS.contributions(one).get(cell)]


def gaps(came: list[Event]) -> dict[str, int]:
    """Return how many numbers each authority's counter shows to be missing, once its next heartbeat has come."""
    missing = {}
    for place, code in enumerate(CHAIN):
        sent = [one for one in journey(len(CHAIN)) if one.authority == code]
        numbers = [(int(one.id) + 1, date(2025, 3, 1)) for one in came if one.authority == code]
        change = receive(Numbers(), [*numbers, (len(sent) + 1, date(2025, 12, 1))])
        missing[CHAIN[place]] = sum(n for (_, what), n in change.items() if what == "missing")
    return missing


@given(st.integers(1, 3), st.randoms(use_true_random=False))
def test_all_told_it_counts_once(stops: int, chance: random.Random) -> None:
    events = journey(stops) * 2
    chance.shuffle(events)
    records = delivered(events)
    counted = cells(records)
    assert counting(records) == [A]
    assert sum(n for (measure, _, _), n in counted.items() if measure == "orders_opened") == stops
    assert sum(n for (measure, _, _), n in counted.items() if measure == "orders_closed") == stops
    assert found_out(records) == set()


PARTS = st.lists(st.sampled_from(range(len(journey(3)))), unique=True)
"""Which events come at all."""


@given(PARTS, st.randoms(use_true_random=False))
def test_whatever_is_lost_on_either_side_it_never_counts_twice_unseen(came: list[int], chance: random.Random) -> None:
    """A pair counts twice only while `transfer.received` is missing. Then one of these tells, whichever else is lost:
    the origin (it told of leaving, or of asking), the other one (a reason says so), or the counter of a source."""
    whole = journey(3)
    told = [whole[number] for number in came]
    events = told + [one for one in told if chance.random() < 0.5]
    chance.shuffle(events)
    records = delivered(events)
    found = found_out(records)
    for code in counting(records)[1:]:
        origin = CHAIN[CHAIN.index(code) - 1]
        assert "transferred_in" not in records[code]
        assert gaps(told)[code]
        if "imposed" not in records[origin]:
            assert not records[origin] or (origin, "facts_without_order") in found
            continue
        if {"ended", "transfer_answer/t1"} & records[origin].keys():
            assert (origin, "transfer_out_unmatched") in found
        if "transfer/t1" in records[origin]:
            assert (code, "transfer_perhaps_counted_twice") in found
        if "first_contact" in records[code]:
            assert (code, "transferred_in_not_told") in found


@given(PARTS, st.randoms(use_true_random=False))
def test_what_was_late_heals_everything(came: list[int], chance: random.Random) -> None:
    whole = journey(3)
    events = [whole[number] for number in came]
    late = [one for number, one in enumerate(whole) if number not in came]
    chance.shuffle(late)
    records = delivered(events + late)
    assert counting(records) == [A]
    assert found_out(records) == set()
