"""Delays publishing for authorities with a long backlog, whose cells change faster than anybody reads them."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from time import monotonic

from contracts.topics import authority_of
from services.chassis.streaming.batches import TopicPartition

LONG = 1_000
"""A backlog of more messages than this is long."""
LONGEST_SECONDS = 30.0
"""After this long, the authority is published in spite of its backlog, so that readers see progress."""


class Backlogs:
    """The backlogs of one worker's authorities. No authority waits for another."""

    def __init__(
        self,
        owned: Callable[[], Collection[str]],
        lags: Callable[[], Mapping[TopicPartition, int]],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._owned, self._lags, self._clock = owned, lags, clock
        self._silent_since: dict[str, float] = {}

    def settled(self) -> list[str]:
        """Return the authorities that may be published now."""
        lags: Counter[str] = Counter()
        for source, lag in self._lags().items():
            lags[authority_of(source.topic)] += lag
        return [authority for authority in self._owned() if not self._waits(authority, lags[authority])]

    def _waits(self, authority: str, lag: int) -> bool:
        now = self._clock()
        if lag >= LONG and now - self._silent_since.setdefault(authority, now) < LONGEST_SECONDS:
            return True
        self._silent_since.pop(authority, None)
        return False
