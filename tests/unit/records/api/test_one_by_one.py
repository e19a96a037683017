"""One request runs at a time, and an authority that asks without a pause keeps nobody from their turn."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from services.chassis.api.problems import Problem
from services.records.api import one_by_one
from services.records.api.one_by_one import OneByOne

A, B, C = "S12000005", "S12000036", "S12000049"


def test_another_authority_gets_its_turn_from_one_that_asks_again_and_again() -> None:
    turns, inside, end = OneByOne(), Event(), Event()

    def hold() -> None:
        with turns.take(A):
            inside.set()
            assert end.wait(10)

    def other() -> str:
        with turns.take(B):
            assert end.is_set(), "two at once"
            return "its turn"

    with ThreadPoolExecutor() as threads:
        first = threads.submit(hold)
        assert inside.wait(10)
        second = threads.submit(other)
        for _ in range(3):
            with pytest.raises(Problem), turns.take(A):
                pass
        end.set()
        first.result(10)
        assert second.result(10) == "its turn"
    with turns.take(A):
        pass


def test_only_so_many_wait_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = OneByOne(wait_seconds=0.01)
    with turns.take(A):
        with pytest.raises(Problem) as refused, turns.take(B):
            pass
        assert refused.value.status_code == 429
        monkeypatch.setattr(one_by_one, "MOST_IN_LINE", 1)
        with pytest.raises(Problem), turns.take(C):
            pass
    with turns.take(B):
        pass


def test_who_fails_gives_the_turn_back() -> None:
    turns = OneByOne()
    with pytest.raises(ValueError, match="ours"), turns.take(A):
        raise ValueError("ours")
    with turns.take(A):
        pass
