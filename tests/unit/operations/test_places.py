"""Runs and gaps together are the log, and no run has a gap."""

from hypothesis import given
from hypothesis import strategies as st

from services.operations.moving.places import Gap, Run, steps
from tests.support.scenario import Sent


@given(st.integers(0, 5), st.sets(st.integers(0, 60)))
def test_steps_lead_from_place_to_place_without_a_hole(before: int, places: set[int]) -> None:
    offsets = sorted(before + place for place in places)
    at, read = 0, list[int]()
    last: Gap | Run | None = None
    for step in steps([Sent(offset, b"") for offset in offsets], 0):
        assert type(step) is not type(last), "two of a kind are one"
        assert step.end > at
        if isinstance(step, Run):
            assert [one.offset for one in step.messages] == list(range(at, step.end))
            read += range(at, step.end)
        at, last = step.end, step
    assert read == offsets
    assert not isinstance(last, Gap), "what comes after the last record is not known here"
