"""Runs and gaps together are the log, and no run has a gap."""

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.streaming.batches import Message
from services.chassis.streaming.seal import HEADER
from services.operations.moving.places import Gap, Rows, Run, steps
from tests.support.scenario import Sent

Row = tuple[bytes | None, bytes | None]


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


ROWS = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.sampled_from([None, b"1", b"2"])), max_size=12)


@given(ROWS, ROWS, st.integers(1, 4))
def test_a_copy_ends_with_the_latest_row_of_each_key(source: list[Row], there: list[Row], at_once: int) -> None:
    rows, copied = Rows(_sent(there)), list(there)
    for begin in range(0, len(source), at_once):
        lacking = rows.lacking(_sent(source, begin, begin + at_once))
        copied += [(one.key, one.value) for one in lacking]
    copied += [(one.key, one.value) for one in rows.rest()]
    assert dict(copied) == dict(there) | dict(source)
    assert _lacking(copied, source) == []


@given(ROWS)
def test_a_copy_that_holds_every_version_is_sent_none_again(source: list[Row]) -> None:
    """As long as Kafka has not compacted the topic."""
    assert _lacking(source, source) == []


@given(ROWS, ROWS)
def test_what_is_left_to_send_stands_in_the_order_of_the_log(source: list[Row], there: list[Row]) -> None:
    """A position says that the rows before it are there."""
    rows = Rows(_sent(there))
    lacking = rows.lacking(_sent(source))
    for found in (lacking, rows.rest()):
        assert [one.offset for one in found] == sorted({one.offset for one in found})


def test_a_row_that_was_sealed_with_a_new_key_is_lacking() -> None:
    old, new = (
        Sent(offset, b"1", key=b"a", headers=((HEADER, seal),))
        for offset, seal in enumerate((b"by the old key", b"by the new one"))
    )
    rows = Rows([old])
    assert (rows.lacking([old, new]), rows.rest()) == ([], [new])
    rows = Rows([old, new])
    assert (rows.lacking([new]), rows.rest()) == ([], [])


def _lacking(there: list[Row], source: list[Row]) -> list[Message]:
    rows = Rows(_sent(there))
    return [*rows.lacking(_sent(source)), *rows.rest()]


def _sent(rows: list[Row], begin: int = 0, end: int | None = None) -> list[Sent]:
    return [Sent(offset, value, key=key) for offset, (key, value) in enumerate(rows)][begin:end]
