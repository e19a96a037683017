"""Two ways to the same cells: the services' own counting of the events, and the truth, which knows the lives of the orders."""

from collections import Counter, defaultdict
from datetime import date

import pytest

from contracts.decoding.codec import Event, decode
from contracts.events import AUTHORITY_SUBJECT, Topic
from contracts.topics import authority_of, kind_of_topic
from services.orders.contributions import COUNTING as ORDERS
from services.records.model.bank_holidays import scotland
from services.records.model.record import Record, apply
from services.simulate.habits import Habit, odd_habits
from services.simulate.nation import Simulation
from services.unpaid_work.contributions import COUNTING as UNPAID_WORK
from tests.support.generated.thorough import TURN, turns

NOT_OF_ONE_RECORD = "persons_"


class Platform:
    """The records of both services, folded from events, and what became of each event."""

    def __init__(self) -> None:
        self.orders: defaultdict[tuple[str, str], Record] = defaultdict(dict)
        self.unpaid_work: defaultdict[tuple[str, str], Record] = defaultdict(dict)
        self.outcomes: Counter[str] = Counter()

    def hear(self, event: Event, topic: Topic) -> None:
        key = event.authority, event.subject
        outcome = apply(self.unpaid_work[key], event)
        if topic is Topic.ORDERS:
            outcome = apply(self.orders[key], event)
        self.outcomes[outcome] += 1

    def cells(self) -> dict[str, int]:
        calendar, total = scotland(), Counter[str]()
        for records, counting in ((self.orders, ORDERS), (self.unpaid_work, UNPAID_WORK)):
            for (authority, subject), record in records.items():
                if subject != AUTHORITY_SUBJECT:
                    for (measure, period, category), value in counting.contributions(record, calendar).items():
                        total[f"{measure}|{authority}|{period}|{category}"] += value
        return {key: value for key, value in total.items() if value}


CODES = ("S12000049", "S12000033", "S12000023", "S12000047")


@pytest.mark.parametrize(("seed", "habits"), [(1, {}), (2, odd_habits(2, CODES))])
def test_the_services_count_what_the_truth_says(seed: int, habits: dict[str, Habit]) -> None:
    """Two authorities have the usual habits and the other two odd ones, and the other way round tomorrow."""
    codes = tuple(turns(CODES, TURN + seed, some=2))
    compare(Simulation(seed, 14, date(2026, 6, 1), codes, {one: each for one, each in habits.items() if one in codes}))


def test_they_do_so_in_eight_months_of_one_authority() -> None:
    """Less of the nation takes less time, for whoever tries many changes to the rules."""
    compare(Simulation(1, 8, date(2026, 6, 1), ("S12000033",), {}))


def compare(simulation: Simulation) -> None:
    platform = Platform()
    for delivery in simulation.deliveries():
        topic = kind_of_topic(delivery.topic)
        event = decode(delivery.value, topic, authority_of(delivery.topic), delivery.arrived_at)
        if isinstance(event, Event):
            platform.hear(event, topic)
    truth = simulation.truth()
    expected = {key: n for key, n in truth["cells"].items() if not key.startswith(NOT_OF_ONE_RECORD)}
    told_of = {_dimension(key) for key in expected}
    cells = platform.cells()
    assert {key: n for key, n in cells.items() if _dimension(key) in told_of} == expected
    before = {key: n for key, n in cells.items() if key.endswith("rule=fact_before_imposition")}
    assert before == truth["findings"]
    assert {authority for authority, _ in platform.orders} == set(truth["heard"])
    assert platform.outcomes == Counter(
        {name: truth["outcomes"].get(name, 0) for name in ("applied", "superseded", "duplicate")}
    )


def _dimension(key: str) -> tuple[str, str]:
    measure, _, _, category = key.split("|")
    return measure, category.partition("=")[0]
