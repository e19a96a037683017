"""PostgreSQL and Kafka of the simulation: only what keeps the promises on which engine and publisher rely."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from random import Random

from contracts.cells import Cell, Position, decode_aggregate
from services.chassis.failures import Away, Fenced
from services.chassis.streaming.clients.outgoing import Outgoing
from services.records.ingest.publishing.publications import Outstanding
from tests.support.simulation.loop import pause

DAY = date(2026, 3, 1)
HEARD = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(slots=True)
class Transaction:
    """The transaction of a producer."""

    entries: list[tuple[str, int, int]] = field(default_factory=list)
    """Key, offset and version of each record."""
    ended: bool = False


@dataclass
class World:
    """The state that outlives every process. `wrong` lists whatever must never happen."""

    random: Random
    sources: tuple[str, ...]
    faults: bool = True
    wrong: list[str] = field(default_factory=list)
    # Kafka
    ends: dict[str, int] = field(default_factory=dict)
    end: int = 0
    seen: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """Offset and version of what readers of the national topic see of each key, in the order of the log."""
    open: list[Transaction] = field(default_factory=list)
    # PostgreSQL
    positions: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    counted_by: dict[str, int] = field(default_factory=dict)
    published: dict[str, int] = field(default_factory=dict)
    turns: dict[str, "SimulatedTurn"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for held in (self.ends, self.positions, self.versions, self.counts, self.counted_by, self.published):
            held.update(dict.fromkeys(self.sources, 0))

    def may_fail(self, what: str) -> None:
        """Raise Away now and then."""
        if self.faults and self.random.random() < 0.04:
            raise Away(what)

    def take(self, moves: Mapping[str, tuple[int, Sequence[int]]], versions: Mapping[str, int]) -> None:
        """Commit once: offsets are compared and set, and so is each shard's version."""
        for source, (old, _) in moves.items():
            if self.positions[source] != old or self.versions[source] != versions[source]:
                raise Fenced(f"{source} is elsewhere")
        for source, (_, offsets) in moves.items():
            due = self.counts[source]
            if list(offsets) != list(range(due, due + len(offsets))):
                self.wrong.append(f"after {due} of {source} came {offsets}")
            self.counts[source] += len(offsets)
            self.positions[source] = offsets[-1] + 1
            self.versions[source] += 1

    def recount(self, source: str, version: int, rules: int) -> None:
        if self.versions[source] != version:
            raise Fenced(f"{source} is elsewhere")
        self.versions[source] += 1
        self.counted_by[source] = rules

    def append(self, record: Outgoing) -> tuple[str, int, int]:
        assert record.value is not None
        aggregate = decode_aggregate(record.value)
        self.end += 1
        return aggregate.key, self.end, aggregate.version

    def show(self, entries: Iterable[tuple[str, int, int]]) -> None:
        """Show entries to readers. Versions of one key must not go back in the order of the log, since compaction keeps the last."""
        for key, offset, version in entries:
            seen = self.seen.setdefault(key, [])
            seen.append((offset, version))
            seen.sort()
            before = [version for _, version in seen]
            if before != sorted(before):
                self.wrong.append(f"{key} goes back: {before}")

    def end_turn(self, source: str) -> None:
        """End the session that holds the turn, as PostgreSQL would."""
        turn = self.turns.pop(source)
        turn.lost = True
        for other in [name for name, held in self.turns.items() if held is turn]:
            del self.turns[other]


class SimulatedTurn:
    """Simulates services.records.ingest.publishing.publications.Turn."""

    def __init__(self, world: World, held: Sequence[str]) -> None:
        self.lost = self.recorded = False
        self.held = {name: (world.versions[name], world.counts[name]) for name in held}

    def rows(self) -> list[Cell]:
        pause()
        return [
            Cell("orders", name, 1, version, "orders_imposed", DAY, "", DAY, count)
            for name, (version, count) in self.held.items()
        ]

    def positions(self) -> list[Position]:
        pause()
        return [Position("orders", name, 1, version, {}, HEARD) for name, (version, _) in self.held.items()]

    def confirm(self) -> None:
        pause()
        if self.lost:
            raise Away("the turn was lost")

    def record(self) -> None:
        self.recorded = True


class SimulatedPublications:
    """Simulates services.records.ingest.publishing.publications.Publications."""

    def __init__(self, world: World) -> None:
        self.world = world

    def outstanding(self, authorities: Collection[str]) -> list[Outstanding]:
        pause()
        self.world.may_fail("outstanding")
        world = self.world
        return [Outstanding(name, True) for name in authorities if world.versions[name] > world.published[name]]

    @contextmanager
    def turn(self, authorities: Collection[str]) -> Iterator[SimulatedTurn]:
        pause()
        world = self.world
        held = [name for name in authorities if name not in world.turns]
        turn = SimulatedTurn(world, held)
        world.turns |= dict.fromkeys(held, turn)
        try:
            yield turn
            self._commit(turn)
        finally:
            for name in held:
                if world.turns.get(name) is turn:
                    del world.turns[name]

    def _commit(self, turn: SimulatedTurn) -> None:
        pause()
        self.world.may_fail("commit")
        if turn.lost:
            raise Away("the session was ended")
        if turn.recorded:
            for name, (version, _) in turn.held.items():
                self.world.published[name] = max(version, self.world.published[name])


class SimulatedProducer:
    """Simulates services.chassis.streaming.clients.bulk."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._current: Transaction | None = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        world, current = self._world, Transaction()
        self._current = current
        world.open.append(current)
        try:
            yield
        except BaseException:
            self.abort(current)
            raise
        finally:
            self._current = None
        pause()
        self._commit(current)

    def send_all(self, records: Iterable[Outgoing]) -> None:
        told = list(records)
        pause()
        self._world.may_fail("send")
        entries = [self._world.append(record) for record in told]
        if self._current is None:
            self._world.show(entries)
        elif self._current.ended:
            raise Away("fenced")
        else:
            self._current.entries += entries
        pause()

    def abort(self, transaction: Transaction) -> None:
        transaction.ended = True
        if transaction in self._world.open:
            self._world.open.remove(transaction)

    def _commit(self, current: Transaction) -> None:
        if current.ended:
            raise Away("fenced")
        self.abort(current)
        self._world.show(current.entries)
        self._world.may_fail("commit")
