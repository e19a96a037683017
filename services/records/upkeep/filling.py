"""Fills empty tables from the log, one authority at a time. Nobody else reads or writes them yet, so all that a worker must look up is
held in memory, and written once.

What it makes is what a worker makes of the same log. The topics of an authority are cut at the same days, so that each day is counted once.
"""

import logging
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection

from contracts.periods import LONDON
from contracts.topics import authority_of, kind_of_topic
from services.chassis.clock import system_clock
from services.chassis.database import engine, is_ours, transaction
from services.chassis.failures import Failure, describe
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streaming import positions
from services.chassis.streaming.batches import Bounds, Slice, SourceIdentity, TopicPartition
from services.chassis.streaming.clients.log import Log
from services.records.ingest import notes, store, times
from services.records.ingest.cache import room_of
from services.records.ingest.guarding import parking
from services.records.ingest.sequences import counters
from services.records.ingest.store import Write
from services.records.ingest.times import Times
from services.records.ingest.worker import put_aside
from services.records.model.counting import Counted
from services.records.model.domain import Domain
from services.records.model.fold import Arrival, Folded, fold, read, subjects
from services.records.model.people import Stays, plan
from services.records.model.record import load

log = logging.getLogger(__name__)

PORTION = 20_000
"""How many events are counted together, at least, unless they are all."""
HELD = 10_000
"""How many usual records are held as they are, a large one for several. Those that have not changed for longest are held as rows, which
take a quarter of the memory.
"""
Tell = Callable[[int], None]
"""Called with how many offsets of an authority are done."""


class Stretch(NamedTuple):
    """The topics of one authority, and how far each goes."""

    identities: Mapping[TopicPartition, SourceIdentity]
    bounds: Mapping[TopicPartition, Bounds]

    @property
    def authority(self) -> str:
        return authority_of(next(iter(self.bounds)).topic)

    @property
    def size(self) -> int:
        return sum(bounds.end for bounds in self.bounds.values())


class Filler:
    """Reads and writes what one process fills."""

    def __init__(self, settings: DatabaseSettings, kafka: KafkaSettings, domain: Domain) -> None:
        unhurried = {"statement_timeout_seconds": 0.0, "idle_transaction_seconds": 0.0}
        self._database, self._domain = engine(settings.model_copy(update=unhurried)), domain
        self._log = Log(kafka, [])

    def fill(self, stretch: Stretch, tell: Tell) -> int:
        """Fill the tables of one authority, and return how many events that took; 0 if it is left to the worker, since it fails on one of
        the events. Raises Away or Refused; then nothing of it is written.
        """
        try:
            with transaction(self._database) as connection:
                return _Filling(connection, self._domain, stretch).fill(self._log, tell)
        except Failure:
            raise
        except Exception as fault:
            if is_ours(fault):
                raise
            log.warning("left %s to the worker: %s", stretch.authority, describe(fault))
            return 0

    def close(self) -> None:
        self._log.close()
        self._database.dispose()


class _AheadOfTheClock(Exception):
    """A day lies ahead of all clocks. A worker goes back from there, which depends on its batches."""


class _Filling:
    """One authority while its tables are filled."""

    def __init__(self, connection: Connection, domain: Domain, stretch: Stretch) -> None:
        authority = stretch.authority
        self._connection, self._stretch = connection, stretch
        self._claimed = positions.claim(connection, stretch.identities)
        self._shard = store.load_shards(connection, [authority])[authority]
        self._skipped = parking.skipped(connection)
        self._noted = times.noted(connection, self._claimed)
        self._domain = notes.with_own_days(connection, domain, [authority]).of(authority)
        self._held = _Held(authority, self._domain)
        self._people: dict[str, Stays] = {}
        self._refused: set[str] = set()
        self._waiting: dict[TopicPartition, list[Arrival]] = {source: [] for source in stretch.bounds}
        self._last: dict[TopicPartition, Slice] = {}
        self._unfinished = {source for source, bounds in stretch.bounds.items() if bounds.first < bounds.end}

    def fill(self, log: Log, tell: Tell) -> int:
        """Read everything and write it. Returns how many events."""
        number = 0
        log.read_only({source: bounds.first for source, bounds in self._stretch.bounds.items()})
        while self._unfinished:
            for piece in log.slices(PORTION):
                self._take(piece)
                number += len(piece.messages)
            self._unfinished = {at for at in self._unfinished if log.position(at) < self._stretch.bounds[at].end}
            if not self._unfinished or sum(map(len, self._waiting.values())) >= PORTION:
                self._write(self._ready())
                tell(sum(min(log.position(at), bounds.end) for at, bounds in self._stretch.bounds.items()))
        self._finish()
        return number

    def _take(self, piece: Slice) -> None:
        believe = Times(system_clock(), self._noted)
        waiting = self._waiting[piece.source]
        reached = self._reached(piece.source)
        arrived = read(kind_of_topic(piece.topic), self._stretch.authority, believe.believed(piece), reached)
        if arrived[-1].day > believe.latest.astimezone(LONDON).date():
            raise _AheadOfTheClock(piece.topic)
        waiting += put_aside(piece.source, arrived, self._skipped)
        times.note(self._connection, believe.replaced)
        self._last[piece.source] = Slice(piece.topic, piece.partition, piece.messages[-1:])

    def _reached(self, source: TopicPartition) -> date:
        waiting = self._waiting[source]
        return waiting[-1].day if waiting else self._shard.reached.get(kind_of_topic(source.topic), store.EARLIEST)

    def _ready(self) -> list[Arrival]:
        """Take what waits, up to a day of which every topic has given all; and in the end, everything."""
        ends = [self._waiting[at][-1].day if self._waiting[at] else date.min for at in self._unfinished]
        ready: list[Arrival] = []
        for source, waiting in self._waiting.items():
            end = bisect_left(waiting, min(ends), key=attrgetter("day")) if ends else len(waiting)
            ready += waiting[:end]
            self._waiting[source] = waiting[end:]
        return ready

    def _write(self, arrivals: list[Arrival]) -> None:
        if not arrivals:
            return
        domain = self._domain
        held = {subject: self._held.take(subject) for subject in subjects(arrivals, domain)}
        folded = fold(arrivals, held, domain)
        after = self._shard.after(folded.arrived, counted_by=domain.rules)
        self._count_people(folded)
        writes = self._follow(folded) if domain.follows_counters else []
        store.bump(self._connection, [after])
        for write in writes:
            write()
        store.append(self._connection, domain, after, folded, self._refused)
        self._shard = after
        self._held.keep(held | folded.records)

    def _follow(self, folded: Folded) -> list[Write]:
        followed = counters.follow(self._connection, {self._stretch.authority: folded.arrived})
        folded.add(followed.cells.get(self._stretch.authority, {}))
        return list(counters.stage(self._connection, followed))

    def _count_people(self, folded: Folded) -> None:
        known = {stay.person: self._people.get(stay.person, Stays()) for _, stay, _ in folded.people}
        people = plan(known, folded.people)
        folded.add(people.cells)
        for stay, orders in people.orders.items():
            self._people.setdefault(stay.person, Stays())[stay] = orders

    def _finish(self) -> None:
        store.append_records(self._connection, self._held.rows())
        store.append_people(self._connection, self._stretch.authority, self._people.values())
        if self._last:
            positions.advance(self._connection, self._claimed, list(self._last.values()))


class _Held:
    """The records of one authority."""

    def __init__(self, authority: str, domain: Domain) -> None:
        self._authority, self._domain, self._empty = authority, domain, domain.counted({})
        self._records: OrderedDict[str, Counted] = OrderedDict()
        self._rows: dict[str, tuple[Any, ...]] = {}
        self._room = 0

    def take(self, subject: str) -> Counted:
        """Take a record out, as it is so far; an empty one if there is none."""
        if (found := self._records.pop(subject, None)) is not None:
            self._room -= room_of(len(found.record))
            return found
        row = self._rows.pop(subject, None)
        return self._domain.counted(load(row[2])) if row else self._empty

    def keep(self, changed: Mapping[str, Counted]) -> None:
        """Keep records that were taken."""
        for subject, held in changed.items():
            if held.record:
                self._records[subject] = held
                self._room += room_of(len(held.record))
        while self._room > HELD:
            subject, held = self._records.popitem(last=False)
            self._room -= room_of(len(held.record))
            self._rows[subject] = store.record_row(self._authority, subject, held)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield all records as they are stored, and let go of them."""
        yield from self._rows.values()
        while self._records:
            yield store.record_row(self._authority, *self._records.popitem())
