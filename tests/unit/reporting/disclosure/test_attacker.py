"""The attacker itself: it tells what is pinned from what has room."""

from collections.abc import Callable

import pytest

from tests.support.attacker.program import Cell, Program, Target

ONE, OTHER, THIRD = (Cell(0, "orders_imposed", category, "2025-04", "S12000005") for category in ("a", "b", "c"))
TRUTH = {ONE: 2, OTHER: 3, THIRD: 4}


@pytest.fixture
def program() -> Program:
    """Only the total is told."""
    made = Program(TRUTH.__getitem__)
    made.says(dict.fromkeys(TRUTH, 1), 9, 9)
    return made


@pytest.mark.parametrize(
    ("learn", "pinned"),
    [
        (lambda program: program.says({OTHER: 1, THIRD: 1}, 7, 7), True),
        (lambda program: program.says({OTHER: 1}, 3, 3), False),
        (lambda program: program.says({ONE: 1}, 2, 2), True),
        (lambda program: program.says({ONE: 1}, 1, 3), False),
        (lambda _: None, False),
    ],
)
def test_a_number_is_pinned_when_what_is_learnt_leaves_one_value(
    program: Program, learn: Callable[[Program], None], *, pinned: bool
) -> None:
    assert program.pinned([Target("one", {ONE: 1})], lambda: learn(program)) is pinned


def test_what_was_known_before_is_not_pinned_by_what_is_learnt(program: Program) -> None:
    program.says({ONE: 1}, 2, 2)
    assert not program.pinned([Target("one", {ONE: 1})], lambda: program.says({OTHER: 1}, 3, 3))


def test_a_small_number_is_recovered_only_where_it_has_one_value(program: Program) -> None:
    targets = [Target("one", {ONE: 1}), Target("other", {OTHER: 1})]
    assert program.recovered(targets) == []
    program.says({ONE: 1}, 2, 2)
    assert [target.name for target in program.recovered(targets)] == ["one"]
