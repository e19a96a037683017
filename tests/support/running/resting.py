"""Freezes a worker's brokers while it runs files that use none: each takes a fiftieth of a core to wait for nobody.

They are as good as stopped, and yet there for the next file that asks for them.
"""

import signal
import time
from collections.abc import Iterable

import pytest

from tests.support.kafka import RUNNING, KafkaProcess
from tests.support.running.together import QUIET, scope_of

SETTLES = 1.5
"""Seconds after which a broker that was away has been missed by its controller, if it was, and is back."""


class Resting:
    """A plugin of pytest.

    A broker of all tests rests until the first test that asks for its fixture, and from then on runs for all of the file, and of those that
    share a platform with it. A broker of anybody's own rests in files only that wait for nobody.
    """

    def __init__(self) -> None:
        self._frozen: set[KafkaProcess] = set()
        self._scope, self._asked_for = "", set[str]()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Freeze those that nobody asks for, and let go on those that this test does."""
        self.begin(item.nodeid, item.fixturenames if isinstance(item, pytest.Function) else ())

    def begin(self, test: str, fixtures: Iterable[str]) -> None:
        if (scope := scope_of(test)) != self._scope:
            self._scope, self._asked_for = scope, {""}
        self._asked_for.update(fixtures)
        resting = {one for one in RUNNING if test.startswith(QUIET) or one.fixture not in self._asked_for}
        for broker in resting - self._frozen:
            broker.send_signal(signal.SIGSTOP)
        woken = (self._frozen & RUNNING) - resting
        for broker in woken:
            broker.send_signal(signal.SIGCONT)
        self._frozen = resting
        if woken:
            time.sleep(SETTLES)
        for broker in woken:
            broker.wait()
