"""How long to wait before looking again: briefly while something happens, and longer in quiet times.

Kafka answers a fetch as soon as there is a message, but a partition that was just read is only in the next fetch, so long waits cost time
while messages come. In quiet times short ones cost Kafka and the workers a share of a core for nothing.
"""

from collections.abc import Callable
from time import monotonic

QUIET_SECONDS = 5.0
LONGER = 5


class Patience:
    """Says how long the next wait may be, in the unit in which it is told how long it usually is."""

    def __init__(self, usual: float, clock: Callable[[], float] = monotonic) -> None:
        self._usual, self._clock = usual, clock
        self._heard = clock()

    def after(self, *, found: bool) -> float:
        """Return how long the next wait may be, after one that found something or nothing."""
        now = self._clock()
        if found:
            self._heard = now
        return self._usual if now - self._heard < QUIET_SECONDS else LONGER * self._usual
