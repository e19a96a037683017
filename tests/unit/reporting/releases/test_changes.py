"""Differences between two releases are exact for those who may see them, and otherwise of published cells only, in published numbers."""

from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.disclosure.rounding import CellKey
from services.reporting.releases.changes import Before, changes, public_changes

MARCH = date(2026, 3, 1)
CATEGORIES = ("missed", "overdue", "band=0-1", "band=2-5")
STEP = 5
CELLS = st.fixed_dictionaries({name: st.integers(0, 40) for name in CATEGORIES}).map(
    lambda found: {CellKey("first_contact", name, MARCH, "S92000003"): STEP * value for name, value in found.items()}
)


@given(CELLS, CELLS)
def test_the_public_list_has_each_cell_once_and_only_published_numbers(
    old: dict[CellKey, int], new: dict[CellKey, int]
) -> None:
    told = list(public_changes(Before(MARCH, old, {}), new))
    assert {CellKey(*one[:4]): (one.before, one.after) for one in told} == {
        key: (old[key], new[key]) for key in old if old[key] != new[key]
    }
    assert len(told) == len({one[:4] for one in told})


@given(CELLS, CELLS)
def test_the_exact_list_adds_up(old: dict[CellKey, int], new: dict[CellKey, int]) -> None:
    moved = Counter[CellKey]()
    for one in changes(Before(MARCH, old, {}), new):
        moved[CellKey(*one[:4])] += one.after - one.before
    assert {key: by for key, by in moved.items() if by} == {k: new[k] - old[k] for k in old if new[k] != old[k]}
