"""Counters of sources: whatever the order and repetition, the same gaps; and cells that are the state, always."""

import random
from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.records.ingest.sequences.sequence import (
    BLOCK,
    MOST_MISSING,
    Bearer,
    Numbers,
    block_of,
    find_reused,
    no_marks,
    receive,
)

MONTHS = [date(2025, month, 1) for month in range(1, 7)]
CAME = st.dictionaries(st.integers(1, 60), st.sampled_from(MONTHS), max_size=40)


@given(CAME, st.randoms(use_true_random=False))
def test_gaps_depend_on_what_came_and_not_on_when(came: dict[int, date], chance: random.Random) -> None:
    deliveries = list(came.items()) * 2
    chance.shuffle(deliveries)
    numbers, cells = Numbers(), Counter[tuple[date, str]]()
    while deliveries:
        size = chance.randint(1, 7)
        cells.update(receive(numbers, deliveries[:size]))
        deliveries = deliveries[size:]
    assert numbers == _plainly(came)
    assert {key: value for key, value in cells.items() if value} == _cells(numbers, came)


def _plainly(came: dict[int, date]) -> Numbers:
    """Work out the same state plainly, from everything in order at once."""
    numbers = Numbers()
    receive(numbers, came.items())
    return numbers


def _cells(numbers: Numbers, came: dict[int, date]) -> dict[tuple[date, str], int]:
    expected = Counter((month, "received") for month in came.values())
    for number in range(1, max(came, default=0)):
        if number not in came:
            above = min(one for one in came if one > number)
            expected[came[above], "missing"] += 1
    assert numbers.highest == max(came, default=0)
    return dict(expected)


@given(
    st.lists(st.tuples(st.integers(1, 600), st.sampled_from(["a", "b", "c"])), max_size=30),
    st.randoms(use_true_random=False),
)
def test_a_number_that_different_events_bear_is_found_in_any_order(
    came: list[tuple[int, str]], chance: random.Random
) -> None:
    deliveries = came * 2
    chance.shuffle(deliveries)
    bearers = [Bearer(("S12000005", "x", number), event, MONTHS[0], MONTHS[0]) for number, event in deliveries]
    blocks = {block_of(bearer.number): no_marks() for bearer in bearers}
    middle = len(bearers) // 2
    found = find_reused(bearers[:middle], blocks) + find_reused(bearers[middle:], blocks)
    numbers = sorted(bearer.number[2] for bearer in found)
    assert numbers == sorted({n for n, _ in came if len({event for other, event in came if other == n}) > 1})


@given(st.integers(0, 10**18 // BLOCK - 1))
def test_so_many_numbers_in_a_row_share_the_marks_of_a_block(place: int) -> None:
    row = [block_of(("S12000005", "x", place * BLOCK + number)) for number in range(BLOCK)]
    assert set(row) == {("S12000005", "x", place)}
    assert block_of(("S12000005", "x", (place + 1) * BLOCK)) not in row
    assert block_of(("S12000005", "y", place * BLOCK)) not in row


def test_a_wild_number_counts_no_more_than_anybody_could_have_sent() -> None:
    numbers, total = Numbers(), Counter[tuple[date, str]]()
    highest = 10**18 - 1
    for number in (highest, 5, highest // 2):
        total.update(receive(numbers, [(number, MONTHS[0])]))
    assert total[MONTHS[0], "missing"] <= 3 * MOST_MISSING
    assert [gap.size for gap in numbers.gaps] == [4, highest // 2 - 6, highest - 1 - highest // 2]
