"""How much is asked: of every kind a part by `make test`, and all of it, with more examples, by `make test-thorough`."""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

THOROUGH = bool(os.environ.get("PAYBACK_TEST_THOROUGH"))
TIMES = 8
TURN = int(os.environ.get("PAYBACK_TEST_TURN", "0"))
"""Which part this run asks, where another one is asked tomorrow. The first process of a run chooses, by the day, and those that it starts
ask the same (`tests/conftest.py`); the end of the run says it, so that it can be given.
"""


def examples(usually: int) -> int:
    """Return how many examples Hypothesis is to try."""
    return usually * TIMES if THOROUGH else usually


def turns(each: Sequence[T], turn: int, some: int = 1) -> Sequence[T]:
    """Return some of these, other ones at each turn, so that all have been there after as many turns as there are; or all."""
    if THOROUGH or some >= len(each):
        return each
    return [each[(turn * some + place) % len(each)] for place in range(some)]


def comes(turn: int, of: int) -> bool:
    """Return whether it is the turn of one of several, of which one is asked at each turn; or all are."""
    return THOROUGH or turn % of == 0
