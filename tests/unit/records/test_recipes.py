"""Every recipe for vendors gives the numbers that stand beside it, in whatever order its events arrive."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from contracts.decoding.codec import Event, decode
from contracts.events import TYPES
from contracts.topics import kind_of
from services.orders.domain import domain as orders
from services.records.model.bank_holidays import scotland
from services.records.model.domain import Domain
from services.records.model.people import Stay, count_people
from services.records.model.record import Record, apply
from services.unpaid_work.domain import domain as unpaid_work
from tests.support.lives import imposed

PAGE = Path("docs/recipes.md")
OURS, ARRIVED = "S12000005", datetime(2026, 12, 1, tzinfo=UTC)
DOMAINS = [make(scotland()) for make in (orders, unpaid_work)]
_ROW = re.compile(r"^\| (?:(S\d{8}) )?([a-z.-]+) \| (\S+) \| (\S+) \| (\{.*\}) \|$", re.MULTILINE)
_NUMBER = re.compile(r"^- `([a-z_]+)\|(S\d{8})\|([\d-]+)\|([^`]*)` is (\d+)$", re.MULTILINE)


class Recipe(NamedTuple):
    """A recipe as the page gives it."""

    title: str
    events: list[Event]
    numbers: dict[tuple[str, str, str, str], int]


def recipes() -> Iterator[Recipe]:
    for part in PAGE.read_text().split("\n## ")[1:]:
        numbers = {(m, a, p, c): int(value) for m, a, p, c, value in _NUMBER.findall(part)}
        assert len(numbers) == part.count("\n- `"), "a number cannot be read"
        events = [_event(number, *row) for number, row in enumerate(_ROW.findall(part))]
        assert len(events) == part.count("\n| ") - 1, "an event cannot be read"
        yield Recipe(part.partition("\n")[0], events, numbers)


def _event(number: int, authority: str, name: str, subject: str, time: str, data: str) -> Event:
    """Return the event as a vendor would send it, read by the contract."""
    code = authority or OURS
    rest = msgspec.json.encode(imposed(datetime(2026, 3, 2, tzinfo=UTC).date())).decode()[1:-1]
    rest = re.sub(r'"imposed_on":"[^"]*",?', "", rest)
    document = {
        "specversion": "1.0",
        "id": f"{name}-{sum(time.encode())}",
        "source": f"/authorities/{code}",
        "type": f"scot.payback.{name}.v1",
        "subject": subject,
        "time": time,
        "data": msgspec.Raw(data.replace("…", rest).encode()),
    }
    topic = next(iter(TYPES[f"{name}.v1"].TOPICS))
    found = decode(msgspec.json.encode(document), topic, code, ARRIVED)
    assert isinstance(found, Event), (number, found)
    assert kind_of(found.data) is topic
    return found


def cells_of(domain: Domain, events: list[Event] | tuple[Event, ...]) -> Counter[tuple[str, str, str, str]]:
    records: defaultdict[tuple[str, str], Record] = defaultdict(dict)
    for one in events:
        if domain.holds(one.data.key):
            apply(records[one.authority, one.subject], one)
    found: Counter[tuple[str, str, str, str]] = Counter()
    people: defaultdict[tuple[str, str], list[Stay]] = defaultdict(list)
    for (authority, _), record in records.items():
        for (measure, period, category), value in domain.contributions(record).items():
            found[measure, authority, f"{period}", category] += value
        if (stay := domain.stay_of(record)) is not None:
            people[authority, stay.person].append(stay)
    for (authority, _), stays in people.items():
        for (measure, period, category), value in count_people(stays).items():
            found[measure, authority, f"{period}", category] += value
    return found


@pytest.mark.parametrize("recipe", list(recipes()), ids=lambda recipe: recipe.title)
def test_a_recipe_gives_its_numbers_in_any_order(recipe: Recipe) -> None:
    assert recipe.numbers
    for domain in DOMAINS:
        counted = [cells_of(domain, order) for order in permutations(recipe.events)]
        assert all(one == counted[0] for one in counted)
    both = cells_of(DOMAINS[0], recipe.events) + cells_of(DOMAINS[1], recipe.events)
    assert {key: both[key] for key in recipe.numbers} == recipe.numbers


def test_no_recipe_is_missing() -> None:
    titles = " ".join(recipe.title for recipe in recipes())
    for word in (
        "reopened",
        "merged",
        "another reference",
        "transferred",
        "corrected",
        "later",
        "spool",
        "backup",
        "clocks",
        "two orders",
    ):
        assert word in titles
