"""Freezes a worker's brokers while it runs files that use none: each takes a fiftieth of a core to wait for nobody.

A worker takes such files last, so brokers are as good as stopped, and yet there for a file that another worker left when it died.
"""

import signal

import pytest

from tests.support.kafka import RUNNING
from tests.support.running.together import QUIET


class Resting:
    """A plugin of pytest."""

    def __init__(self) -> None:
        self._frozen = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Freeze them at the first test of such files, and let them go on at the first of others."""
        self.begin(item.nodeid)

    def begin(self, test: str) -> None:
        if (freeze := test.startswith(QUIET)) is not self._frozen:
            self._frozen = freeze
            for broker in RUNNING:
                broker.send_signal(signal.SIGSTOP if freeze else signal.SIGCONT)
