"""Looks beside the work go on, whatever they meet once: nobody would notice that they had ended."""

from contextlib import nullcontext
from threading import Event
from typing import Any, cast

import pytest

from services.records.ingest import run_worker
from services.reporting.ingest import lacking


class Meeting:
    """Answers, but for the first time."""

    def __init__(self, answer: object) -> None:
        self._answers = iter([answer])
        self._fails = True

    def __call__(self, *_: object) -> object:
        if self._fails:
            self._fails = False
            raise LookupError("a table is still to be made")
        return next(self._answers)


class Looking:
    """A worker, and its stream."""

    def __init__(self, stop: Event) -> None:
        self.is_up_to_date, self.go_back = Meeting(answer=False), stop.set

    def owned(self) -> list[str]:
        return ["S12000005"]

    def measure(self) -> None:
        pass


def test_who_is_released_is_noticed_whatever_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_worker, "LOOK_SECONDS", 0.0)
    stop = Event()
    one = cast(Any, Looking(stop))
    run_worker._watch(one, one, stop)
    assert stop.is_set()


def test_rows_are_compared_whatever_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lacking, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(lacking, "transaction", nullcontext)
    monkeypatch.setattr(lacking, "unequal", Meeting(answer=["a shard"]))
    stop, told = Event(), list[object]()

    class Metrics:
        def unequal(self, found: object) -> None:
            told.append(found)
            stop.set()

    lacking.keep_comparing(cast(Any, None), cast(Any, Metrics()), stop)
    assert told == [["a shard"]]
