"""People count once, however many orders they have and in whatever order these come to be known."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from services.records.model import people
from services.records.model.deadlines import Cells, add
from services.records.model.people import OPEN, Stay, Stays, Step, count_people, plan, steps_of

DAY = date(2026, 4, 1)


def stay(begun: str, ended: str | None = None, is_new: bool = True) -> Stay:
    return Stay("person", date.fromisoformat(begun), date.fromisoformat(ended) if ended else OPEN, is_new)


def told(*stays: Stay) -> dict[str, int]:
    return {f"{measure} {period:%Y-%m}": n for (measure, period, _), n in count_people(stays).items()}


def test_once_in_a_month_and_once_in_a_year() -> None:
    new, year = "persons_with_new_order", "persons_with_new_order_in_year"
    found = told(stay("2025-03-31"), stay("2025-04-01"), stay("2025-04-30"), stay("2026-03-31"))
    assert {key: n for key, n in found.items() if key.startswith(new)} == {
        f"{new} 2025-03": 1, f"{new} 2025-04": 1, f"{new} 2026-03": 1, f"{year} 2024-04": 1, f"{year} 2025-04": 1
    }  # fmt: skip
    assert not [key for key in told(stay("2025-04-01", is_new=False)) if key.startswith(new)]


@pytest.mark.parametrize(
    ("begun", "year"),
    [("2025-01-01", "2024-04"), ("2025-03-31", "2024-04"), ("2025-04-01", "2025-04"), ("2025-12-31", "2025-04")],
)
def test_the_year_of_a_new_order_begins_in_april(begun: str, year: str) -> None:
    measure = "persons_with_new_order_in_year"
    assert [key for key in told(stay(begun)) if key.startswith(measure)] == [f"{measure} {year}"]


def test_a_pseudonym_with_more_orders_than_a_person_can_have_counts_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MOST_STAYS", 2)
    two = [stay("2025-04-01"), stay("2025-04-02")]
    assert told(*two, two[0])["persons_with_new_order 2025-04"] == 1, "orders of the same days are one stay"
    assert told(*two, stay("2025-04-03")) == {}


@pytest.mark.parametrize(
    ("stays", "opened", "closed"),
    [
        ([("2025-01-10", None)], ["2025-01"], []),
        ([("2025-01-10", "2025-03-01")], ["2025-01"], ["2025-03"]),
        (
            [("2025-01-10", "2025-03-01"), ("2025-02-01", "2025-06-01")],
            ["2025-01"],
            ["2025-06"],
        ),  # one in the other's time
        (
            [("2025-01-10", "2025-06-01"), ("2025-02-01", "2025-03-01")],
            ["2025-01"],
            ["2025-06"],
        ),  # one within the other
        ([("2025-01-10", "2025-03-01"), ("2025-03-02", None)], ["2025-01"], []),  # the day after
        ([("2025-01-10", "2025-03-01"), ("2025-03-03", None)], ["2025-01", "2025-03"], ["2025-03"]),
        ([("2025-01-10", None), ("2025-03-01", "2025-04-01")], ["2025-01"], []),
        ([("2025-03-10", "2025-01-01")], ["2025-03"], ["2025-03"]),  # ended before it began: a finding, and no time
    ],
)
def test_times_with_an_open_order(stays: list[tuple[str, str | None]], opened: list[str], closed: list[str]) -> None:
    found = told(*(stay(begun, ended) for begun, ended in stays))
    assert sorted(key for key in found if key.startswith("persons_opened")) == [f"persons_opened {m}" for m in opened]
    assert sorted(key for key in found if key.startswith("persons_closed")) == [f"persons_closed {m}" for m in closed]


def test_the_stock_of_any_day_is_the_people_with_an_open_order() -> None:
    rng = random.Random(7)
    stays = []
    for number in range(300):
        begun = date(2024, 1, 1) + timedelta(days=rng.randrange(700))
        ended = begun + timedelta(days=rng.randrange(200)) if rng.random() < 0.8 else OPEN
        stays.append(Stay(f"p{number % 60}", begun, ended, True))
    flows = Counter[tuple[str, date]]()
    for person in {one.person for one in stays}:
        for (measure, period, _), n in count_people(one for one in stays if one.person == person).items():
            flows[measure, period] += n
    for month in (date(2024, 2, 29), date(2024, 12, 31), date(2025, 6, 30), date(2026, 6, 30)):
        stock = sum(
            n * (1 if m == "persons_opened" else -1)
            for (m, p), n in flows.items()
            if p <= month and m[8:] in ("opened", "closed")
        )
        assert stock == len({one.person for one in stays if one.begun <= month < one.ended})


def test_whatever_the_batches_the_cells_are_those_of_all_orders() -> None:
    """Orders come, change and go again; each batch adds what it changes."""
    rng = random.Random(11)
    for _ in range(50):
        known: dict[str, Stays] = {}
        cells: Cells = {}
        for batch in range(5):
            steps = [step for _ in range(rng.randrange(6)) for step in _made_up(rng, known, batch)]
            people = {one.person for _, one, _ in steps}
            planned = plan({person: known.get(person, Stays()) for person in people}, steps)
            for found in planned.cells.values():
                for (measure, period, category), n in found.items():
                    add(cells, measure, period, category, n)
            for one, orders in planned.orders.items():
                known.setdefault(one.person, Stays())[one] = orders
        expected: Cells = {}
        for stays in known.values():
            for (measure, period, category), n in count_people(+stays).items():
                add(expected, measure, period, category, n)
        assert {key: n for key, n in cells.items() if n} == expected


def _made_up(rng: random.Random, known: dict[str, Stays], batch: int) -> list[Step]:
    person = f"p{rng.randrange(3)}"
    day = DAY + timedelta(days=batch)
    held = [one for one, orders in known.get(person, Stays()).items() if orders > 0]
    if held and rng.random() < 0.4:
        one = held.pop()
        known[person] = known[person].copy()
        return [(day, one, -1), (day, one._replace(ended=one.begun + timedelta(days=rng.randrange(90))), 1)]
    begun = date(2025, 1, 1) + timedelta(days=rng.randrange(500))
    return [(day, Stay(person, begun, OPEN, rng.random() < 0.8), 1)]


def test_what_the_contract_does_not_have_cannot_be_counted() -> None:
    """So that a name that is spelled otherwise fails at once."""
    cells: Cells = {}
    for measure, category in (
        ("orders_imposed", "sex=man"),
        ("reviews", ""),
        ("orders_impose", ""),
        ("placement", "band=within_5"),
    ):
        with pytest.raises(LookupError):
            add(cells, measure, DAY, category)
    assert cells == {}


def test_a_changed_order_leaves_one_stay_for_another_and_an_unchanged_one_leaves_none() -> None:
    before, after = stay("2025-03-01"), stay("2025-03-01", "2025-09-01")
    assert steps_of(DAY, before, after) == [(DAY, before, -1), (DAY, after, 1)]
    assert steps_of(DAY, None, after) == [(DAY, after, 1)]
    assert steps_of(DAY, before, None) == [(DAY, before, -1)]
    assert steps_of(DAY, before, before) == steps_of(DAY, None, None) == []
