"""Places in a topic that was written anew, perhaps after attempts that did not come to their end."""

import pytest

from services.records.upkeep.rewriting import Places, Replaced

SENT = [Replaced(offset, place, 0) for place, offset in enumerate([10, 11, 12])]
FIRST = [Replaced(offset, place, 1) for place, offset in enumerate([15, 16, 18])]
LATE = [Replaced(17, 3, 0), Replaced(20, 4, 0)]
"""What somebody sent while the first attempt wrote, and after it."""
SECOND = [Replaced(offset, place, 2) for place, offset in enumerate([25, 26, 27, 28, 29])]
AGAIN = Places(sorted([*SENT, *FIRST, *LATE, *SECOND]), [40, 41, 42, 43, 44], 46)


@pytest.mark.parametrize(("before", "after"), [(0, 40), (10, 40), (11, 41), (12, 42), (13, 46), (14, 46)])
def test_who_has_read_so_far_goes_on_at_the_same_record(before: int, after: int) -> None:
    assert Places(SENT, [40, 41, 42], 46).next(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (12, 42),  # never moved, and has not read the last
        (13, 43),  # never moved, and has read all but what came late
        (15, 40),  # moved by the first attempt, and had read nothing
        (16, 41),
        (18, 42),
        (19, 44),  # moved, and has read all but what came after it
        (21, 46),
        (25, 40),  # moved by the second
        (29, 44),
        (30, 46),
    ],
)
def test_whoever_was_moved_by_an_attempt_goes_on_at_the_same_record_too(before: int, after: int) -> None:
    assert AGAIN.next(before) == after


def test_what_names_a_record_names_the_same_one_wherever_it_was() -> None:
    moved = AGAIN.moved()
    assert {moved[offset] for offset in (11, 16, 26)} == {41}
    assert (moved[17], moved[28], moved[20], moved[29]) == (43, 43, 44, 44)
