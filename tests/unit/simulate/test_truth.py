"""The truth maker against cells that were reckoned outside this project."""

import csv
import json
from datetime import date
from pathlib import Path

import pytest

from contracts.decoding.codec import Event, decode
from contracts.generate.samples import ARRIVED
from contracts.topics import kind_of_topic
from services.simulate.truth import Truth
from services.simulate.working_days import is_working, months_after, nth_after
from tests.unit.simulate.folding import lives_of

REFERENCE = Path(__file__).parents[2] / "reference"


def accepted(path: Path) -> list[Event]:
    name, code, _ = path.name.split(".")
    topic = kind_of_topic(f"{name}.events.{code}")
    events = (decode(line, topic, code, ARRIVED) for line in path.read_bytes().splitlines())
    return [event for event in events if isinstance(event, Event)]


def test_every_cell_of_the_scenario_comes_out() -> None:
    events = [event for path in (REFERENCE / "scenario").glob("*.ndjson") for event in accepted(path)]
    truth = Truth()
    for (authority, _), life in lives_of(events).items():
        truth.count(authority, life)
    expected = json.loads((REFERENCE / "scenario" / "expected.json").read_text())["cells"]
    checked = {_dimension(key) for key in expected}
    assert {key: n for key, n in truth.nonzero().items() if _dimension(key) in checked} == expected


def _dimension(key: str) -> tuple[str, str]:
    measure, _, _, category = key.split("|")
    return measure, category.partition("=")[0]


def test_people_count_once_in_a_month_however_many_orders() -> None:
    truth = Truth()
    for month in ("2026-01-01", "2026-01-01", "2026-02-01"):
        truth.count_person("S12000005", month, "one-person")
    assert truth.nonzero() == {
        "persons_with_new_order|S12000005|2026-01-01|": 1,
        "persons_with_new_order|S12000005|2026-02-01|": 1,
        "persons_with_new_order_in_year|S12000005|2025-04-01|": 1,
    }


def test_bank_holidays_are_those_of_the_statutes() -> None:
    with (REFERENCE / "working_days.csv").open() as lines:
        years = {int(row["year"]): row["weekday_bank_holidays_scotland"].split() for row in csv.DictReader(lines)}
    for year, expected in years.items():
        days = (date.fromordinal(n) for n in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()))
        assert [str(day) for day in days if day.weekday() < 5 and not is_working(day)] == expected


def test_working_days_leave_out_weekends_and_holidays() -> None:
    christmas_eve = date(2025, 12, 24)
    assert nth_after(christmas_eve, 1) == date(2025, 12, 29)
    assert nth_after(date(2025, 12, 27), 1) == date(2025, 12, 29)
    assert nth_after(christmas_eve, 0) == christmas_eve


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2023, 11, 30), 3, date(2024, 2, 29)),
        (date(2025, 12, 15), 1, date(2026, 1, 15)),
    ],
)
def test_months_end_where_the_shorter_month_does(start: date, months: int, expected: date) -> None:
    assert months_after(start, months) == expected
