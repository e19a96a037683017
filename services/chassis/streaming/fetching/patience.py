"""How long Kafka may wait for messages before it answers a fetch: briefly while messages come, and longer in quiet times.

Kafka answers as soon as there is a message, but a partition that was just read is only in the next fetch, so long waits cost time while
messages come. In quiet times short ones cost Kafka and the workers a share of a core for nothing.
"""

from collections.abc import Callable
from time import monotonic

QUIET_SECONDS = 5.0
LONGER = 5


class Patience:
    """Says how long the next fetch may wait, in milliseconds."""

    def __init__(self, milliseconds: int, clock: Callable[[], float] = monotonic) -> None:
        self._milliseconds, self._clock = milliseconds, clock
        self._heard = clock()

    def after(self, *, found: bool) -> int:
        """Return how long the next fetch may wait, after one that found messages or none."""
        now = self._clock()
        if found:
            self._heard = now
        return self._milliseconds if now - self._heard < QUIET_SECONDS else LONGER * self._milliseconds
