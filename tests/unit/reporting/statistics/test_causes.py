"""Why figures moved: whatever moved, the parts by cause add up to it."""

from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.registry.indicators import Form
from services.reporting.statistics.causes import OF_CELLS, Cause, Counts, Move, Step, by_cause, moves, split

FIRST_DAY = date(2026, 3, 31)
CATEGORIES = ("", "sex=male", "sex=female", "band=within_1", "band=over_5", "on_time", "late")
by = st.integers(-50, 50)
steps = st.builds(
    Step,
    st.sampled_from(["orders_imposed", "first_contact"]),
    st.sampled_from(["S12000047", "S12000049"]),
    st.sampled_from([date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)]),
    st.sampled_from(CATEGORIES),
    st.integers(1, 20).map(lambda days: FIRST_DAY + timedelta(days=days)),
    by,
)


def by_cell(found: list[Step] | list[Move]) -> Counter[tuple[object, ...]]:
    total: Counter[tuple[object, ...]] = Counter()
    for each in found:
        total[each[:4]] += each.by
    return Counter({key: value for key, value in total.items() if value})


@given(st.lists(steps, max_size=40))
def test_the_parts_of_each_cell_add_up_to_its_moves(found: list[Step]) -> None:
    assert by_cell(list(moves(found, FIRST_DAY))) == by_cell(found)


@given(st.lists(steps, max_size=40))
def test_the_parts_of_a_figure_add_up_to_the_difference(found: list[Step]) -> None:
    part, whole = Form("first_contact", ["band=within_1"]), Form("first_contact", ["band=within_1", "band=over_5"])
    parts = by_cause(moves(found, FIRST_DAY), part, whole)

    def difference(form: Form) -> int:
        return sum(s.by for s in found if s.measure == form.measure and s.category in form.categories)

    assert sum((parts[cause] for cause in OF_CELLS), Counts(0, 0)) == Counts(difference(part), difference(whole))


@given(st.dictionaries(st.sampled_from(CATEGORIES), by))
def test_what_was_corrected_adds_up_to_nothing(group: dict[str, int]) -> None:
    total: Counter[Cause] = Counter()
    for _, cause, part in split(group):
        total[cause] += part
    net = sum(group.values())
    assert total[Cause.CORRECTED] == 0
    assert (total[Cause.LATE], total[Cause.WITHDRAWN]) == (max(net, 0), min(net, 0))


def test_a_correction_moves_a_case_and_a_late_event_adds_one() -> None:
    assert list(split({"sex=male": 2, "sex=female": -1})) == [
        ("sex=female", Cause.CORRECTED, -1),
        ("sex=male", Cause.CORRECTED, 1),
        ("sex=male", Cause.LATE, 1),
    ]


def test_a_withdrawn_order_takes_one_away() -> None:
    assert list(split({"": -1})) == [("", Cause.WITHDRAWN, -1)]


def test_a_month_that_was_not_over_only_grew() -> None:
    step = Step("orders_imposed", "S12000049", date(2026, 4, 1), "", date(2026, 4, 3), 5)
    assert list(moves([step], FIRST_DAY)) == [Move(*step[:4], Cause.NEW, 5)]
    assert next(moves([step], date(2026, 4, 30))).cause is Cause.LATE
