"""The pretend nation is near what has been published of the real one."""

from collections import Counter
from datetime import date

import pytest

from services.simulate.calibration import Comparison, compare, left_out, published, report
from services.simulate.marginals import Tally, tally


@pytest.fixture(scope="module")
def found() -> Tally:
    return tally(seed=1, end=date(2026, 6, 1))


def test_every_marginal_is_within_its_tolerance(found: Tally) -> None:
    assert [c for c in compare(found) if not c.holds] == []


def test_every_published_row_is_compared_or_left_out_with_a_reason(found: Tally) -> None:
    compared = {(c.measure, c.period) for c in compare(found)}
    others = left_out()
    assert all(why for _, why in others)
    rows = [row for row in published() if row not in [other for other, _ in others]]
    assert {(row["measure"], row["period"]) for row in rows} <= compared
    assert len(rows) + len(others) == len(published())
    measures = {row["measure"] for row in published()}
    assert measures - {row["measure"] for row in rows} == {"requirement_unpaid_work", "requirement_supervision"}


def test_the_printed_comparison_says_all_of_it(found: Tally, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(found) == 0
    printed = capsys.readouterr().out
    assert "OFF" not in printed
    assert all(c.measure in printed for c in compare(found))
    assert sum("S12000033" in line for line in printed.splitlines()) == 1
    assert printed.count("about one authority") == sum(row["area"] != "S92000003" for row, _ in left_out())


def test_what_is_off_is_marked_and_makes_it_fail(found: Tally, capsys: pytest.CaptureFixture[str]) -> None:
    off = Tally(found.cells.copy(), found.sums.copy())
    off.cells["orders_imposed", "sex=male"] //= 2
    assert report(off) == 1
    assert [line for line in capsys.readouterr().out.splitlines() if "OFF" in line and "sex_male" in line]


def test_the_completion_rate_is_the_one_published_since_2017() -> None:
    ended = {"": 2616, "end_reason=completed": 1744, "end_reason=early_discharge": 57}
    ended |= {"end_reason=transferred_out": 112, "end_reason=died": 31}
    found = Tally(Counter({("orders_ended", reason): number for reason, number in ended.items()}))
    assert round(found.completion_rate(), 1) == 71.9


def test_a_figure_beyond_its_tolerance_is_told() -> None:
    assert not Comparison("m", "2024-25", "percent", published=70, tolerance=2, simulated=72.5).holds
    assert Comparison("m", "2024-25", "percent", published=70, tolerance=2, simulated=68).holds
