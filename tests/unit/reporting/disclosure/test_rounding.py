"""The published cells are themselves a possible truth, in which no number is small; and they are near the truth."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from itertools import pairwise
from random import Random
from statistics import pstdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.authorities import AUTHORITIES
from contracts.periods import quarter_of, year_of
from services.reporting.disclosure import rounding
from services.reporting.disclosure.linked_tables import NATIONAL_ONLY, STEP, STEPS, TABLES, Table, cells_in
from services.reporting.disclosure.rounding import NOTHING_EARLIER, CellKey, Cells, Earlier, Part, divided, rounded
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Form, Indicator, Kind
from services.reporting.statistics.funnel import FEWEST, Funnel, Place, rounding_of
from services.reporting.statistics.intervals import difference
from tests.support.generated.thorough import examples
from tests.support.made.released_monthly import cells_of

FIRST, LAST = date(2024, 4, 1), date(2026, 3, 1)
KEY, ANOTHER = b"k" * 32, b"another"
ALL = frozenset(NATIONAL_ONLY)


COUNTS = [
    name
    for table in TABLES
    for name in table.cells
    if not table.none_without and name[0] != "persons_with_new_order_in_year"
]
"""And sums that go with no count."""


def nation(seed: int, months: int = 24, authorities: int = 32) -> dict[CellKey, int]:
    found = cells_of(seed, FIRST, months, authorities)
    keyed = {CellKey(c.measure, c.category, c.period, c.authority): c.value for c in found if c.value}
    return {key: value for key, value in keyed.items() if (key.measure, key.category) in NATIONAL_ONLY}


def late(cells: Cells, seed: int) -> dict[CellKey, int]:
    """Have some orders come late: they count in the total and in one category of each way to split it."""
    chance, later = Random(seed), dict(cells)
    places = sorted({(key.authority, key.period) for key in cells})
    imposed = next(table for table in TABLES if table.name == "orders imposed")
    for area, month in chance.sample(places, min(5, len(places))):
        counted = [("orders_opened", ""), *imposed.total_cells]
        counted += [chance.choice(split.cells) for split in imposed.splits if split.exhaustive]
        for name in counted:
            key = CellKey(*name, month, area)
            later[key] = later.get(key, 0) + 1
    return later


def value(cells: Cells, each: Form, place: tuple[str, date]) -> int:
    area, month = place
    return sum(cells.get(CellKey(*name, month, area), 0) for name in cells_in(each))


def places(cells: Cells) -> set[tuple[str, date]]:
    return {(key.authority, key.period) for key in cells}


def disagreements(table: Table, cells: Cells, place: tuple[str, date]) -> Iterable[str]:
    total = value(cells, table.totals[0], place)
    if any(value(cells, each, place) != total for each in table.totals[1:]):
        yield "totals"
    if table.within and not table.yearly and total > value(cells, table.within, place):
        yield "within"
    if table.none_without and total and not value(cells, table.none_without, place):
        yield "sum over nothing"
    for split in table.splits:
        parts = sum(cells.get(CellKey(*name, place[1], place[0]), 0) for name in split.cells)
        if parts != total if split.exhaustive else parts > total and split.measure != "minutes_credited":
            yield f"{split.measure} {split.categories[0]}"


small_nations = st.tuples(st.integers(0, 2**31), st.integers(1, 5), st.integers(1, 4))
"""Seed, months and authorities."""


@settings(max_examples=examples(8), deadline=None)
@given(small_nations, st.binary(min_size=8, max_size=32))
def test_it_is_a_possible_truth_without_a_small_number(drawn: tuple[int, int, int], key: bytes) -> None:
    cells = nation(*drawn)
    public = rounded(cells, LAST, key)
    assert all(each % STEPS[name.measure, name.category] == 0 for name, each in public.items())
    for place in places(public):
        for table in TABLES:
            assert list(disagreements(table, public, place)) == [], (table.name, place)
    assert rounded(public, LAST, ANOTHER) == public, "were it the truth, the same would be published, whatever the key"


@settings(max_examples=examples(8), deadline=None)
@given(small_nations, st.integers(0, 2**31))
def test_two_releases_are_a_possible_truth_together(drawn: tuple[int, int, int], seed: int) -> None:
    cells = nation(*drawn)
    later = late(cells, seed)
    first = rounded(cells, LAST, KEY)
    second = rounded(later, LAST, KEY, Earlier(cells, first, ALL))
    assert rounded(second, LAST, ANOTHER, Earlier(first, first, ALL)) == second


@settings(max_examples=examples(8), deadline=None)
@given(small_nations)
def test_a_count_becomes_one_of_the_two_multiples_around_it(drawn: tuple[int, int, int]) -> None:
    cells = nation(*drawn)
    public = rounded(cells, LAST, KEY)
    for key, was in cells.items():
        step = STEPS[key.measure, key.category]
        if (key.measure, key.category) in COUNTS:
            assert abs(public.get(key, 0) - was) < step, key


@settings(max_examples=examples(8), deadline=None)
@given(small_nations, st.integers(0, 2**31))
def test_what_has_not_changed_is_published_as_it_was(drawn: tuple[int, int, int], seed: int) -> None:
    cells = nation(*drawn)
    first = rounded(cells, LAST, KEY)
    later = late(cells, seed)
    second = rounded(later, LAST, KEY, Earlier(cells, first, ALL))
    moved = {(key.authority, key.period) for key in later if later[key] != cells.get(key, 0)}
    for key in first.keys() | second.keys():
        if (key.authority, key.period) not in moved and key.measure != "persons_with_new_order_in_year":
            assert first.get(key, 0) == second.get(key, 0), key


def test_no_authority_decides_on_what_another_is_rounded_to_where_that_is_a_multiple() -> None:
    """What an insider knows of its own cells rules out no possible truth of the others."""
    cells = nation(3, months=6, authorities=6)
    public = rounded(cells, LAST, KEY)
    insider = sorted({key.authority for key in cells})[2]
    mixed = {key: v for key, v in public.items() if key.authority != insider}
    mixed |= {key: v for key, v in cells.items() if key.authority == insider}
    again = rounded(mixed, LAST, KEY)
    others = [{k: v for k, v in each.items() if k.authority != insider} for each in (public, again)]
    assert others[0] == others[1]


def test_the_key_decides() -> None:
    cells = nation(1, months=3, authorities=4)
    assert rounded(cells, LAST, KEY) == rounded(cells, LAST, KEY)
    assert rounded(cells, LAST, KEY) != rounded(cells, LAST, ANOTHER)


def test_both_multiples_are_always_possible() -> None:
    """A key that nobody knows may give either, however wrong the sums are so far: that is why nothing can be reckoned back."""
    cells = {CellKey("sessions", "", date(2025, month, 1), "S12000005"): 3 for month in range(1, 9)}
    cells |= {key._replace(category="attendance=attended"): 3 for key in cells}
    found = Counter(
        tuple(sorted(key.period.month for key in rounded(cells, LAST, bytes([n])) if not key.category))
        for n in range(120)
    )
    assert len(found) > 20
    for month in range(1, 9):
        assert 10 < sum(count for months, count in found.items() if month in months) < 110


def test_nothing_to_round_is_nothing() -> None:
    assert rounded({}, LAST, KEY) == {}


def test_what_does_not_add_up_is_rounded_all_the_same() -> None:
    """Sums over years come from records of all sorts; a correction may take more from one kind of work than there is."""
    one = CellKey("minutes_credited", "", LAST, "S12000005")
    cells = {
        one: -700,
        one._replace(category="work_type=recycling"): 900,
        one._replace(category="activity=adjustment"): -700,
    }
    public = rounded(cells, LAST, KEY)
    assert all(each % STEPS[key.measure, key.category] == 0 for key, each in public.items())


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8), st.booleans(), st.randoms(use_true_random=False))
def test_parts_add_up_to_either_multiple_of_their_sum(values: list[int], up: bool, chance: Random) -> None:
    total = sum(values) // 5 * 5 + (5 if up and sum(values) % 5 else 0)
    around = [(each // 5 * 5, -(-each // 5) * 5) for each in values]
    parts = [Part(v, chance.randrange(-9, 9), chance.random(), *a) for v, a in zip(values, around, strict=True)]
    shown = divided(total, parts, 5)
    assert sum(shown) == total
    assert all(abs(was - now) < 5 and now % 5 == 0 for was, now in zip(values, shown, strict=True))


def test_parts_stay_within_what_they_can_hold() -> None:
    assert divided(15, [Part(4, 0, 0.5, 0, 0), Part(9, 0, 0.5, 0, 20), Part(1, 0, 0.5, 0, 20)], 5) in (
        [0, 15, 0],
        [0, 10, 5],
    )
    assert divided(10, [Part(40, 0, 0.5, 5, 50), Part(0, 0, 0.5, 0, 5)], 5) == [10, 0]


SUMS = [table for table in TABLES if table.none_without]


@settings(max_examples=examples(8), deadline=None)
@given(small_nations, st.binary(min_size=8, max_size=8))
def test_what_is_published_of_a_sum_can_be_held_by_what_is_counted(drawn: tuple[int, int, int], key: bytes) -> None:
    """So no mean is impossible, of any months or areas taken together."""
    public = rounded(nation(*drawn), LAST, key)
    for place in places(public):
        for table in SUMS:
            assert table.none_without is not None
            pairs = [(table.totals[0], table.none_without, table.each)]
            pairs += [
                (Form(split.measure, (name,)), Form(split.counted or "", (name,)), each)
                for split in table.splits
                for name, each in zip(split.categories, split.each, strict=True)
            ]
            for summed, counted, (least, most) in pairs:
                count = value(public, counted, place)
                assert least * count <= value(public, summed, place) <= most * count, (table.name, place)


OPENED = ("orders_opened", "")
VICTIM, *NEIGHBOURS = list(AUTHORITIES)[10:13]
KEYS = [f"{number}".encode() for number in range(1000)]


def ups(victim: int) -> Counter[tuple[bool, ...]]:
    """Return which way the cells of two other authorities went, by all keys that publish the victim's as none."""
    cells = {CellKey(*OPENED, LAST, code): 12 + 7 * at for at, code in enumerate(AUTHORITIES)}
    cells[CellKey(*OPENED, LAST, VICTIM)] = victim
    known = {key: each for key, each in cells.items() if each}
    published = (rounded(known, LAST, key) for key in KEYS)
    own = [CellKey(*OPENED, LAST, code) for code in NEIGHBOURS]
    return Counter(
        tuple(public[each] > cells[each] for each in own)
        for public in published
        if CellKey(*OPENED, LAST, VICTIM) not in public
    )


def test_how_their_own_cells_were_rounded_tells_two_authorities_nothing_of_a_third(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever is next to be rounded makes good what was wrong before: so nobody may know who that is."""
    monkeypatch.setattr(rounding, "TABLES", [each for each in TABLES if OPENED in each.cells])
    without, with_three = ups(0), ups(3)
    chances = [{ways: count / found.total() for ways, count in found.items()} for found in (without, with_three)]
    apart = sum(abs(chances[0].get(ways, 0) - chances[1].get(ways, 0)) for ways in without | with_three) / 2
    assert apart < 0.13


@pytest.fixture(scope="module")
def made() -> tuple[dict[CellKey, int], dict[CellKey, int]]:
    cells = nation(7)
    return cells, rounded(cells, LAST, KEY)


def errors(
    made: tuple[Cells, Cells], of: Callable[[CellKey], Hashable], names: Iterable[tuple[str, str]]
) -> list[float]:
    """Return by how many fives the sums over what `of` takes together differ from the truth."""
    wanted, found = set(names), defaultdict[Hashable, float](float)
    for sign, cells in zip((1, -1), made, strict=True):
        for key, each in cells.items():
            if (key.measure, key.category) in wanted:
                found[key.measure, key.category, of(key)] += sign * each / STEPS[key.measure, key.category]
    return list(found.values())


SHOWN = COUNTS
OF_AUTHORITIES = [name for name in SHOWN if not NATIONAL_ONLY[name]]


@pytest.mark.parametrize(
    ("of", "names", "usual"),
    [
        pytest.param(lambda key: key.period, SHOWN, 1.2, id="Scotland's months"),
        pytest.param(lambda key: year_of(key.period), SHOWN, 1.4, id="Scotland's years"),
        pytest.param(lambda key: (key.authority, quarter_of(key.period)), OF_AUTHORITIES, 1.2, id="quarters"),
        pytest.param(lambda key: (key.authority, year_of(key.period)), OF_AUTHORITIES, 1.3, id="years"),
    ],
)
def test_sums_stay_near_the_truth(
    made: tuple[dict[CellKey, int], dict[CellKey, int]],
    of: Callable[[CellKey], Hashable],
    names: list[tuple[str, str]],
    usual: float,
) -> None:
    """Counts are within 5 of the truth two times in three, and within 10 nineteen times in twenty, however many cells are summed."""
    found = errors(made, of, names)
    assert pstdev(found) < usual
    assert sum(abs(each) > 4 for each in found) < len(found) / 100
    assert sum(abs(each) <= 1 for each in found) > len(found) * 2 / 3
    assert sum(abs(each) <= 2 for each in found) > len(found) * 0.95


ByName = Mapping[tuple[str, str], Cells]


@pytest.fixture(scope="module")
def by_name(made: tuple[dict[CellKey, int], dict[CellKey, int]]) -> tuple[ByName, ByName]:
    return named(made[0]), named(made[1])


def named(cells: Cells) -> ByName:
    found = defaultdict[tuple[str, str], dict[CellKey, int]](dict)
    for key, each in cells.items():
        found[key.measure, key.category][key] = each
    return found


def sums(cells: ByName, form: Form, of: Callable[[date], str]) -> Counter[tuple[str, str]]:
    """Return the sums by authority and period."""
    found = Counter[tuple[str, str]]()
    for name in cells_in(form):
        for key, each in cells[name].items():
            found[key.authority, of(key.period)] += each
    return found


def shares(cells: ByName, indicator: Indicator, of: Callable[[date], str]) -> dict[tuple[str, str], tuple[int, int]]:
    """Return numerator and denominator by authority and period, where a share is made of them."""
    assert indicator.denominator is not None
    above, below = (sums(cells, form, of) for form in (indicator.numerator, indicator.denominator))
    return {place: (above[place], of) for place, of in sorted(below.items()) if of >= FEWEST and above[place] <= of}


JUDGED = [
    each
    for each in INDICATORS.values()
    if each.kind is Kind.SHARE
    and each.denominator
    and not any(NATIONAL_ONLY.get(name, True) for form in (each.numerator, each.denominator) for name in cells_in(form))
]
"""Shares of which authorities' figures are public."""


def how_far_off(true: tuple[int, int], public: tuple[int, int]) -> float:
    """Return how far off shares are, in steps of the numerator, by numerator and denominator together."""
    (above, below), (shown, out_of) = true, public
    return (shown - above - above / below * (out_of - below)) / STEP


@pytest.mark.parametrize(("of", "usual"), [(quarter_of, 0.8), (year_of, 1.0)], ids=["quarters", "years"])
def test_a_share_is_off_by_less_than_one_step(
    by_name: tuple[ByName, ByName], of: Callable[[date], str], usual: float
) -> None:
    """That is what comparisons and changes allow for; the worst of indicators is off by little more."""
    by_indicator = []
    for indicator in JUDGED:
        true, public = (shares(cells, indicator, of) for cells in by_name)
        by_indicator.append([how_far_off(true[place], public[place]) for place in true.keys() & public.keys()])
    assert pstdev(off for each in by_indicator for off in each) < usual
    assert max(pstdev(each) for each in by_indicator) < 1.2


@pytest.mark.parametrize(
    ("of", "months", "seen"), [(quarter_of, 3, 0.38), (year_of, 12, 0.6)], ids=["quarters", "years"]
)
def test_comparisons_allow_for_rounding_and_for_no_more(
    by_name: tuple[ByName, ByName], of: Callable[[date], str], months: int, seen: float
) -> None:
    """Of authorities that are like Scotland no more than promised are put outside; of those that are not, most that can be are seen."""
    chance, alike, unlike = np.random.default_rng(1), list[bool](), list[bool]()
    off_by = rounding_of(STEP, months)
    for indicator in JUDGED:
        true, public = (shares(cells, indicator, of) for cells in by_name)
        nation = [of_all(each) for each in (true, public)]
        for place in sorted(true.keys() & public.keys()):
            (above, below), (shown, out_of) = true[place], public[place]
            share, published = nation[0][place[1]], Funnel(nation[1][place[1]], out_of, off_by)
            if Funnel(share, below).place(above) is not Place.WITHIN:
                unlike.append(published.place(shown) is not Place.WITHIN)
            off = share * (out_of - below) + STEP * how_far_off(true[place], public[place])
            for drawn in chance.binomial(below, share, 4) + off:
                rounded_to = min(max(round(float(drawn) / STEP) * STEP, 0), out_of)
                alike.append(published.place(rounded_to) is not Place.WITHIN)
    assert min(len(alike), 10 * len(unlike)) > 1000
    assert sum(alike) / len(alike) < 0.05
    assert sum(unlike) / len(unlike) > seen


def of_all(found: dict[tuple[str, str], tuple[int, int]]) -> dict[str, float]:
    """Return the share of all authorities together, by period."""
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for (_, period), pair in found.items():
        totals[period] = [a + b for a, b in zip(totals[period], pair, strict=True)]
    return {period: above / below for period, (above, below) in totals.items()}


OVER_COUNTS = [name for table in TABLES if table.none_without for name in table.cells]


@pytest.mark.parametrize(
    ("of", "most"),
    [
        pytest.param(lambda key: key.period, 25, id="Scotland's months"),
        pytest.param(lambda key: year_of(key.period), 25, id="Scotland's years"),
        pytest.param(lambda key: (key.authority, quarter_of(key.period)), 12, id="quarters"),
        pytest.param(lambda key: (key.authority, year_of(key.period)), 12, id="years"),
    ],
)
def test_sums_over_counts_are_as_far_off_as_is_told(
    made: tuple[dict[CellKey, int], dict[CellKey, int]], of: Callable[[CellKey], Hashable], most: float
) -> None:
    """They must fit the counts as published, so they are further off than these are; the pages say how far."""
    found = [abs(each) for each in errors(made, of, OVER_COUNTS)]
    assert max(found) < most
    assert most == 25 or sum(each < 4 for each in found) / len(found) > 0.9


def test_of_shares_that_do_not_change_no_more_than_promised_are_said_to(
    by_name: tuple[ByName, ByName],
) -> None:
    """With numerators and denominators rounded as they are published, from one quarter to the next."""
    told = [
        is_told_of_a_change(before, now)
        for indicator in JUDGED
        for (place, before), (later, now) in pairwise(shares(by_name[1], indicator, quarter_of).items())
        if place[0] == later[0]
    ]
    assert len(told) > 3000
    assert sum(told) / len(told) < 0.05


def is_told_of_a_change(before: tuple[int, int], now: tuple[int, int]) -> bool:
    lower, upper = difference((before[0], now[0]), (before[1], now[1]), off_by=STEP)
    return not lower <= 0 <= upper


def test_a_release_takes_up_only_the_one_before(made: tuple[dict[CellKey, int], dict[CellKey, int]]) -> None:
    cells, public = made
    assert rounded(cells, LAST, ANOTHER, Earlier(cells, public, ALL)) == public
    assert replace(NOTHING_EARLIER) == Earlier()


def test_a_cell_that_became_public_is_rounded_like_any_other() -> None:
    cells = nation(2, months=3, authorities=4)
    new = ("orders_imposed", "sex=female")
    known = {key: each for key, each in rounded(cells, LAST, KEY).items() if (key.measure, key.category) != new}
    public = rounded(cells, LAST, KEY, Earlier(cells, known, ALL - {new}))
    assert any((key.measure, key.category) == new for key in public)
    for place in places(public):
        assert [found for table in TABLES for found in disagreements(table, public, place)] == []


def test_every_cell_is_in_one_table_only() -> None:
    cells = Counter(cell for table in TABLES for cell in table.cells)
    assert [cell for cell, times in cells.items() if times > 1] == []


def test_every_table_draws_by_a_name_of_its_own() -> None:
    """Draws depend on the name of the table, so that what one shows of its own tells nothing of another's."""
    names = Counter(table.name for table in TABLES)
    assert [name for name, times in names.items() if times > 1 or not isinstance(name, str)] == []
