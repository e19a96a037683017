"""Numbers of a source's counter change the same counters, gaps, marks and cells wherever batches end, and a plan changes nothing itself."""

import random
from collections import Counter
from copy import deepcopy
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.records.ingest.sequences.following import Came, Followed, SourceKey, follow
from services.records.ingest.sequences.sequence import Bearer, Blocks, Gap, Numbers, block_of, no_marks

GLASGOW, FIFE = "S12000049", "S12000047"
DAY = date(2025, 3, 3)
SOURCES: list[SourceKey] = [(GLASGOW, "crm"), (GLASGOW, ""), (FIFE, "crm")]
MONTHS = [date(2025, month, 1) for month in (1, 2, 3)]


class Books:
    """The books of sources, to which plans are applied as they would be written."""

    def __init__(self) -> None:
        self.highest: dict[SourceKey, int] = {}
        self.gaps: set[tuple[SourceKey, Gap]] = set()
        self.marks: Blocks = {}
        self.reused: list[tuple[str, str, int]] = []
        self.cells: Counter[tuple[str, str, date, str]] = Counter()

    def known(self, source: SourceKey) -> Numbers:
        return Numbers(self.highest.get(source, 0), sorted(gap for owner, gap in self.gaps if owner == source))

    def apply(self, followed: Followed) -> None:
        self.highest |= followed.highest
        assert self.gaps.issuperset(followed.gone)
        assert self.gaps.isdisjoint(followed.new)
        self.gaps = self.gaps.difference(followed.gone).union(followed.new)
        self.marks |= followed.marks
        self.reused += [bearer.number for bearer in followed.reused]
        for authority, by_day in followed.cells.items():
            for cells in by_day.values():
                self.cells.update({(authority, *cell): step for cell, step in cells.items()})


def take(books: Books, bearers: list[Bearer]) -> None:
    came: Came = {}
    for (authority, system, number), _, month, day in bearers:
        came.setdefault((authority, system), {}).setdefault(day, []).append((number, month))
    known = {source: books.known(source) for source in came}
    marks = {block: books.marks.get(block, no_marks()) for block in {block_of(each.number) for each in bearers}}
    before = deepcopy((known, marks))
    books.apply(follow(known, came, marks, bearers))
    assert (known, marks) == before, "a plan changes nothing that it was given"


@given(
    st.lists(st.tuples(st.sampled_from(SOURCES), st.integers(1, 600), st.sampled_from("abc")), max_size=40),
    st.randoms(use_true_random=False),
)
def test_it_does_not_matter_where_batches_end(told: list[tuple[SourceKey, int, str]], chance: random.Random) -> None:
    bearers = [
        Bearer((*source, number), event, MONTHS[number % 3], DAY + timedelta(place // 7))
        for place, (source, number, event) in enumerate(told)
    ]
    at_once, by_batches = Books(), Books()
    take(at_once, bearers)
    left = bearers
    while left:
        size = chance.randint(1, 9)
        take(by_batches, left[:size])
        left = left[size:]
    assert (by_batches.highest, by_batches.gaps, by_batches.marks) == (at_once.highest, at_once.gaps, at_once.marks)
    assert sorted(by_batches.reused) == sorted(at_once.reused)
    assert +by_batches.cells == +at_once.cells


def test_a_gap_that_is_split_goes_and_two_come() -> None:
    source, month = SOURCES[0], MONTHS[0]
    known = {source: Numbers(10, [Gap(1, 4, month), Gap(6, 8, month)])}
    followed = follow(known, {source: {DAY: [(7, MONTHS[1])]}}, {}, [])
    assert followed == Followed(
        cells={GLASGOW: {DAY: {
            ("sequence", month, "missing"): -2,
            ("sequence", MONTHS[1], "missing"): 1,
            ("sequence", MONTHS[1], "received"): 1,
        }}},
        highest={source: 10},
        gone=[(source, Gap(6, 8, month))],
        new=[(source, Gap(6, 6, MONTHS[1])), (source, Gap(8, 8, month))],
    )  # fmt: skip


def test_a_number_that_another_event_has_used_is_counted_once_and_in_its_own_month() -> None:
    number = (GLASGOW, "crm", 5)
    bearers = [Bearer(number, event, MONTHS[0], DAY) for event in ("a", "b", "a", "c")]
    followed = follow({}, {}, {block_of(number): no_marks()}, bearers)
    assert followed.reused == [bearers[1]]
    assert followed.cells == {GLASGOW: {DAY: {("sequence", MONTHS[0], "reused"): 1}}}
    again = follow({}, {}, followed.marks, bearers)
    assert again == Followed(), "what came before changes nothing"


def test_nothing_that_came_changes_nothing() -> None:
    assert follow({}, {}, {}, []) == Followed()
