"""Of everybody who waits, cells, worklists and the pages of orders say the same, and so does the pretend nation's own truth."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from itertools import islice
from typing import NamedTuple

import pytest

from contracts.topics import kind_of_topic
from services.chassis.streaming.batches import Slice
from services.simulate.nation import Simulation
from services.simulate.telling.sending import Delivery
from tests.integration.records.conftest import Bench
from tests.support.desk import ManagersView, client
from tests.support.scenario import Sent

AUTHORITIES = ("S12000023", "S12000030", "S12000047")
"""A small one, one of some size, and a large one."""
END = date(2026, 6, 1)
TODAY = f"{END}"
FOUR_MONTHS = 250
BANDED = ("first_contact", "case_meeting", "plan", "induction", "placement")
STANDARDS = {*BANDED, "review", "completion"}


class Nation(NamedTuple):
    """The events of a nation, and the cells that must come of them."""

    benches: list[Bench]
    truth: dict[str, int]
    dated_before: dict[str, int]
    outcomes: dict[str, int]

    def cells(self) -> dict[str, int]:
        return {key: value for one in self.benches for key, value in one.cells().items()}

    def views(self) -> Iterator[tuple[str, ManagersView]]:
        for one in self.benches:
            asked = client(one.database, one.domain, TODAY)
            yield from ((code, ManagersView(asked, code)) for code in AUTHORITIES)


@pytest.fixture(scope="module")
def nation(migrated: Callable[[], str]) -> Iterator[Nation]:
    url = migrated()
    benches = [Bench(url, "orders"), Bench(url, "unpaid_work")]
    simulation = Simulation(3, months=14, end=END, authorities=AUTHORITIES)
    workers = [(one.domain.kinds, one.worker()) for one in benches]
    offsets: Counter[str] = Counter()
    told = simulation.deliveries()
    while deliveries := list(islice(told, 20_000)):
        slices = list(_slices(deliveries, offsets))
        for kinds, worker in workers:
            worker.process([piece for piece in slices if kind_of_topic(piece.topic) in kinds])
    truth = simulation.truth()
    yield Nation(benches, truth["cells"], truth["findings"], truth["outcomes"])
    for one in benches:
        one.database.dispose()


def _slices(deliveries: list[Delivery], offsets: Counter[str]) -> Iterator[Slice]:
    messages: defaultdict[str, list[Sent]] = defaultdict(list)
    for delivery in deliveries:
        messages[delivery.topic].append(Sent(offsets[delivery.topic], delivery.value, delivery.arrived, delivery.key))
        offsets[delivery.topic] += 1
    return (Slice(topic, 0, found) for topic, found in messages.items())


def _dimension(key: str) -> tuple[str, str]:
    measure, _, _, category = key.split("|")
    return measure, category.partition("=")[0]


def test_the_workers_count_what_the_truth_says(nation: Nation) -> None:
    told_of = {_dimension(key) for key in nation.truth}
    assert {measure for measure, _ in told_of} >= {"persons_opened", "persons_closed", "persons_with_new_order_in_year"}
    assert {(standard, "missed") for standard in (*BANDED, "reviews")} <= told_of
    assert {key: n for key, n in nation.cells().items() if _dimension(key) in told_of} == nation.truth


def test_oddities_are_found_as_often_as_they_were_told(nation: Nation) -> None:
    """Dates before the sentence, and numbers used twice, of whose two bearers either may come first."""
    cells = nation.cells()
    before = {key: n for key, n in cells.items() if key.endswith("rule=fact_before_imposition")}
    assert before == nation.dated_before != {}
    reused = Counter[str]()
    for key, number in cells.items():
        measure, code, _, category = key.split("|")
        if (measure, category) == ("sequence", "reused"):
            reused[f"reused.{code}"] += number
    assert reused == {key: n for key, n in nation.outcomes.items() if key.startswith("reused.")} != {}


def test_overdue_cells_worklists_and_orders_say_the_same(nation: Nation) -> None:
    """All cells and worklists, and the page of each fifth order of those on a worklist."""
    cells, listed = Counter[str](), Counter[str]()
    for key, number in nation.cells().items():
        measure, code, due, _ = key.split("|")
        if measure.startswith("pending_") and due < TODAY:
            cells[f"{code} {measure.removeprefix('pending_')}"] += number
    worklists: list[tuple[str, ManagersView, dict[str, list[str]]]] = []
    for code, asked in nation.views():
        overdue: defaultdict[str, list[str]] = defaultdict(list)
        for item in asked.pages("worklist", "items", within=0, limit=500):
            overdue[item["subject"]] += [item["standard"]] if item["state"] == "overdue" else []
        listed.update(f"{code} {standard}" for found in overdue.values() for standard in found)
        worklists.append((code, asked, overdue))
    assert cells == listed
    for code, asked, listed_of in worklists:
        subjects = {subject for at, _, found in worklists if at == code for subject in found}
        for subject in sorted(subjects)[::5]:
            shown = [clock["standard"] for clock in _clocks(asked, subject) if clock["state"] == "overdue"]
            assert sorted(shown) == sorted(listed_of.get(subject, []))
    assert {key.partition(" ")[2] for key in cells} >= STANDARDS


def _clocks(asked: ManagersView, subject: str) -> list[dict[str, str]]:
    for page in ("orders", "ledgers"):
        answer = asked.ask(f"{page}/{subject}")
        if answer.status_code == 200 and "clocks" in answer.json():
            found: list[dict[str, str]] = answer.json()["clocks"]
            return found
    raise AssertionError(subject)


def test_nothing_of_an_order_that_ended_waits_for_ever(nation: Nation) -> None:
    """It was missed, which is said on its page and counted, or it did not apply."""
    missed = 0
    for code, asked in nation.views():
        if asked.ask("orders").status_code != 200:
            continue
        for row in asked.pages("orders", "orders", open="false", limit=500):
            assert row["overdue"] == []
            assert row["next_due_on"] is None
            if code == AUTHORITIES[0]:
                states = {clock["state"] for clock in _clocks(asked, row["subject"])}
                assert not states & {"due", "overdue"}
                missed += "missed" in states
    assert missed


def test_duties_of_orders_from_elsewhere_stand_on_the_worklist(nation: Nation) -> None:
    found = Counter[str]()
    for _, asked in nation.views():
        for item in asked.pages("worklist", "items", within=FOUR_MONTHS, limit=500):
            if item["subject"].startswith("CPO/IN-"):
                found[item["standard"]] += 1
    assert found.keys() >= {"plan", "review", "completion"}
    assert not found.keys() & {"first_contact", "case_meeting", "induction", "placement"}
