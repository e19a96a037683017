"""Limits log lines of libraries that repeat themselves while something is away, and counts the lines left out."""

import logging
from collections.abc import Callable
from threading import Lock
from time import monotonic

OURS = ("services", "contracts", "deploy", "root", "py")
LINES = 30
"""How many lines one foreign logger may write in a minute."""
MINUTE = 60.0


class Sparing(logging.Filter):
    """Lets all our own lines through, and a few lines a minute of each foreign logger."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock, self._lock = clock, Lock()
        self._begun: dict[str, float] = {}
        self._said: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for lines to leave out. The first line of the next minute gives their number."""
        if record.name.partition(".")[0] in OURS:
            return True
        with self._lock:
            left_out = self._count(record.name)
            if left_out:
                record.msg = f"{record.msg} (and {left_out} lines more in the minute before)"
            return self._said[record.name] <= LINES

    def _count(self, name: str) -> int:
        """Count a line. Returns how many were left out in the minute before, if this line begins another."""
        now, before = self._clock(), 0
        if now - self._begun.get(name, -MINUTE) >= MINUTE:
            before = max(0, self._said.get(name, 0) - LINES)
            self._begun[name], self._said[name] = now, 0
        self._said[name] += 1
        return before
