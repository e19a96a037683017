"""Of a day's refused events the first are kept, and the rest only counted: wherever batches end, and none of them is lost."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.records.ingest.guarding import floods
from services.records.ingest.guarding.floods import Key, Rationed, RefusedEvent, Tally, ration

GLASGOW, FIFE = "S12000049", "S12000047"
DAY = date(2025, 3, 3)
MOST = 5 * floods.ROWS_BYTES


@pytest.fixture(autouse=True, scope="module")
def little_room() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(floods, "KEPT_A_DAY", MOST)
        yield


def events(told: Sequence[tuple[str, int, str, int]]) -> list[RefusedEvent]:
    return [
        RefusedEvent(authority, DAY + timedelta(days), reason, offset, size)
        for offset, (authority, days, reason, size) in enumerate(told)
    ]


def one_by_one(found: Sequence[RefusedEvent], ends: Sequence[int]) -> Rationed:
    """Decide about them in batches that end there."""
    tallies: dict[Key, Tally] = {}
    counted = set[tuple[str, int]]()
    for begin, end in zip([0, *ends], [*ends, len(found)], strict=True):
        batch = found[begin:end]
        days = {(one.authority, one.day) for one in batch}
        before = {key: tally for key, tally in tallies.items() if (key.authority, key.day) in days}
        here = ration(before, batch)
        tallies |= here.tallies
        counted |= here.counted
    return Rationed(frozenset(counted), tallies)


told = st.lists(
    st.tuples(
        st.sampled_from([GLASGOW, FIFE]),
        st.integers(0, 1),
        st.sampled_from(["not_json", "too_large"]),
        st.sampled_from([0, 700, 3000]),
    ),
    max_size=60,
)


@given(told.map(events), st.data())
def test_it_does_not_matter_where_batches_end(found: list[RefusedEvent], data: st.DataObject) -> None:
    ends = sorted(data.draw(st.lists(st.integers(0, len(found)), max_size=8)))
    assert one_by_one(found, ends) == ration({}, found)


@given(told.map(events))
def test_each_is_kept_or_counted_with_its_place_and_no_more_is_kept_than_fits(found: list[RefusedEvent]) -> None:
    counted, tallies = ration({}, found)
    for key in {Key(*one[:3]) for one in found}:
        its = [one for one in found if Key(*one[:3]) == key]
        beyond = [one.offset for one in its if (one.authority, one.offset) in counted]
        assert tallies[key] == Tally(
            sum(floods.ROWS_BYTES + one.size for one in its if one.offset not in beyond),
            len(beyond),
            min(beyond, default=None),
            max(beyond, default=None),
        )
    for day in {(one.authority, one.day) for one in found}:
        its = [one for one in found if (one.authority, one.day) == day]
        kept = [one for one in its if (one.authority, one.offset) not in counted]
        assert kept == its[: len(kept)], "the first ones"
        assert sum(floods.ROWS_BYTES + one.size for one in kept[:-1]) < MOST
        assert kept, "some of every day"


def test_another_authority_or_day_has_room_of_its_own() -> None:
    flood = events([(GLASGOW, 0, "not_json", 0)] * 1000)
    counted, tallies = ration(
        {},
        [
            *flood,
            RefusedEvent(FIFE, DAY, "not_json", 0, 5),
            RefusedEvent(GLASGOW, date(2025, 3, 4), "not_json", 1000, 5),
        ],
    )
    assert len(counted) == 995
    assert len(tallies) == 3
    assert tallies[Key(GLASGOW, DAY, "not_json")] == Tally(MOST, 995, 5, 999)
