"""A list of orders shows what both services know of each."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.desk.course import course
from services.desk.model.orders import Fact, OrderDetail
from services.desk.pages.orders import OrderRow, batched

DAY = date(2026, 3, 2)


def row(late: list[str], overdue: list[str], due: date | None, caseload: str | None = None) -> OrderRow:
    return OrderRow("A/1", DAY, None, late, overdue, due, ["gap"], caseload)


def test_an_order_has_the_standards_of_both() -> None:
    one = row(["plan"], [], date(2026, 4, 1))
    other = row(["induction"], ["placement"], date(2026, 3, 4), "team-1")
    both = one.with_other(other)
    assert (both.late, both.overdue, both.next_due_on) == (["plan", "induction"], ["placement"], date(2026, 3, 4))
    assert (both.findings, both.caseload) == (["gap"], "team-1")
    assert one.with_other(None) == one
    assert row([], [], None).with_other(row([], [], None)).next_due_on is None


def test_an_order_of_which_everything_was_withdrawn_says_so() -> None:
    told = [Fact(key, key, datetime(2026, 3, 2, tzinfo=UTC), True, None) for key in ("imposed", "received")]
    kept = structs.replace(told[0], withdrawn=False)
    for facts, emptied in ((told, True), ([told[1], kept], False), ([], False)):
        found = course(OrderDetail("A/1", None, None, False, [], [], [], facts), None)
        assert found is not None
        assert found.emptied is emptied


@given(st.lists(st.text(max_size=3), max_size=30), st.integers(1, 7))
def test_no_reference_is_lost_in_asking_for_some_at_a_time(subjects: list[str], most: int) -> None:
    parts = list(batched(subjects, most))
    assert [one for part in parts for one in part] == subjects
    assert all(0 < len(part) <= most for part in parts)
