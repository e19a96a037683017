"""Begins a test that must see one day only when its day is not about to end, in London or in UTC.

Some tests ask for the day and compare it with what a process says a moment later, or count by days what a real process does. They are
marked `one_day`. The mark of a module counts once, for what its tests share: `pytest.mark.one_day(seconds=600)` says how long they take.
"""

import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day

import pytest

from contracts.clock import Clock, system_clock
from contracts.periods import LONDON

MARK = "one_day"
SECONDS = 300
"""How long a test may take that says nothing else: the timeout of each."""


class OneDay:
    """Lets midnight pass before the tests that need it."""

    def __init__(self, clock: Clock = system_clock, sleep: Callable[[float], None] = time.sleep) -> None:
        self._clock, self._sleep = clock, sleep
        self._begun: set[str] = set()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Wait outside the time that a test may take, and before its fixtures are made."""
        for node, mark in item.iter_markers_with_node(MARK):
            if node.nodeid not in self._begun:
                self._begun.add(node.nodeid)
                self.wait(**mark.kwargs)
        return (yield)

    def wait(self, seconds: float = SECONDS) -> None:
        """Wait until so many seconds are left of the day."""
        while (left := seconds_left(self._clock())) < seconds:
            self._sleep(left)


def seconds_left(now: datetime) -> float:
    """Return how long it is until the next midnight, in London or in UTC."""
    midnights = (
        datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time_of_day(), zone) for zone in (UTC, LONDON)
    )
    return min((midnight - now).total_seconds() for midnight in midnights)
