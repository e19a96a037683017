"""The work of each of the others on an event: it is decoded and folded into its order, and the rows are made that a worker would write."""

import os
import time
from collections import defaultdict
from datetime import date

from contracts.events import Topic
from contracts.topics import authority_of
from services.orders.domain import domain
from services.records.model.bank_holidays import scotland
from services.records.model.counting import Counted, merge
from services.records.model.deadlines import Cells
from services.records.model.fold import fold, read, subjects
from services.records.model.record import dump
from services.records.model.summary import summary
from tests.support.scenario import Sent


class Folding:
    """The rules of orders, and the cells that came out."""

    def __init__(self, expected: int) -> None:
        self.domain = domain(scotland())
        self.empty = self.domain.counted({})
        self._expected, self._done, self._began = expected, 0, 0.0
        self._known: dict[str, date] = defaultdict(lambda: date.min)
        self._cells: dict[str, dict[date, Cells]] = defaultdict(lambda: defaultdict(dict))

    def take(self, topic: str, value: bytes, timestamp: int, held: Counted | None) -> Counted | None:
        """Return the order after an event, or None if it changes none. `timestamp` is in milliseconds."""
        self._began = self._began or time.monotonic()
        authority = authority_of(topic)
        [arrival] = read(Topic.ORDERS, authority, [Sent(self._done, value, timestamp)], self._known[authority])
        self._known[authority] = arrival.day
        named = subjects([arrival], self.domain)
        folded = fold([arrival], dict.fromkeys(named, held or self.empty), self.domain)
        for day, deltas in folded.cells.items():
            merge(self._cells[authority][day], deltas)
        [after] = folded.records.values() or [None]
        if after is not None:
            dump(after.record), summary(after)
        self._count()
        return after

    def _count(self) -> None:
        self._done += 1
        if self._done == self._expected:
            seconds = time.monotonic() - self._began
            processor = sum(os.times()[:2])
            print(f"{self._done} {seconds:.3f} {processor:.3f}", flush=True)


def told() -> tuple[str, list[str], int]:
    """Return the broker, the topics and the number of their events, as bench_peers gives them."""
    return os.environ["PEERS_KAFKA"], os.environ["PEERS_TOPICS"].split(","), int(os.environ["PEERS_EVENTS"])
