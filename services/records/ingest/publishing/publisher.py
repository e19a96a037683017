"""Sends changed cells to `national.aggregates`: absolute values with versions, so that repeats and restarts are harmless."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import takewhile
from operator import attrgetter
from threading import Event as Signal
from time import monotonic
from typing import Protocol

from contracts.cells import Aggregate, Cell, Position, encode_aggregate
from contracts.topics import NATIONAL_AGGREGATES
from services.chassis.database import is_ours
from services.chassis.failures import Away, Failure, TimedOut, backoff, describe
from services.chassis.streaming import told
from services.chassis.streaming.clients.outgoing import Outgoing
from services.chassis.streaming.fetching.waits import Waits
from services.chassis.streaming.seal import HEADER, Sealer
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.publishing.publications import Outstanding

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
"""How often to look even if nobody signalled a change: another worker may have left something behind. In quiet times less often."""
PAUSE_SECONDS = 0.05
BREATHER = 4
"""How much longer to pause than publishing took: while a worker catches up, cells change faster than anybody reads them."""
LONGEST_PAUSE_SECONDS = 2.0
PUT_OFF_SECONDS = 60.0
"""How long to wait before trying again to publish an authority whose cells could not be published."""
FEW_ROWS = 5_000
GROUP = 8


class Turn(Protocol):
    """The right to publish for some authorities, at one moment (services.records.ingest.publishing.publications)."""

    def rows(self) -> Collection[Cell]: ...
    def positions(self) -> Collection[Position]: ...
    def confirm(self) -> None:
        """Raise Away if the turn was lost."""

    def record(self) -> None:
        """Note what was published, at the end of the turn."""


class Publications(Protocol):
    """Keeps which authorities must be published, and which were."""

    def outstanding(self, authorities: Collection[str]) -> Sequence[Outstanding]: ...
    def turn(self, authorities: Collection[str]) -> AbstractContextManager[Turn]: ...


class Producer(Protocol):
    """Sends rows to the topic."""

    def transaction(self) -> AbstractContextManager[None]:
        """Open a transaction. Readers see everything sent within the block once it ends, or never."""

    def send_all(self, records: Iterable[Outgoing]) -> object: ...


def _grouped(outstanding: Sequence[Outstanding]) -> Iterator[Sequence[Outstanding]]:
    """Group authorities to publish together: a few at a time if they were published before, and singly if not, since those may have very
    many rows.
    """
    begin = 0
    while begin < len(outstanding):
        group = (
            list(takewhile(attrgetter("begun"), outstanding[begin : begin + GROUP])) or outstanding[begin : begin + 1]
        )
        yield group
        begin += len(group)


class Publisher:
    """Publishes the shards of `owned` that have changed since they were last published."""

    def __init__(
        self,
        publications: Publications,
        producer: Producer,
        owned: Callable[[], Collection[str]],
        metrics: RecordsMetrics,
        end_dead: Callable[[], None] = lambda: None,
        sealer: Sealer | None = None,
    ) -> None:
        self._publications, self._producer, self._owned = publications, producer, owned
        self._sealer = sealer
        self._metrics, self._end_dead = metrics, end_dead
        self._put_off: dict[str, float] = {}
        """Authorities that failed, and when to try each again."""

    def run(self, changed: Signal, stop: Signal) -> None:
        """Publish until told to stop, immediately after a change. Waits for dependencies that are away; our own bugs pass to the caller."""
        waits, quiet, idle = backoff(0.2, 15), Waits(IDLE_SECONDS), IDLE_SECONDS
        while not stop.is_set():
            idle = quiet.after(found=changed.wait(idle))
            changed.clear()
            try:
                self._end_dead()
                began = monotonic()
                catches_up = self.publish() > FEW_ROWS
                waits = backoff(0.2, 15)
                breather = BREATHER * (monotonic() - began) if catches_up else 0.0
                stop.wait(min(LONGEST_PAUSE_SECONDS, max(PAUSE_SECONDS, breather)))
            except Away as away:
                self._metrics.publish_failures.inc()
                log.warning("not published yet: %s", away)
                stop.wait(next(waits))

    def publish(self) -> int:
        """Send what changed, and return how many rows were sent. Raises Away. If our code fails on one authority,
        only that one is delayed.
        """
        outstanding = self._publications.outstanding([code for code in self._owned() if not self._waits(code)])
        return sum(self._contained([one.authority for one in group]) for group in _grouped(outstanding))

    def _waits(self, authority: str) -> bool:
        return bool(self._put_off) and self._put_off.get(authority, 0.0) > monotonic()

    def _contained(self, authorities: Sequence[str]) -> int:
        try:
            sent = self._publish(authorities)
        except TimedOut as fault:  # one authority alone may be too much, and the others must not wait for it
            return self._apart(authorities, fault)
        except Failure:
            raise
        except Exception as fault:
            if is_ours(fault):
                raise
            return self._apart(authorities, fault)
        for authority in authorities if self._put_off else ():
            self._put_off.pop(authority, None)
            self._metrics.put_off.labels(authority).set(0)
        return sent

    def _apart(self, authorities: Sequence[str], fault: Exception) -> int:
        """Publish one by one, and put off only the authority that fails. Returns how many rows were sent."""
        if len(authorities) > 1:
            return sum(self._contained([authority]) for authority in authorities)
        (authority,) = authorities
        log.error("cells of %s cannot be published: %s", authority, describe(fault))
        self._put_off[authority] = monotonic() + PUT_OFF_SECONDS
        self._metrics.put_off.labels(authority).set(1)
        return 0

    def _publish(self, authorities: Collection[str]) -> int:
        """Read, send and confirm within one turn, and make the rows visible only then. Returns how many rows were sent.

        Readers must never see a cell go back, nor may the log, whose order decides what compaction keeps. A publisher that loses its turn
        before it has sent finds out before it commits; one that loses it later already has its place in the log before its successor.
        """
        latest = self._metrics.latest.take(authorities)
        try:
            with self._publications.turn(authorities) as turn:
                rows = turn.rows()
                with self._producer.transaction():
                    self._send(rows)
                    self._producer.send_all(self._placed(position, latest) for position in turn.positions())
                    turn.confirm()
                turn.record()
        except BaseException:
            self._metrics.latest.note(latest)
            raise
        self._metrics.published.inc(len(rows))
        return len(rows)

    def _send(self, aggregates: Collection[Aggregate]) -> None:
        self._producer.send_all(map(self._record, aggregates))

    def _record(self, aggregate: Aggregate) -> Outgoing:
        key, value = aggregate.key.encode(), encode_aggregate(aggregate)
        headers = ((HEADER, self._sealer.seal(key, value)),) if self._sealer else ()
        return Outgoing(NATIONAL_AGGREGATES, key, value, headers=headers)

    def _placed(self, position: Position, latest: Mapping[str, float]) -> Outgoing:
        """Return the record of a position, which tells when its latest event happened."""
        record, at = self._record(position), latest.get(position.authority)
        return record if at is None else record._replace(headers=(*record.headers, told.header(at)))
