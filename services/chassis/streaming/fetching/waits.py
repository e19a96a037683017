"""How long to wait before looking again: briefly while something happens, and longer in quiet times.

Kafka answers a fetch as soon as there is a message, but a partition that was just read is only in the next fetch, so long waits cost time
while messages come. In quiet times short ones cost Kafka and the workers a share of a core for nothing.
"""

from collections.abc import Callable
from time import monotonic

QUIET_SECONDS, LONGER = 5.0, 5
VERY_QUIET_SECONDS, LONGEST = 60.0, 10
"""After so long without anything, each wait may be so many times the usual one."""


class Waits:
    """Says how long the next wait may be, in the unit in which it is told how long it usually is."""

    def __init__(self, usual: float, clock: Callable[[], float] = monotonic) -> None:
        self._usual, self._clock = usual, clock
        self._heard = clock()

    def after(self, *, found: bool) -> float:
        """Return how long the next wait may be, after one that found something or nothing."""
        now = self._clock()
        if found:
            self._heard = now
        silence = now - self._heard
        if silence < QUIET_SECONDS:
            return self._usual
        return self._usual * (LONGER if silence < VERY_QUIET_SECONDS else LONGEST)
