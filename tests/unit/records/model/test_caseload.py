"""Who works with an order: what the latest event says that says so, whatever came first."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.decoding.codec import Event, decode, encode
from contracts.events import ContactMade, Fact, PlanAgreed, Topic
from contracts.rejections import Rejection
from services.records.model.record import Outcome, Record, apply, caseload_of, dump, load
from tests.support.lives import event

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Told(NamedTuple):
    """One event of the same order."""

    fact: Fact
    hour: int
    caseload: str | None

    def event(self) -> Event:
        one = event(self.fact, number=self.hour, recorded=NOON + timedelta(hours=self.hour))
        return msgspec.structs.replace(one, caseload=self.caseload)


FACTS = st.sampled_from([ContactMade(made_on=date(2026, 1, 1)), PlanAgreed(agreed_on=date(2026, 1, 1))])
TOLD = st.builds(Told, FACTS, st.integers(0, 3), st.sampled_from([None, "team-1", "team-2"]))


def of(told: list[Told]) -> Record:
    record: Record = {}
    for one in told:
        apply(record, one.event())
    return record


@given(st.lists(TOLD, max_size=4))
def test_any_order_of_arrival_gives_the_same(told: list[Told]) -> None:
    found = [of(list(order)) for order in permutations(told)]
    assert all(one == found[0] for one in found)
    assert {caseload_of(one) for one in found} == {caseload_of(load(dump(found[0])))}


def test_the_latest_that_says_so_holds() -> None:
    contact, plan = ContactMade(made_on=date(2026, 1, 1)), PlanAgreed(agreed_on=date(2026, 1, 1))
    assert caseload_of(of([Told(plan, 2, "team-2"), Told(contact, 1, "team-1"), Told(plan, 0, "team-3")])) == "team-2"
    assert caseload_of(of([Told(plan, 2, None), Told(contact, 1, "team-1")])) == "team-1"
    assert caseload_of(of([Told(plan, 2, "team-2"), Told(plan, 3, None), Told(contact, 1, "team-1")])) == "team-1"
    assert caseload_of(of([Told(plan, 2, None)])) == ""


def test_the_same_event_with_another_caseload_is_no_duplicate() -> None:
    contact = ContactMade(made_on=date(2026, 1, 1))
    record = of([Told(contact, 1, "team-1")])
    assert apply(record, Told(contact, 1, "team-1").event()) is Outcome.DUPLICATE
    assert apply(record, Told(contact, 1, "team-2").event()) is Outcome.APPLIED


@pytest.mark.parametrize("caseload", ["Smith", "Ann-Marie", "team 3", "", "x" * 20 + "1", "équipe-1"])
def test_no_name_passes(caseload: str) -> None:
    sent = msgspec.json.decode(encode(Told(ContactMade(made_on=date(2026, 1, 1)), 1, None).event()))
    answer = decode(msgspec.json.encode(sent | {"caseload": caseload}), Topic.ORDERS, "S12000005", NOON)
    assert isinstance(answer, Rejection)
    assert answer.path == "$.caseload"
