"""Reasons against going on with a mirrored topic, for every way in which it may differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.streaming.batches import Bounds, Fingerprint, SourceIdentity, TopicPartition
from services.operations.moving.mirrored import Mirror, Position, against, compare

TOPIC = "orders.events.S12000005"
TAKEN = Fingerprint(1_790_000_000_000, 17)
READ = Position(TopicPartition(TOPIC, 0), 10, SourceIdentity("old", "a"), TAKEN)
SAME = Mirror(SourceIdentity("new", "b"), Bounds(0, 10), TAKEN)


@pytest.mark.parametrize(
    ("position", "mirror", "said"),
    [
        (READ, SAME, ""),
        (READ, SAME._replace(bounds=Bounds(0, 12)), ""),
        (READ, SAME._replace(bounds=Bounds(4, 10)), ""),
        (READ, SAME._replace(bounds=Bounds(4, 10), is_cut_off=True), "begins at offset 4"),
        (READ, SAME._replace(bounds=Bounds(0, 9), last=None), "ends at offset 9"),
        (READ, SAME._replace(last=None), "another record at offset 9"),
        (READ, SAME._replace(last=TAKEN._replace(checksum=18)), "another record at offset 9"),
        (READ, SAME._replace(last=TAKEN._replace(timestamp=18)), "must be CreateTime"),
        (READ._replace(taken=None), SAME, "is not known"),
        (READ._replace(next_offset=0, taken=None), SAME._replace(bounds=Bounds(0, 0), last=None), ""),
    ],
)
def test_what_stands_against_it_is_said(position: Position, mirror: Mirror, said: str) -> None:
    found = list(against(position, mirror))
    assert len(found) == bool(said)
    assert all(said in words and TOPIC in words for words in found)


LOGS = st.dictionaries(st.integers(0, 30), st.none() | st.sampled_from("abcdef"), min_size=1)


@given(LOGS, st.integers(0, 10))
def test_the_same_log_is_the_same_whatever_the_books_have_let_go(log: dict[int, str | None], forgotten: int) -> None:
    held = dict(sorted(log.items())[forgotten:])
    assert list(compare(TOPIC, held, sorted(log.items()))) == []


@given(LOGS, st.data())
def test_whatever_differs_is_noticed(log: dict[int, str | None], data: st.DataObject) -> None:
    held = {offset: event_id or "a" for offset, event_id in log.items()}
    found = dict(held)
    where = data.draw(st.sampled_from(sorted(held)))
    match data.draw(st.sampled_from(["lost", "altered", "moved"])):
        case "lost":
            del found[where]
        case "altered":
            found[where] = "another"
        case _:
            found[max(held) + 1] = found.pop(where)
    assert len(list(compare(TOPIC, held, sorted(found.items())))) == 1
