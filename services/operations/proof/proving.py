"""Proves one authority after the other: reads its topics from the beginning, and compares everything that was made from them."""

from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

from sqlalchemy import Connection, Engine, func, select

from contracts.events import Topic
from contracts.topics import authority_of, topic_of
from services.chassis.database import engine, settings_of, transaction
from services.chassis.failures import Failure, describe_shortly
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streaming.batches import Message, SourceIdentity, TopicPartition, fingerprint
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.log import Log
from services.chassis.streaming.containment import Place
from services.operations.proof.books import Books, Found
from services.operations.proof.expected import listen
from services.operations.proof.mismatch import Mismatch
from services.operations.proof.progress import TopicState, checkpoints_of, progress
from services.operations.proof.recount import recounted
from services.operations.proof.releases import releases
from services.operations.proof.rows import rows_of_events, rows_of_orders
from services.operations.proof.shown import Shown, read_shown, shown
from services.operations.proof.sums import numbers, people, sums
from services.records.ingest import notes
from services.records.ingest.guarding import parking
from services.records.ingest.tables import checkpoints, record_times, shards
from services.records.ingest.times import milliseconds
from services.records.model.domain import Domain
from services.records.upkeep.loading import Loading
from services.records.upkeep.rewriting import cut_off
from services.records.upkeep.side_by_side import planned, side_by_side
from services.reporting.read import tables as theirs

BATCH = 20_000
WORTH_A_PROCESS = 50_000
"""Fewer events than this take less time than another process needs to start."""


class Proof(NamedTuple):
    """The proof of one service and authority."""

    service: str
    authority: str
    events: int
    """How many events were read."""
    mismatches: list[Mismatch]


@dataclass(frozen=True, slots=True)
class Prover:
    """Proves what the settings let it read. It only reads."""

    kafka: KafkaSettings
    books: Mapping[str, tuple[Engine, Domain]]
    """Database and domain of each service of records."""
    reporting: Engine | None = None

    def authorities(self) -> list[str]:
        """Return the authorities of which anything is held."""
        found: set[str] = set()
        for database, _ in self.books.values():
            with transaction(database) as connection:
                found.update(connection.scalars(select(shards.c.authority)))
        return sorted(found)

    def prove(self, service: str, authority: str) -> Proof:
        """Prove one service's books of one authority; a fault of ours is a mismatch, so that others are proved. Raises Away or Refused."""
        try:
            return self._prove(service, authority)
        except Failure:
            raise
        except Exception as fault:  # noqa: BLE001 - it is told as what was found
            return Proof(service, authority, 0, [_unproved(service, f"the comparison of {authority}", fault)])

    def prove_releases(self) -> list[Mismatch]:
        """Return mismatches within reporting's releases, and in what it put aside. Raises Away."""
        if self.reporting is None:
            return []
        found: list[Mismatch] = []
        for what, look in PARTS.items():
            try:
                with at_one_moment(self.reporting) as connection:
                    found += look(connection)
            except Failure:
                raise
            except Exception as fault:  # noqa: BLE001
                found.append(_unproved("reporting", f"the comparison of {what}", fault))
        return found

    def _prove(self, service: str, authority: str) -> Proof:
        database, shipped = self.books[service]
        with transaction(database) as connection:
            domain = notes.with_own_days(connection, shipped, [authority]).of(authority)
        with closing(_Log(self.kafka, domain.kinds, authority)) as history:
            if cut := history.cut_off():
                return Proof(service, authority, 0, cut)
            history.read_on(history.ends())
            found = None
            if self.reporting is not None:
                with at_one_moment(self.reporting) as connection:
                    found = read_shown(connection, service, authority)
            with at_one_moment(database) as connection:
                wrong = list(compare(connection, domain, authority, history, found))
            return Proof(service, authority, history.number, wrong)


def prove_each(prover: Prover, loading: Loading | None = None) -> Generator[list[str]]:
    """Prove the one service of which the prover has books, the largest authority first, in several processes if `loading` says so and there
    is much of it. Yields what is wrong in each authority, in words. Raises Away or Refused.
    """
    ((tables, domain),) = prover.books.values()
    most = loading.processes if loading else 1
    waiting, processes = planned(prover.authorities(), _sizes(tables).__getitem__, most, WORTH_A_PROCESS)
    if loading is None or processes < 2:
        yield from map(partial(_wrong, prover, domain.service), waiting)
        return
    begin = partial(_proving, prover.kafka, settings_of(tables), loading.domain)
    with closing(side_by_side(begin, waiting, processes)) as results:
        for came in results:
            yield from came


def _sizes(tables: Engine) -> Counter[str]:
    """Return how many messages were read of each authority."""
    sizes = Counter[str]()
    with transaction(tables) as connection:
        for topic, number in connection.execute(select(checkpoints.c.topic, checkpoints.c.next_offset)):
            sizes[authority_of(topic)] += number
    return sizes


def _wrong(prover: Prover, service: str, authority: str) -> list[str]:
    return list(map(str, prover.prove(service, authority).mismatches))


@contextmanager
def _proving(
    kafka: KafkaSettings, books: DatabaseSettings, make: Callable[[], Domain]
) -> Iterator[Callable[[str], list[str]]]:
    """Open a prover of one service."""
    domain, database = make(), engine(books)
    try:
        yield partial(_wrong, Prover(kafka, {domain.service: (database, domain)}), domain.service)
    finally:
        database.dispose()


@contextmanager
def at_one_moment(database: Engine) -> Iterator[Connection]:
    """Open a transaction that does not see what others write meanwhile."""
    with transaction(database.execution_options(isolation_level="REPEATABLE READ")) as connection:
        yield connection


class History(Protocol):
    """The topics of one authority."""

    def read_on(self, ends: Mapping[TopicPartition, int]) -> None:
        """Read up to these offsets, as far as Kafka has them."""

    def before(self, source: TopicPartition, end: int) -> Iterable[Message]: ...

    def sources(
        self, ends: Mapping[TopicPartition, int], times: Mapping[Place, int]
    ) -> Mapping[TopicPartition, TopicState]:
        """Return what Kafka says of each source."""


def compare(
    connection: Connection, domain: Domain, authority: str, history: History, found: Shown | None = None
) -> Found:
    """Yield every mismatch in one service's books of one authority, and in reporting's rows of it."""
    rows = checkpoints_of(iter(connection.execute(select(checkpoints))), authority)
    ends = {source: row.next_offset for source, row in rows.items()}
    history.read_on(ends)
    skipped, times = parking.skipped(connection), _times(connection, authority)
    heard = [
        one
        for source, end in ends.items()
        for one in listen(source, authority, history.before(source, end), skipped, times)
    ]
    books = Books.of(connection, domain, authority, heard)
    yield from rows_of_events(books)
    yield from rows_of_orders(books)
    yield from people(books)
    yield from sums(books)
    yield from recounted(books)
    yield from numbers(books)
    yield from progress(books, history.sources(ends, times))
    if found is not None:
        yield from shown(books, found)


def _times(connection: Connection, authority: str) -> dict[Place, int]:
    rows = connection.execute(select(record_times).where(record_times.c.authority == authority))
    return {Place(TopicPartition(row.topic, row.partition), row.offset): milliseconds(row.used) for row in rows}


def _put_aside(connection: Connection) -> Found:
    number = connection.scalar(select(func.count()).select_from(theirs.put_aside))
    if number:
        yield Mismatch(PUT_ASIDE, "number of messages that could not be taken", number, 0)


PUT_ASIDE = "reporting.put_aside"
PARTS: Mapping[str, Callable[[Connection], Found]] = {"releases": releases, "messages put aside": _put_aside}
"""What is looked at in reporting that belongs to no authority."""


def _unproved(service: str, what: str, fault: Exception) -> Mismatch:
    return Mismatch(service, what, f"ended by {describe_shortly(fault)}", "finished")


class _Log:
    """The topics read from Kafka, from the beginning."""

    def __init__(self, kafka: KafkaSettings, kinds: tuple[Topic, ...], authority: str) -> None:
        names = [topic_of(kind, authority) for kind in kinds]
        with closing(Admin(kafka)) as admin:
            self._identities = admin.identities(names)
        self._at = {TopicPartition(name, 0): list[Message]() for name in names}
        self._kafka, self._log = kafka, Log(kafka, list(self._at))
        self._log.seek({source: bounds.first for source, bounds in self._log.bounds().items()})

    @property
    def number(self) -> int:
        return sum(map(len, self._at.values()))

    def cut_off(self) -> list[Mismatch]:
        """Return topics whose beginning is gone: the rest proves nothing."""
        firsts = {at.topic: one.first for at, one in self._log.bounds().items()}
        return [
            Mismatch("kafka", f"first offset of {topic}", firsts[topic], 0) for topic in cut_off(self._kafka, firsts)
        ]

    def ends(self) -> dict[TopicPartition, int]:
        return {source: bounds.end for source, bounds in self._log.bounds().items()}

    def read_on(self, ends: Mapping[TopicPartition, int]) -> None:
        known = self.ends()
        while any(self._log.position(at) < min(end, known[at]) for at, end in ends.items()):
            for piece in self._log.slices(BATCH):
                self._at[piece.source] += piece.messages

    def before(self, source: TopicPartition, end: int) -> Iterator[Message]:
        return (message for message in self._at[source] if message.offset < end)

    def sources(
        self, ends: Mapping[TopicPartition, int], times: Mapping[Place, int]
    ) -> dict[TopicPartition, TopicState]:
        return {
            at: source_of(self._identities[at.topic], self._at[at], end, _of(at, times)) for at, end in ends.items()
        }

    def close(self) -> None:
        self._log.close()


def _of(at: TopicPartition, times: Mapping[Place, int]) -> set[int]:
    return {place.offset for place in times if place.source == at}


def source_of(identity: SourceIdentity, messages: Sequence[Message], end: int, wanted: Collection[int]) -> TopicState:
    """Return what messages say of a source that was read up to `end`."""
    last = next((one for one in reversed(messages) if one.offset < end), None)
    exact = last is not None and last.offset == end - 1
    times = {one.offset: one.timestamp for one in messages if one.offset in wanted}
    return TopicState(identity, fingerprint(last) if last and exact else None, times)
