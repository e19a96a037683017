"""Extracts in any order, any number of times, end in the same record as in their own order, and nothing is said twice."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from itertools import count, permutations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.client import Source
from contracts.decoding.codec import Event
from contracts.decoding.validation import judge
from contracts.generate.samples import ARRIVED
from services.connect.comparing.compare import Extract, Setting, compare
from services.connect.comparing.former import known_key
from services.connect.mapping.loading import read_mapping
from services.connect.mapping.model import Mapping
from services.connect.mapping.transforms import date_in, safe_reference
from services.connect.moments import micros
from services.connect.state import State
from tests.support.generated.thorough import examples
from tests.support.made.extracts import HEADINGS, MAPPING, Rows, order

Table = tuple[tuple[str, int, bool], ...]
"""Rows of one extract: reference, hours, whether contact was made."""
_rows = st.lists(
    st.tuples(st.sampled_from(["A1", "A2", "A3"]), st.sampled_from([40, 80, 120]), st.booleans()),
    max_size=3,
    unique_by=lambda row: row[0],
).map(tuple)
_tables = st.lists(_rows, min_size=1, max_size=4)


def rows_of(table: Table) -> Rows:
    contact = date(2026, 2, 3)
    return [HEADINGS, *[order(ref, Hours=hours, First_contact=contact if made else "") for ref, hours, made in table]]


@cache
def mapping_of(policy: str) -> Mapping:
    """Read a mapping once: to read it is half of what an example takes (measured)."""
    return read_mapping(MAPPING.format(more=f"vanished: {policy}"), "m")


def said(tables: list[Table], order_of_import: list[int], policy: str) -> list[Event]:
    """Return all that is sent, in the order of sending. Extract n is taken on day n + 1 of March."""
    mapping = mapping_of(policy)
    with closing(State(None)) as state:
        setting = Setting(mapping, Source("S12000027", "connect"), b"k" * 32, state, let_vanish=True)
        for number in order_of_import:
            taken = micros(datetime(2026, 3, number + 1, 18, tzinfo=UTC))
            extract = Extract(mapping.tables[0], "Orders", iter(rows_of(tables[number])), 1900, taken)
            compare(setting, [extract], keep=True)
        found = [judge(one.body, ARRIVED) for one in state.waiting(0, 10_000)]
    assert all(isinstance(event, Event) for event in found)
    return [event for event in found if isinstance(event, Event) and event.subject != "-"]


def record(events: list[Event]) -> dict[tuple[str, str], object]:
    """Return the latest fact of each key, as the nation keeps it."""
    return {(event.subject, event.data.key): event.data for event in sorted(events, key=lambda e: (e.time, e.id))}


_BACK: list[Table] = [(("A1", 40, True),), (), (("A1", 40, False),), ()]


@given(tables=_tables, policy=st.sampled_from(["report", "withdraw"]), data=st.data())
@settings(max_examples=examples(120))
def test_any_order_and_any_repetition_gives_the_same_record(
    tables: list[Table], policy: str, data: st.DataObject
) -> None:
    numbers = list(range(len(tables)))
    mixed = data.draw(st.permutations(numbers + data.draw(st.lists(st.sampled_from(numbers), max_size=3))))
    events = said(tables, mixed, policy)
    assert record(events) == record(said(tables, numbers, policy))
    assert len({event.id for event in events}) == len(events), "something was said twice"


@pytest.mark.parametrize("mixed", list(permutations(range(len(_BACK)))))
@pytest.mark.parametrize("policy", ["report", "withdraw"])
def test_a_row_that_came_back_without_a_fact_takes_it_back_in_any_order(mixed: tuple[int, ...], policy: str) -> None:
    assert record(said(_BACK, list(mixed), policy)) == record(said(_BACK, list(range(len(_BACK))), policy))


@given(tables=_tables)
@settings(max_examples=examples(60))
@example(tables=[(("A1", 40, False),), (("A1", 40, True),), (("A1", 40, False),)])
def test_what_is_taken_back_ends_as_the_last_extract_has_it(tables: list[Table]) -> None:
    """With `withdraw` the nation holds what the last extract states, and no more."""
    events = said(tables, list(range(len(tables))), "withdraw")
    held = {key for key, fact in record(events).items() if type(fact).__name__ != "FactWithdrawn"}
    wanted = {(ref, "imposed") for ref, _, _ in tables[-1]} | {
        (ref, "first_contact") for ref, _, made in tables[-1] if made
    }
    assert held == wanted


def test_an_extract_of_a_moment_is_compared_with_the_one_before_even_where_clocks_stand_still() -> None:
    mapping = read_mapping(MAPPING.format(more="vanished: report"), "m")
    with closing(State(None)) as state:
        setting = Setting(mapping, Source("S12000027"), b"k" * 32, state)
        taken = micros(datetime(2026, 3, 1, 18, tzinfo=UTC))
        extract = Extract(mapping.tables[0], "Orders", iter([]), 1900, taken)
        for hours, number in zip((40, 80, 40), count(1), strict=False):
            compare(setting, [replace(extract, grid=iter([HEADINGS, order("A1", Hours=hours)]))], keep=True)
            events = [
                event
                for one in state.waiting(0, 99)
                if isinstance(event := judge(one.body, ARRIVED), Event) and event.subject != "-"
            ]
            imposed = [event for event in events if event.data.key == "imposed"]
            assert len(imposed) == number
            assert imposed == sorted(imposed, key=lambda event: event.time)


@given(
    day=st.dates(date(2020, 1, 1), date(2029, 12, 31)),
    more=st.sampled_from(["", "-AM", "-7", "-2026-01-01"]),
    data=st.data(),
)
@settings(max_examples=examples(100))
def test_a_key_made_of_a_day_as_written_is_found_again(day: date, more: str, data: st.DataObject) -> None:
    """And no key of another day."""
    forms = ("%d/%m/%Y", "%d.%m.%y", "%d %b %Y", "%A, %d %B %Y", "%Y-%m-%d", "%Y%m%d", "%Y-%m-%d 00:00:00")
    form = st.sampled_from(forms)
    other = data.draw(st.dates(date(2020, 1, 1), date(2029, 12, 31)).filter(lambda one: one != day))
    known = [f"session/{safe_reference(one.strftime(data.draw(form)) + more)}" for one in (other, day)]
    key = f"session/{day.isoformat()}{more}"
    found = known_key(key, known, date_in)
    assert found in {known[1], key} if more else found == known[1]
    assert known_key(key, known[:1], date_in) == key
