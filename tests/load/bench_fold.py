"""Measure what an event costs the rules: `python -m tests.load.bench_fold [months]`.

A simulated nation is decoded, folded and summarised in memory, in batches as a worker takes them, without Kafka and
PostgreSQL. Costs are counted in processor time, so that other work on the machine weighs little. A checksum of the results
is printed, by which two versions of the code show that they count the same.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from contracts.events import Topic
from contracts.topics import authority_of, kind_of_topic
from services.chassis.memory import collect_seldom
from services.orders.domain import domain as orders
from services.records.model.bank_holidays import scotland
from services.records.model.counting import Counted, merge
from services.records.model.deadlines import Cells
from services.records.model.domain import Domain
from services.records.model.fold import Arrival, fold, read, subjects
from services.records.model.record import dump
from services.records.model.summary import summary
from services.simulate.nation import Simulation
from services.unpaid_work.domain import domain as unpaid_work
from tests.support.scenario import Sent

MONTHS, END = 6, date(2026, 4, 1)
BATCH = 20_000
STAGES = "decode", "fold", "rows"


class Held:
    """The state that a worker keeps of one service."""

    def __init__(self, domain: Domain) -> None:
        self.domain, self.empty = domain, domain.counted({})
        self.records: dict[tuple[str, str], Counted] = {}
        self.cells: dict[str, dict[date, Cells]] = defaultdict(lambda: defaultdict(dict))
        self.known: dict[tuple[str, Topic], date] = {}
        self.seconds = dict.fromkeys(STAGES, 0.0)

    def take(self, batch: "Batch") -> None:
        """Decode and fold what came of each authority, and make the rows that are written."""
        for authority, topics in batch.items():
            began = time.process_time()
            known_before = max(self.known.get((authority, kind), date.min) for kind in self.domain.kinds)
            arrivals = [arrival for kind in self.domain.kinds for arrival in self._read(authority, kind, topics)]
            self._spent("decode", began)
            self._fold(authority, arrivals, known_before)

    def _read(self, authority: str, kind: Topic, topics: "dict[Topic, list[Sent]]") -> list[Arrival]:
        arrived = read(kind, authority, topics.get(kind, ()), self.known.get((authority, kind), date.min))
        if arrived:
            self.known[authority, kind] = arrived[-1].day
        return arrived

    def _fold(self, authority: str, arrivals: list[Arrival], known_before: date) -> None:
        began = time.process_time()
        held = {subject: self._held(authority, subject) for subject in subjects(arrivals, self.domain)}
        folded = fold(arrivals, held, self.domain, known_before)
        began = self._spent("fold", began)
        for subject, counted in folded.records.items():
            self.records[authority, subject] = counted
            dump(counted.record), summary(counted)
        self._spent("rows", began)
        for day, deltas in folded.cells.items():
            merge(self.cells[authority][day], deltas)

    def _held(self, authority: str, subject: str) -> Counted:
        return self.records.get((authority, subject)) or self.empty

    def _spent(self, stage: str, began: float) -> float:
        now = time.process_time()
        self.seconds[stage] += now - began
        return now

    def checksum(self) -> str:
        """Return a checksum of all cells by day, and of all records."""
        cells = sorted(
            (code, day, *cell, value)
            for code, days in self.cells.items()
            for day, deltas in days.items()
            for cell, value in deltas.items()
            if value
        )
        found = sha256(repr(cells).encode())
        for key in sorted(self.records):
            found.update(repr((key, summary(self.records[key]))).encode() + dump(self.records[key].record))
        return found.hexdigest()[:16]


Batch = dict[str, dict[Topic, list[Sent]]]


class Told(NamedTuple):
    """A batch, and how many events of each topic are in it."""

    batch: Batch
    events: dict[Topic, int]


def batches(months: int) -> Iterator[Told]:
    """Yield the nation's events in order of arrival."""
    deliveries = Simulation(1, months, END).deliveries()
    number = 0
    while group := list(islice(deliveries, BATCH)):
        number += 1
        batch: Batch = defaultdict(lambda: defaultdict(list))
        events: dict[Topic, int] = dict.fromkeys(Topic, 0)
        for place, one in enumerate(group):
            kind = kind_of_topic(one.topic)
            batch[authority_of(one.topic)][kind].append(Sent(number * BATCH + place, one.value, one.arrived))
            events[kind] += 1
        yield Told(batch, events)


def main(months: int) -> None:
    """Print microseconds of processor time an event, by service and stage."""
    told = list(batches(months))
    print(f"{sum(sum(one.events.values()) for one in told):,} events of {months} months")
    for domain in (orders(scotland()), unpaid_work(scotland())):
        held = Held(domain)
        collect_seldom()
        for one in told:
            held.take(one.batch)
        count = sum(one.events[kind] for one in told for kind in domain.kinds)
        stages = "  ".join(f"{name} {1e6 * spent / count:5.1f}" for name, spent in held.seconds.items())
        total = 1e6 * sum(held.seconds.values()) / count
        print(f"{domain.service:<12} {total:6.1f} µs an event: {stages}   {held.checksum()}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MONTHS)
