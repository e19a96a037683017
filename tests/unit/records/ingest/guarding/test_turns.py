"""One turn of an authority holds no more facts of large orders than others can wait for, and never nothing."""

from collections.abc import Sequence
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.codes import EndReason
from contracts.decoding.codec import Event
from contracts.events import ContactMade, OrderEnded, Topic
from contracts.rejections import Reason, Rejection
from services.records.ingest.guarding.turns import FACTS_AT_ONCE, FEW, STAY, Look, left_of, looks, surely_fit, weight
from services.records.model.fold import Arrival
from services.records.model.limit import MOST_FACTS
from services.records.model.people import MOST_STAYS
from services.records.model.summary import LIGHT
from tests.support.lives import event, imposed
from tests.support.scenario import Sent

DAY = date(2026, 1, 5)
SUBJECTS = [f"CPO/{number}" for number in range(40)]


def arrivals(told: Sequence[tuple[Topic, str, int]]) -> list[Arrival]:
    """Return what arrived: topic, order and time, each topic by itself and in the order of its offsets."""
    return [
        Arrival(topic, Sent(offset, b"", time), DAY, event(ContactMade(made_on=DAY), subject))
        for topic in Topic
        for offset, (_, subject, time) in enumerate(one for one in told if one[0] is topic)
    ]


TOLD = st.lists(
    st.tuples(st.sampled_from(Topic), st.sampled_from(SUBJECTS), st.integers(0, 1000)), min_size=1, max_size=60
)


@given(told=TOLD, weights=st.dictionaries(st.sampled_from(SUBJECTS), st.integers(0, 30 * MOST_FACTS), min_size=10))
def test_it_begins_with_the_first_and_holds_what_fits(
    told: list[tuple[Topic, str, int]], weights: dict[str, int]
) -> None:
    arrived = arrivals(told)
    left = left_of(arrived, weights)
    taken = [one for one in arrived if one.message.offset < left.get(one.topic, len(told))]
    assert taken
    subjects = {one.content.subject for one in taken if isinstance(one.content, Event)}
    facts = sum(weights.get(subject, 0) for subject in subjects)
    assert facts <= FACTS_AT_ONCE
    assert left == {} or sum(weights.values()) > FACTS_AT_ONCE


def test_of_orders_that_are_all_large_as_many_are_taken_as_fit_from_both_topics() -> None:
    told = [(topic, f"{topic}/{number}", number) for topic in Topic for number in range(100)]
    left = left_of(arrivals(told), {subject: 2 * MOST_FACTS for _, subject, _ in told})
    assert sum(left.values()) == FEW
    assert abs(left[Topic.ORDERS] - left[Topic.UNPAID_WORK]) <= 1, "neither is read ahead of the other"


def test_one_order_is_taken_however_large_it_is() -> None:
    told = [(Topic.ORDERS, "CPO/1", 1), (Topic.ORDERS, "CPO/2", 2)]
    assert left_of(arrivals(told), {"CPO/1": 10 * FACTS_AT_ONCE}) == {}
    assert left_of(arrivals(told), dict.fromkeys(("CPO/1", "CPO/2"), 10 * FACTS_AT_ONCE)) == {Topic.ORDERS: 1}


def test_an_order_weighs_once_however_many_of_its_events_come() -> None:
    told = [(Topic.ORDERS, "CPO/1", 1), (Topic.ORDERS, "CPO/1", 2), (Topic.ORDERS, "CPO/2", 3)]
    assert left_of(arrivals(told), {"CPO/1": FACTS_AT_ONCE, "CPO/2": 1}) == {Topic.ORDERS: 2}, "not one fact more fits"


def test_what_was_refused_weighs_nothing() -> None:
    refused = Rejection(Reason.NOT_JSON, "$", "no JSON")
    first, second = arrivals([(Topic.ORDERS, "CPO/1", 1), (Topic.ORDERS, "CPO/2", 3)])
    arrived = [
        first,
        Arrival(Topic.ORDERS, Sent(1, b"", 2), DAY, refused),
        second._replace(message=Sent(2, b"", 3)),
    ]
    assert left_of(arrived, dict.fromkeys(("CPO/1", "CPO/2"), FACTS_AT_ONCE)) == {Topic.ORDERS: 2}


def test_usual_orders_weigh_nothing() -> None:
    assert weight(LIGHT) == 0
    assert weight(LIGHT + 1) == LIGHT + 1


KEYS = frozenset({"imposed", "ended"})
ENDED = OrderEnded(ended_on=DAY, reason=EndReason.COMPLETED)
FILLS = FACTS_AT_ONCE // STAY
"""So many orders of one person fill a turn."""


def of_people(*told: tuple[str, str, date]) -> list[Arrival]:
    """Return orders of people, each of whom an order names, as they arrived on a day."""
    return [
        Arrival(Topic.ORDERS, Sent(n, b"", n), day, event(replace(imposed(DAY), person_ref=person), subject))
        for n, (subject, person, day) in enumerate(told)
    ]


def test_orders_of_people_weigh_with_the_facts_of_orders() -> None:
    arrived = of_people(("CPO/1", "A", DAY), ("CPO/2", "B", DAY), ("CPO/3", "C", DAY))
    looked = looks(arrived, KEYS, {})
    assert left_of(arrived, {}, looked, {"A": FILLS // 2, "B": FILLS // 2}) == {}
    assert left_of(arrived, {}, looked, {"A": FILLS // 2, "B": FILLS // 2, "C": 2}) == {Topic.ORDERS: 2}
    assert left_of(arrived, {"CPO/1": 10}, looked, {"A": FILLS // 2, "B": FILLS // 2}) == {Topic.ORDERS: 1}
    assert left_of(arrived, {}, looked, {"A": 10 * FILLS}) == {}, "the first fits in any case"


def test_a_person_weighs_once_a_day_however_many_orders_change() -> None:
    arrived = of_people(("CPO/1", "A", DAY), ("CPO/2", "A", DAY), ("CPO/3", "A", DAY + timedelta(days=1)))
    assert left_of(arrived, {}, looks(arrived, KEYS, {}), {"A": FILLS}) == {Topic.ORDERS: 2}


def test_an_event_has_those_looked_at_whose_order_it_is_and_was() -> None:
    moved = of_people(("CPO/1", "B", DAY))
    ended = Arrival(Topic.ORDERS, Sent(1, b"", 1), DAY, event(ENDED))
    other = Arrival(Topic.ORDERS, Sent(2, b"", 2), DAY, event(ContactMade(made_on=DAY)))
    both = [Look(DAY, "A"), Look(DAY, "B")]
    found = looks([*moved, ended, other], KEYS, {"CPO/1": "A"})
    assert found == {(Topic.ORDERS, 0): both, (Topic.ORDERS, 1): both}
    assert looks([ended, other], KEYS, {}) == {(Topic.ORDERS, 1): []}, "of whom nobody knows"


def test_so_few_people_fit_that_nobody_counts_their_orders() -> None:
    fit = FACTS_AT_ONCE // (STAY * (MOST_STAYS + 1))
    assert surely_fit(fit, {})
    assert not surely_fit(fit + 1, {})
    assert not surely_fit(fit, {"CPO/1": STAY * (MOST_STAYS + 1)})
