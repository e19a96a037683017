"""Counters of sources: whatever the order and repetition, the same gaps; and cells that are the state, always."""

import random
from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.records.model.sequence import Numbers, receive

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
    """Everything in order at once."""
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
