"""The processor that orders and unpaid_work run: one fetch, one transaction with its offsets, nothing else."""

import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import Connection, Engine

from contracts.authorities import AUTHORITIES, in_force
from contracts.events import OrderImposed, Topic
from contracts.periods import LONDON
from contracts.topics import authority_of, kind_of_topic, topic_of
from services.chassis.clock import Clock, system_clock
from services.chassis.database import is_ours, transaction
from services.chassis.failures import Failure, Fenced, Refused, describe
from services.chassis.streaming import positions
from services.chassis.streaming.batches import Fingerprint, Left, Message, Slice, SourceIdentity, TopicPartition
from services.chassis.streaming.containment import Place
from services.records.ingest import measuring, notes, store, times
from services.records.ingest.cache import Cache
from services.records.ingest.guarding import epoch, parking
from services.records.ingest.guarding.parking import Action, Park
from services.records.ingest.guarding.takeover import end_predecessors
from services.records.ingest.guarding.turns import FEW, left_of, looks, surely_fit, weight
from services.records.ingest.measuring import Waits
from services.records.ingest.metrics import RecordsMetrics
from services.records.ingest.recount import recount
from services.records.ingest.sequences import counters
from services.records.ingest.store import Needed, Shard, Write
from services.records.ingest.times import Replaced, Times
from services.records.model.counting import Counted
from services.records.model.domain import Domain
from services.records.model.fold import Arrival, Folded, PutAside, fold, read, subjects
from services.records.model.limit import is_marked
from services.records.model.people import Stays, plan
from services.records.model.record import fact

log = logging.getLogger(__name__)

CACHED_RECORDS = 20_000
WORKER = "worker"
NOTHING_LEFT = sys.maxsize
RESTS = 20
"""How many times as long as it took to count an authority again its closed days wait for the next time, since all wait meanwhile."""
Wanted = dict[str, dict[str, str]]
"""By authority, the orders that arrivals may change, each with the topic from which all of that comes (`subjects`)."""


@dataclass(frozen=True, slots=True)
class _Commit:
    """The state on which this worker may rely once the transaction is through."""

    positions: dict[TopicPartition, int]
    changes: dict[Shard, Folded]
    replaced: Sequence[Replaced]
    left: dict[TopicPartition, int]
    """Where the next turn begins, of sources of which this one did not take everything."""


class Worker:
    """Keeps one service's records and cells. Implements chassis.containment.Parking."""

    def __init__(
        self,
        database: Engine,
        domain: Domain,
        metrics: RecordsMetrics,
        cached: int = CACHED_RECORDS,
        on_commit: Callable[[], None] = lambda: None,
        clock: Clock = system_clock,
    ) -> None:
        self._database, self._metrics, self._on_commit = database, metrics, on_commit
        self._shipped = self._domain = domain
        self._closed_days: dict[str, int] = {}
        self._rests: dict[str, float] = {}
        self._clock = clock
        self._cache = Cache(cached)
        self._positions: dict[TopicPartition, int] = {}
        self._claimed: dict[TopicPartition, int] = {}
        self._taken: dict[TopicPartition, Fingerprint] = {}
        self._shards: dict[str, Shard] = {}
        self._parked: set[str] = set()
        self._skipped: set[Place] = set()
        self._noted: dict[Place, int] = {}
        self._waits = Waits()

    def start(self, sources: Mapping[TopicPartition, SourceIdentity]) -> Mapping[TopicPartition, int]:
        """Return the positions in PostgreSQL, and count again authorities that were counted by other rules. An authority on which that
        fails is parked.
        """
        self._cache.clear()
        self._positions = {}  # earlier claims no longer count, however this ends
        single = {source: identity for source, identity in sources.items() if source.partition == 0}
        self._claim(single)
        for authority in sorted({authority_of(source.topic) for source in sources.keys() - single.keys()}):
            if authority not in self._parked:
                self._park(authority, None, Refused(f"topics of {authority} have several partitions, and one is read"))
        self._tell_who_is_ahead()
        self._metrics.parked(self._parked)
        self._metrics.owns(self._shards)
        for shard in list(self._shards.values()):
            if shard.authority not in self._parked and shard.counted_by != self._domain.of(shard.authority).rules:
                self._recount_or_park(shard)
        self._positions = dict.fromkeys(sources, 0) | self._claimed
        return self._positions

    def _claim(self, sources: Mapping[TopicPartition, SourceIdentity]) -> None:
        authorities = {authority_of(source.topic) for source in sources}
        end_predecessors(self._database, {source.topic for source in sources}, authorities)
        with transaction(self._database) as connection:
            if epoch.renewed(connection):
                log.warning("PostgreSQL was restored or failed over: every authority is published anew")
            self._claimed = positions.claim(connection, sources)
            self._taken = positions.last_taken(connection, sources)
            self._shards = store.load_shards(connection, authorities)
            self._parked = set(parking.parked(connection, list(self._shards)))
            self._skipped = parking.skipped(connection)
            self._noted = times.noted(connection, self._claimed)
            self._domain = notes.with_own_days(connection, self._shipped, list(self._shards))
            self._closed_days = notes.latest_closed_days(connection, list(self._shards))

    def last_taken(self) -> Mapping[TopicPartition, Fingerprint]:
        return self._taken

    def held_back(self) -> Mapping[TopicPartition, int]:
        """Return the positions of parked authorities."""
        return {at: position for at, position in dict(self._positions).items() if self.owner_of(at) in self._parked}

    def process(self, slices: Sequence[Slice]) -> Left:
        """Process one fetch, but of each authority not more than fits into one turn. After a failure, nothing uncommitted is trusted."""
        try:
            with transaction(self._database) as connection:
                commit = self._carry_out(connection, [s for s in map(self._news, slices) if s is not None])
        except Exception:
            self._cache.clear()
            raise
        self._positions |= commit.positions
        for shard, folded in commit.changes.items():
            self._shards[shard.authority] = shard
            for subject, held in folded.records.items():
                self._cache.put((shard.authority, subject), held)
            self._metrics.settled(shard.authority, folded.settled)
            self._metrics.waited(shard.authority, folded.settled, self._clock().timestamp())
        self._metrics.replaced(authority_of(one.place.source.topic) for one in commit.replaced)
        self._on_commit()
        return commit.left

    def _tell_who_is_ahead(self) -> None:
        today = self._clock().astimezone(LONDON).date()
        self._metrics.ahead({code: (shard.known_on - today).days for code, shard in self._shards.items()})

    def measure(self) -> None:
        """Update the metrics of this worker's authorities from PostgreSQL. Always from one thread, which may be any; raises Away."""
        now = self._clock()
        today = now.astimezone(LONDON).date()
        current = in_force(today)
        owned = [code for code in self.owned() if code in current]  # nobody waits for what is no longer an authority
        self._metrics.authorities(len(AUTHORITIES), len(current))
        with transaction(self._database) as connection:
            heard = measuring.arrived(connection, owned)
            self._metrics.found(heard, measuring.taken(connection, owned), measuring.lately(connection, owned, now))
            self._metrics.closed(measuring.closed(connection, owned))
            unpublished = measuring.unpublished(connection, self.owned())
        calendars = {code: self._domain.of(code).calendar for code in heard}
        days = {code: measuring.silent_days(calendars[code], at, today) for code, at in heard.items()}
        self._metrics.silent(days, working_day=measuring.is_working_day(self._domain.calendar, today))
        waited = self._waits.longest(unpublished, now.timestamp())
        self._metrics.waiting(len(unpublished), sum(one.cells for one in unpublished), waited)
        self._metrics.asked.set(now.timestamp())

    def owned(self) -> list[str]:
        """Return the authorities whose shards this worker was given."""
        return list(self._shards)

    def owner_of(self, source: TopicPartition) -> str:
        return authority_of(source.topic)

    def park(self, place: Place, message: Message, fault: Exception) -> None:  # noqa: ARG002 - it waits in the log
        self._park(self.owner_of(place.source), place, fault)

    def is_up_to_date(self) -> bool:
        """Return whether no authority was released, and no closed day set by one whose turn it is to be counted again, since the worker
        started. Safe to call from any thread.
        """
        with transaction(self._database) as connection:
            parked = parking.parked(connection, self.owned())
            closed_days = notes.latest_closed_days(connection, self.owned())
        changed = {authority for authority, _ in closed_days.items() ^ self._closed_days.items()}
        now = monotonic()
        return set(parked) == self._parked and all(self._rests.get(authority, now) > now for authority in changed)

    def _park(self, authority: str, place: Place | None, fault: Exception) -> None:
        park = Park(authority, Action.PARKED, place, describe(fault), WORKER, self._clock())
        with transaction(self._database) as connection:
            parking.park(connection, park, self._positions[place.source] if place else None)
        self._parked.add(authority)
        self._metrics.parked(self._parked)
        log.error("parked %s: %s: %s", authority, str(place or "counting again"), park.said)

    def _news(self, piece: Slice) -> Slice | None:
        """Return the part of a slice that was not processed before; None for a parked authority or if nothing is new."""
        if self.owner_of(piece.source) in self._parked:
            return None
        position = self._positions.get(piece.source)
        if position is None:
            raise Fenced(f"{piece.topic}/{piece.partition} is not this worker's")
        return piece.since(position)

    def _carry_out(self, connection: Connection, slices: Sequence[Slice]) -> _Commit:
        """Carry out a commit in the one order that is safe: slow work first, then offsets and versions, where a worker that was overtaken
        stops.

        What was read before that still holds then: a change to it would have moved an offset or a version.
        """
        believe = Times(self._clock(), self._noted)
        arrivals = self._read(slices, believe)
        wanted = {authority: subjects(arrived, self._domain) for authority, arrived in arrivals.items()}
        weights = self._weigh(connection, wanted)
        left = _leave(
            arrivals, {authority: left_of(arrivals[authority], facts) for authority, facts in weights.items()}
        )
        for authority in {authority_of(source.topic) for source in left}:
            wanted[authority] = subjects(arrivals[authority], self._domain)
        held = self._load(connection, wanted)
        left |= _leave(arrivals, self._beyond_people(connection, arrivals, held, weights))
        slices = [one for piece in slices if (one := piece.before(left.get(piece.source))) is not None]
        folds = {
            shard: fold(
                arrivals[shard.authority], held[shard.authority], self._domain.of(shard.authority), shard.known_on
            )
            for shard in map(self._shards.__getitem__, arrivals)
        }
        changes = {shard.after(folded.arrived): folded for shard, folded in folds.items()}
        writes: list[Write] = []
        if self._domain.follows_counters:
            followed = counters.follow(
                connection, {shard.authority: folded.arrived for shard, folded in changes.items()}
            )
            for shard, folded in changes.items():
                folded.add(followed.cells.get(shard.authority, {}))
            writes += counters.stage(connection, followed)
        writes += store.stage(connection, self._domain, changes, _count_people(connection, changes))
        store.hurry(connection)
        positions.advance(connection, self._positions, slices)
        store.bump(connection, list(changes))
        for write in writes:
            write()
        replaced = [one for one in believe.replaced if one.place.offset < left.get(one.place.source, NOTHING_LEFT)]
        times.note(connection, replaced)
        return _Commit({piece.source: piece.next_offset for piece in slices}, changes, replaced, left)

    def _weigh(self, connection: Connection, wanted: Wanted) -> dict[str, dict[str, int]]:
        """Return the weight of every record that is wanted, by authority and subject."""
        weights: dict[str, dict[str, int]] = {authority: {} for authority in wanted}
        missing: list[Needed] = []
        for authority, found in wanted.items():
            for subject, topic in found.items():
                known = self._cache.get((authority, subject))
                if known is None:
                    missing.append(Needed(authority, subject, topic))
                elif not is_marked(known.record, topic):
                    weights[authority][subject] = weight(len(known.record))
        if len(missing) > FEW:
            for (authority, subject), facts in store.numbers_of_facts(connection, missing).items():
                weights[authority][subject] = weight(facts)
        return weights

    def _beyond_people(
        self,
        connection: Connection,
        arrivals: Mapping[str, list[Arrival]],
        held: Mapping[str, Mapping[str, Counted]],
        weights: Mapping[str, Mapping[str, int]],
    ) -> dict[str, dict[Topic, int]]:
        """Return where what does not fit begins, by authority, now that it is known whom the arrivals concern."""
        found: dict[str, dict[Topic, int]] = {}
        for authority, arrived in arrivals.items() if self._domain.stay_keys else ():
            facts = {subject: heavy for subject, heavy in weights[authority].items() if subject in held[authority]}
            looked = looks(arrived, self._domain.stay_keys, persons_of(held[authority]))
            people = dict.fromkeys(look for some in looked.values() for look in some)
            if not surely_fit(len(people), facts):
                stays = store.numbers_of_stays(connection, authority, list(dict.fromkeys(one.person for one in people)))
                found[authority] = left_of(arrived, facts, looked, stays)
        return found

    def _read(self, slices: Iterable[Slice], believe: Times) -> dict[str, list[Arrival]]:
        latest = believe.latest.astimezone(LONDON).date()
        arrivals: dict[str, list[Arrival]] = {}
        for piece in slices:
            authority = authority_of(piece.topic)
            kind = kind_of_topic(piece.topic)
            reached = self._shards[authority].reached.get(kind, store.EARLIEST)
            if reached > latest:
                reached = store.EARLIEST
            arrived = read(kind, authority, believe.believed(piece), reached)
            arrivals.setdefault(authority, []).extend(put_aside(piece.source, arrived, self._skipped))
        return arrivals

    def _load(self, connection: Connection, wanted: Wanted) -> dict[str, dict[str, Counted]]:
        """Return every record that is wanted, from the cache, from PostgreSQL, or new."""
        held: dict[str, dict[str, Counted]] = {}
        missing: list[Needed] = []
        for authority, named in wanted.items():
            found = held[authority] = {}
            for subject, marked in named.items():
                known = self._cache.get((authority, subject))
                if known is not None:
                    found[subject] = known
                else:
                    missing.append(Needed(authority, subject, marked))
        loaded, empty = store.load_records(connection, missing), self._domain.counted({})
        for authority, subject, _ in missing:
            record = loaded.get((authority, subject))
            held[authority][subject] = self._domain.of(authority).counted(record) if record else empty
        return held

    def _recount_or_park(self, shard: Shard) -> None:
        try:
            self._recount(shard)
        except Failure:
            raise
        except Exception as fault:
            if is_ours(fault):
                raise
            self._park(shard.authority, None, fault)

    def _recount(self, shard: Shard) -> None:
        domain, begun = self._domain.of(shard.authority), monotonic()
        with transaction(self._database) as connection:
            changed, after = recount(connection, domain, shard)
        now = monotonic()
        self._rests[shard.authority] = now + RESTS * (now - begun)
        self._shards[shard.authority] = after
        self._metrics.recounted.labels(shard.authority).inc(changed)
        if changed:
            log.warning("recounted %s by rules %s: %d cells changed", shard.authority, domain.rules, changed)


def persons_of(held: Mapping[str, Counted]) -> dict[str, str]:
    """Return the person of each order that is imposed."""
    imposed = ((subject, fact(one.record, "imposed", OrderImposed)) for subject, one in held.items())
    return {subject: order.person_ref for subject, order in imposed if order is not None}


def _leave(arrivals: dict[str, list[Arrival]], begins: Mapping[str, Mapping[Topic, int]]) -> dict[TopicPartition, int]:
    """Take away, in place, what of each authority does not fit into one turn. Returns where that begins."""
    left: dict[TopicPartition, int] = {}
    for authority, of_topics in begins.items():
        if of_topics:
            arrived = arrivals[authority]
            arrivals[authority] = [
                one for one in arrived if one.message.offset < of_topics.get(one.topic, NOTHING_LEFT)
            ]
            left |= {TopicPartition(topic_of(topic, authority), 0): at for topic, at in of_topics.items()}
    return left


def put_aside(source: TopicPartition, arrived: list[Arrival], skipped: AbstractSet[Place]) -> list[Arrival]:
    """Return the arrivals, with those put aside that an operator skipped."""
    if not skipped:
        return arrived
    return [
        arrival._replace(content=PutAside(arrival.content.id))
        if Place(source, arrival.message.offset) in skipped
        else arrival
        for arrival in arrived
    ]


def _count_people(connection: Connection, changes: Mapping[Shard, Folded]) -> dict[str, Stays]:
    """Add to the cells of `changes` how people count. Returns their orders afterwards, by authority."""
    told = {shard.authority: folded for shard, folded in changes.items() if folded.people}
    changing = [(authority, stay) for authority, folded in told.items() for _, stay, _ in folded.people]
    known = store.load_people(connection, changing)
    plans = {authority: plan(known[authority], folded.people) for authority, folded in told.items()}
    for authority, people in plans.items():
        told[authority].add(people.cells)
    return {authority: people.orders for authority, people in plans.items()}
