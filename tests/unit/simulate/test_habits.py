"""Authorities that never send, are always refused, or have a clock that is ahead: and a truth that knows it."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.authorities import AUTHORITIES
from contracts.decoding.codec import Event, decode
from contracts.rejections import Rejection
from contracts.topics import authority_of, kind_of_topic
from services.simulate.habits import SKEW_HOURS, Habit, odd_habits
from services.simulate.nation import Simulation
from services.simulate.telling.sending import Delivery
from services.simulate.truth import Truth
from tests.unit.simulate.folding import lives_of

USUAL, SILENT, REFUSED, AHEAD = "S12000047", "S12000023", "S12000036", "S12000020"
HABITS = {SILENT: Habit.SILENT, REFUSED: Habit.REFUSED_ONLY, AHEAD: Habit.AHEAD}
END = date(2026, 6, 1)
Read = list[tuple[Delivery, Event | Rejection]]


@pytest.fixture(scope="module")
def told() -> tuple[Read, dict[str, dict[str, int]]]:
    simulation = Simulation(3, 6, END, (USUAL, SILENT, REFUSED, AHEAD), HABITS)
    read: Read = [(d, _decoded(d)) for d in simulation.deliveries()]
    return read, simulation.truth()


def _decoded(d: Delivery) -> Event | Rejection:
    return decode(d.value, kind_of_topic(d.topic), authority_of(d.topic), d.arrived_at)


def test_who_is_silent_sends_nothing_and_counts_nowhere(told: tuple[Read, dict[str, dict[str, int]]]) -> None:
    read, truth = told
    assert {authority_of(d.topic) for d, _ in read} == {USUAL, REFUSED, AHEAD}
    assert not [key for key in truth["cells"] if SILENT in key]
    assert set(truth["heard"]) == {USUAL, AHEAD}


def test_who_is_always_refused_counts_in_refusals_only(told: tuple[Read, dict[str, dict[str, int]]]) -> None:
    read, truth = told
    refused = [found for d, found in read if authority_of(d.topic) == REFUSED]
    assert len(refused) > 100
    assert all(isinstance(found, Rejection) for found in refused)
    assert not [key for key in truth["cells"] if REFUSED in key]
    counted = sum(n for key, n in truth["outcomes"].items() if key.startswith("rejected.") and key.endswith(REFUSED))
    assert counted == len(refused)


def test_a_clock_that_is_ahead_is_less_than_a_day_so_and_changes_no_figure(
    told: tuple[Read, dict[str, dict[str, int]]],
) -> None:
    read, truth = told
    ahead = [
        event.time - datetime.fromtimestamp(d.arrived / 1000, UTC)
        for d, event in read
        if isinstance(event, Event) and event.authority == AHEAD
    ]
    assert timedelta() < max(ahead) <= timedelta(hours=SKEW_HOURS)
    plain = Simulation(3, 6, END, (USUAL, SILENT, REFUSED, AHEAD))
    list(plain.deliveries())
    found = {key: n for key, n in plain.truth()["cells"].items() if f"|{AHEAD}|" in key}
    assert {key: n for key, n in truth["cells"].items() if f"|{AHEAD}|" in key} == found


def test_the_final_facts_give_the_truth(told: tuple[Read, dict[str, dict[str, int]]]) -> None:
    read, truth = told
    events = [event for _, event in read if isinstance(event, Event)]
    counted = Truth()
    for (authority, _), life in lives_of(e for e in events if e.subject != "-").items():
        counted.count(authority, life)
    assert counted.nonzero() == truth["cells"]
    assert Counter(event.authority for event in events) == truth["heard"]


def test_each_odd_habit_has_somebody() -> None:
    for seed in range(20):
        assert sorted(h.name for h in odd_habits(seed, AUTHORITIES).values()) == ["AHEAD", "REFUSED_ONLY", "SILENT"]
    assert odd_habits(1, ["S12000005"]) == {"S12000005": Habit.SILENT}
