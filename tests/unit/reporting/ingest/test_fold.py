"""The cells shown after a batch of aggregates depend on it and on what was shown before, and not on the order of either."""

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.cells import Aggregate, Cell, Holdings, Position
from services.reporting.ingest.fold import Origin, fold, plan

FIFE, GLASGOW = "S12000047", "S12000049"
OF_FIFE, OF_GLASGOW = Origin("orders", FIFE), Origin("orders", GLASGOW)
MARCH = date(2026, 3, 1)
HEARD = datetime(2026, 4, 2, tzinfo=UTC)


def cell(
    authority: str = FIFE, generation: int = 1, version: int = 1, day: int = 1, value: int = 5, category: str = ""
) -> Cell:
    known_on = date(2026, 4, day)
    return Cell("orders", authority, generation, version, "orders_imposed", MARCH, category, known_on, value)


def position(authority: str = FIFE, generation: int = 1, version: int = 9) -> Position:
    return Position("orders", authority, generation, version, {}, HEARD)


def test_rows_of_the_generation_that_is_shown_are_kept_and_shown() -> None:
    planned = plan(fold([cell(), position()]), {OF_FIFE: 1})
    assert (planned.rows, planned.swaps, planned.shown) == ([cell()], {}, [cell()])
    assert planned.positions == [position()]


def test_of_several_days_the_latest_is_shown_and_all_are_kept() -> None:
    days = [cell(day=2, value=6), cell(day=3, value=7), cell(day=1)]
    planned = plan(fold(days), {OF_FIFE: 1})
    assert (planned.rows, planned.shown) == (days, [days[1]])


def test_each_cell_has_a_latest_day_of_its_own() -> None:
    cells = [cell(day=3), cell(day=2, category="court=sheriff_summary"), cell(GLASGOW)]
    planned = plan(fold(cells), {OF_FIFE: 1, OF_GLASGOW: 1})
    assert planned.shown == cells


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "the greatest first"])
def test_the_greatest_version_of_a_row_and_of_a_position_counts_whichever_comes_first(order: int) -> None:
    rows, positions = [cell(version=4, value=6), cell(version=5, value=7)], [position(version=4), position(version=5)]
    planned = plan(fold([*rows[::order], *positions[::order]]), {OF_FIFE: 1})
    assert (planned.rows, planned.positions) == ([rows[1]], [positions[1]])


def test_a_position_that_is_told_again_with_what_was_counted_since_replaces_the_one_before() -> None:
    counted = replace(position(), holds=Holdings(3, 9))
    assert plan(fold([position(), counted]), {OF_FIFE: 1}).positions == [counted]


def test_a_row_of_an_older_generation_does_not_count() -> None:
    planned = plan(fold([cell(generation=1), cell(GLASGOW)]), {OF_FIFE: 2, OF_GLASGOW: 1})
    assert (planned.rows, planned.shown) == ([cell(GLASGOW)], [cell(GLASGOW)])


def test_a_row_of_a_newer_generation_is_kept_and_not_shown_until_a_position_names_it() -> None:
    newer = cell(generation=2)
    before = plan(fold([newer]), {OF_FIFE: 1})
    assert (before.rows, before.swaps, before.shown) == ([newer], {}, [])
    named = plan(fold([newer, position(generation=2)]), {OF_FIFE: 1})
    assert (named.rows, named.swaps) == ([newer], {OF_FIFE: 2})
    assert named.shown == [], "the swap shows all of the generation, this row among them"


def test_a_position_of_an_older_generation_swaps_nothing_back() -> None:
    planned = plan(fold([position(generation=1)]), {OF_FIFE: 2})
    assert (planned.swaps, planned.positions) == ({}, [position(generation=1)])


def test_a_shard_that_nobody_has_seen_is_shown_from_its_first_position_on() -> None:
    assert plan(fold([cell()]), {}) == ([cell()], {}, [], [])
    assert plan(fold([cell(), position()]), {}).swaps == {OF_FIFE: 1}


AGGREGATES = st.one_of(
    st.builds(
        lambda authority, generation, version, day: cell(authority, generation, version, day, value=version),
        st.sampled_from([FIFE, GLASGOW]),
        st.integers(1, 3),
        st.integers(1, 4),
        st.integers(1, 3),
    ),
    st.builds(position, st.sampled_from([FIFE, GLASGOW]), st.integers(1, 3), st.integers(1, 4)),
)


def as_written(aggregates: list[Aggregate], before: Mapping[Origin, int]) -> tuple[object, ...]:
    planned = plan(fold(aggregates), before)
    return (
        {(row.key, row.generation): row for row in planned.rows},
        list(planned.swaps.items()),
        {(row.authority, row.known_on, row.version) for row in planned.shown},
        {(one.authority, one.generation, one.version) for one in planned.positions},
    )


@given(
    st.lists(AGGREGATES, max_size=12),
    st.dictionaries(st.sampled_from([OF_FIFE, OF_GLASGOW]), st.integers(1, 3)),
    st.randoms(use_true_random=False),
)
def test_neither_order_nor_repeats_matter(
    found: list[Aggregate], before: Mapping[Origin, int], chance: random.Random
) -> None:
    mixed = found * 2
    chance.shuffle(mixed)
    assert as_written(mixed, before) == as_written(found, before)
