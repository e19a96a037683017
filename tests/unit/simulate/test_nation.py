"""Events of the pretend authorities, read back through the contract."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from operator import attrgetter

import pytest

from contracts.decoding.codec import Event, decode
from contracts.events import FACTS, OrderImposed
from contracts.rejections import OF_ORDERS, Reason, Rejection
from contracts.topics import authority_of, kind_of_topic
from services.chassis.clock import FixedClock
from services.simulate.nation import Simulation
from services.simulate.telling.sending import Delivery
from services.simulate.truth import Truth
from tests.unit.simulate.folding import lives_of

SOME = ("S12000047", "S12000036", "S12000020", "S12000023", "S12000049")
END = date(2026, 6, 1)


@dataclass
class Heard:
    deliveries: list[Delivery]
    read: list[Event | Rejection]
    truth: dict[str, dict[str, int]]

    @property
    def events(self) -> list[Event]:
        return [item for item in self.read if isinstance(item, Event)]

    @property
    def rejections(self) -> list[Rejection]:
        return [item for item in self.read if isinstance(item, Rejection)]


@pytest.fixture(scope="module")
def heard() -> Heard:
    simulation = Simulation(seed=3, months=10, end=END, authorities=SOME)
    deliveries = list(simulation.deliveries())
    read = [decode(d.value, kind_of_topic(d.topic), authority_of(d.topic), d.arrived_at) for d in deliveries]
    return Heard(deliveries, read, simulation.truth())


def test_the_final_facts_of_the_stream_give_the_truth(heard: Heard) -> None:
    truth = Truth()
    for (authority, _), life in lives_of(e for e in heard.events if e.subject != "-").items():
        truth.count(authority, life)
    assert truth.nonzero() == heard.truth["cells"]


def test_every_type_of_event_occurs(heard: Heard) -> None:
    assert {event.type for event in heard.events} == {f"{name}.v1" for name in FACTS}


def test_every_reason_to_refuse_occurs_and_is_counted(heard: Heard) -> None:
    reasons = Counter(str(rejection.reason) for rejection in heard.rejections)
    counted = {
        key.removeprefix("reason."): n for key, n in heard.truth["outcomes"].items() if key.startswith("reason.")
    }
    assert reasons == counted
    assert set(reasons) >= set(Reason) - {Reason.TOO_LARGE} - OF_ORDERS


def test_outcomes_add_up_to_the_lines(heard: Heard) -> None:
    outcomes = heard.truth["outcomes"]
    assert outcomes["lines"] == len(heard.deliveries)
    assert outcomes["rejected"] == len(heard.rejections)
    assert outcomes["valid"] == outcomes["applied"] + outcomes["superseded"] + outcomes["duplicate"]


def test_repeats_and_late_records_are_counted_as_such(heard: Heard) -> None:
    found: Counter[str] = Counter()
    newest: dict[tuple[str, str, str], tuple[object, str]] = {}
    seen: set[tuple[str, str]] = set()
    for event in heard.events:
        fact, version = (event.authority, event.subject, event.data.key), (event.time, event.id)
        again = (event.authority, event.id) in seen
        found["duplicate" if again else "superseded" if newest.get(fact, version) > version else "applied"] += 1
        newest[fact] = max(newest.get(fact, version), version)
        seen.add((event.authority, event.id))
    assert found == {outcome: heard.truth["outcomes"][outcome] for outcome in ("applied", "superseded", "duplicate")}


def test_deliveries_come_in_order_over_all_the_months(heard: Heard) -> None:
    arrivals = [delivery.arrived for delivery in heard.deliveries]
    assert arrivals == sorted(arrivals)
    days = Counter(arrived // 86_400_000 for arrived in arrivals)
    assert len(days) > 300
    assert max(days.values()) < len(arrivals) / 20


def test_the_key_is_the_order_reference(heard: Heard) -> None:
    pairs = zip(heard.deliveries, heard.read, strict=True)
    assert all(d.key.decode() == item.subject for d, item in pairs if isinstance(item, Event))


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, again, other = (list(Simulation(seed, 2, END, ("S12000020",)).deliveries()) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_one_authority_alone_says_what_it_says_among_others(heard: Heard) -> None:
    alone = list(Simulation(seed=3, months=10, end=END).of("S12000020"))
    assert alone == [delivery for delivery in heard.deliveries if authority_of(delivery.topic) == "S12000020"]


def test_transfers_are_told_by_both_authorities(heard: Heard) -> None:
    lives = lives_of(heard.events)
    arrived = [
        (life["transferred_in"].from_, life["transferred_in"].from_subject)  # type: ignore[attr-defined]
        for life in lives.values()
        if "transferred_in" in life
    ]
    told = [lives[origin] for origin in arrived if origin in lives]
    assert told
    assert all(life["transfer/t1"].NAME == "transfer.requested" for life in told if "transfer/t1" in life)
    assert {str(life["ended"].reason) for life in told if "ended" in life} == {"transferred_out"}  # type: ignore[attr-defined]


def test_sources_have_systems_numbers_and_retired_codes(heard: Heard) -> None:
    values = [delivery.value for delivery in heard.deliveries]
    assert any(b"/authorities/S12000046" in value for value in values)
    assert any(b"/systems/unpaid-work" in value for value in values)
    assert any(event.producer_version for event in heard.events)
    numbers: dict[tuple[str, str | None], set[int]] = {}
    for event in heard.events:
        if event.sequence is not None:
            numbers.setdefault((event.authority, event.system), set()).add(event.sequence)
    assert numbers
    for found in numbers.values():
        assert min(found) == 1
        assert len(found) > 0.99 * max(found)


def test_live_goes_on_where_the_history_stopped() -> None:
    simulation = Simulation(seed=3, months=2, end=END, authorities=SOME)
    told = {(d.topic, d.value) for d in simulation.deliveries()}
    clock, pauses = FixedClock(datetime(2026, 6, 1, 9, 30, tzinfo=UTC)), []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock.move(timedelta(seconds=seconds))

    live = list(islice(simulation.live(clock, per_second=4, sleep=sleep), 600))
    assert set(pauses) == {0.25}
    assert live[-1].arrived - live[0].arrived == 599 * 250
    repeats = sum((d.topic, d.value) in told for d in live)
    assert repeats < 0.1 * len(live)
    read = [decode(d.value, kind_of_topic(d.topic), authority_of(d.topic), d.arrived_at) for d in live]
    events = [(d, event) for d, event in zip(live, read, strict=True) if isinstance(event, Event)]
    assert all(event.time.timestamp() * 1000 <= d.arrived for d, event in events)
    imposed = [event for _, event in events if isinstance(event.data, OrderImposed)]
    assert len(imposed) > 50
    assert len({event.subject for event in imposed}) == len(imposed)


def test_one_authority_after_the_other_says_the_same_in_each_topic() -> None:
    codes = ("S12000020", "S12000023")
    together, apart = Simulation(5, 2, END, codes), Simulation(5, 2, END, codes)
    days, whole = list(together.deliveries()), list(apart.one_by_one())
    assert [d.topic[-9:] for d in whole] == sorted(d.topic[-9:] for d in whole) != [d.topic[-9:] for d in days]
    assert sorted(days, key=attrgetter("topic")) == sorted(whole, key=attrgetter("topic"))
    assert together.truth() == apart.truth()
