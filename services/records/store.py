"""All that a worker reads from and writes to PostgreSQL, in one transaction that ends with the offsets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Self

from sqlalchemy import Connection, select, text

from contracts.codec import Event
from contracts.rejections import Rejection
from services.chassis.batches import SourceIdentity, TopicPartition
from services.chassis.database import copy_rows, upsert
from services.chassis.failures import Fenced, Refused
from services.records.clocks import add
from services.records.fold import Domain, Folded, PersonMonth, Settled
from services.records.record import Outcome, Record, dump, load
from services.records.summary import Summary, summary
from services.records.tables import arrivals, cells, checkpoints, persons, records, rejections, shards

OUTCOMES = (Outcome.APPLIED, Outcome.SUPERSEDED, Outcome.DUPLICATE, Outcome.REJECTED)
"""In `arrivals`, an outcome is its place in this list."""

CellRow = tuple[str, str, date, str, date, int, int]
"""(authority, measure, period, category, known_on, delta, version)."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Where one authority's records stand."""

    authority: str
    generation: int
    version: int
    known_on: date
    heard_at: datetime
    counted_by: str
    """The version of the rules and calendar by which its cells were counted; empty before the first count."""

    def next_commit(self, **changes: Any) -> Self:
        """The shard after one more commit, with what else changes of it."""
        return replace(self, version=self.version + 1, **changes)


def claim(connection: Connection, sources: Mapping[TopicPartition, SourceIdentity]) -> dict[TopicPartition, int]:
    """Positions to read from; a source never read before starts at 0. Raises Refused where a source is not the same."""
    for source, identity in sources.items():
        connection.execute(
            text(
                "INSERT INTO checkpoints (topic, partition, next_offset, cluster_id, topic_id) "
                "VALUES (:topic, :partition, 0, :cluster, :id) ON CONFLICT DO NOTHING"
            ),
            {
                "topic": source.topic,
                "partition": source.partition,
                "cluster": identity.cluster_id,
                "id": identity.topic_id,
            },
        )
    positions = {}
    for row in connection.execute(select(checkpoints)):
        source = TopicPartition(row.topic, row.partition)
        if source in sources:
            _same_source(source, SourceIdentity(row.cluster_id, row.topic_id), sources[source])
            positions[source] = row.next_offset
    return positions


def _same_source(source: TopicPartition, known: SourceIdentity, found: SourceIdentity) -> None:
    if known != found:
        what = "another cluster" if known.cluster_id != found.cluster_id else "a topic that was deleted and made again"
        raise Refused(
            f"{source.topic} is {what}: offsets mean something else now. Nothing was read or written. "
            "Point the service at the right cluster, or rebuild (runbook: source-changed)."
        )


def load_shards(connection: Connection, authorities: Iterable[str]) -> dict[str, Shard]:
    """The shards of these authorities, made where they are missing."""
    wanted = sorted(set(authorities))
    connection.execute(
        text(
            "INSERT INTO shards (authority, generation, version, known_on, heard_at, counted_by, published_generation, published_version) "
            "SELECT unnest(CAST(:codes AS text[])), 1, 0, '2000-01-01', '2000-01-01Z', '', 0, 0 ON CONFLICT DO NOTHING"
        ),
        {"codes": wanted},
    )
    found = connection.execute(select(shards).where(shards.c.authority.in_(wanted)))
    return {
        r.authority: Shard(r.authority, r.generation, r.version, r.known_on, r.heard_at, r.counted_by) for r in found
    }


def load_records(connection: Connection, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Record]:
    """Records by (authority, subject). One that is not there is an empty record, and left out."""
    if not wanted:
        return {}
    query = text(
        "SELECT r.authority, r.subject, CAST(r.facts AS text) AS facts FROM records r "
        "JOIN unnest(CAST(:authorities AS text[]), CAST(:subjects AS text[])) AS w (authority, subject) "
        "USING (authority, subject)"
    )
    rows = connection.execute(query, {"authorities": [a for a, _ in wanted], "subjects": [s for _, s in wanted]})
    return {(row.authority, row.subject): load(row.facts.encode()) for row in rows}


def advance(connection: Connection, moves: Mapping[TopicPartition, tuple[int, int]]) -> None:
    """Moves offsets, each from where it is to where it shall be. Raises Fenced where another worker has moved one."""
    moved = connection.execute(
        text(
            "UPDATE checkpoints c SET next_offset = m.new FROM unnest(CAST(:topics AS text[]), "
            "CAST(:partitions AS int[]), CAST(:olds AS bigint[]), CAST(:news AS bigint[])) AS m (topic, partition, old, new) "
            "WHERE c.topic = m.topic AND c.partition = m.partition AND c.next_offset = m.old"
        ),
        {
            "topics": [source.topic for source in moves],
            "partitions": [source.partition for source in moves],
            "olds": [old for old, _ in moves.values()],
            "news": [new for _, new in moves.values()],
        },
    )
    if moved.rowcount != len(moves):
        raise Fenced(f"{len(moves) - moved.rowcount} of {len(moves)} topics are not where this worker left them")


def bump(connection: Connection, afters: Sequence[Shard]) -> None:
    """Counts a commit of each shard; `afters` is what `next_commit` made of them.

    Raises Fenced where another worker committed, to this topic or the other.
    """
    moved = connection.execute(
        text(
            "UPDATE shards s SET version = a.version, known_on = a.known_on, heard_at = a.heard_at, "
            "counted_by = a.counted_by FROM unnest(CAST(:authorities AS text[]), CAST(:generations AS int[]), "
            "CAST(:versions AS bigint[]), CAST(:known_ons AS date[]), CAST(:heard_ats AS timestamptz[]), "
            "CAST(:counted_bys AS text[])) AS a (authority, generation, version, known_on, heard_at, counted_by) "
            "WHERE s.authority = a.authority AND s.generation = a.generation AND s.version = a.version - 1"
        ),
        {
            "authorities": [after.authority for after in afters],
            "generations": [after.generation for after in afters],
            "versions": [after.version for after in afters],
            "known_ons": [after.known_on for after in afters],
            "heard_ats": [after.heard_at for after in afters],
            "counted_bys": [after.counted_by for after in afters],
        },
    )
    if moved.rowcount != len(afters):
        raise Fenced(
            f"{len(afters) - moved.rowcount} of {len(afters)} authorities are not at the version this worker knows"
        )


def write(connection: Connection, domain: Domain, changes: Mapping[Shard, Folded]) -> None:
    """Writes what the batch changed, for all its shards at once. A shard is given as it is after this commit."""
    _write_records(connection, changes)
    _count_persons(connection, changes)
    _write_cells(connection, changes)
    settled = [(shard.authority, s) for shard, folded in changes.items() for s in folded.settled]
    _write_arrivals(connection, settled)
    _write_rejections(connection, domain, settled)


def _write_records(connection: Connection, changes: Mapping[Shard, Folded]) -> None:
    rows = [
        (shard.authority, subject, dump(held.record), *summary(held.record, held.parts))
        for shard, folded in changes.items()
        for subject, held in folded.records.items()
    ]
    if rows:
        columns = ("authority", "subject", "facts", *Summary._fields)
        upsert(connection, records, columns, rows, key=("authority", "subject"))


def add_to_cells(connection: Connection, rows: Sequence[CellRow]) -> None:
    """Adds to cells, each as it became known on a day."""
    if rows:
        columns = ("authority", "measure", "period", "category", "known_on", "delta", "version")
        upsert(connection, cells, columns, rows, key=columns[:5], add=("delta",))


def _write_cells(connection: Connection, changes: Mapping[Shard, Folded]) -> None:
    rows = [
        (shard.authority, *cell, day, delta, shard.version)
        for shard, folded in changes.items()
        for day, deltas in folded.cells.items()
        for cell, delta in deltas.items()
        if delta
    ]
    add_to_cells(connection, rows)


def _count_persons(connection: Connection, changes: Mapping[Shard, Folded]) -> None:
    """Adds to `persons_with_new_order` when a person's first new order of a month appears or the last one goes."""
    steps = {
        (shard.authority, person): days for shard, folded in changes.items() for person, days in folded.persons.items()
    }
    if not steps:
        return
    orders = _orders_of(connection, list(steps))
    for shard, folded in changes.items():
        for person, days in folded.persons.items():
            for day, step in sorted(days.items()):
                old = orders.get((shard.authority, person), 0)
                orders[shard.authority, person] = old + step
                change = (old + step > 0) - (old > 0)
                if change:
                    add(folded.cells[day], "persons_with_new_order", person[1], "", change)
    rows = [(authority, ref, month, orders[authority, (ref, month)]) for authority, (ref, month) in steps]
    columns = ("authority", "person_ref", "month", "orders")
    upsert(connection, persons, columns, rows, key=columns[:3])


def _orders_of(connection: Connection, wanted: list[tuple[str, PersonMonth]]) -> dict[tuple[str, PersonMonth], int]:
    query = text(
        "SELECT p.authority, p.person_ref, p.month, p.orders FROM persons p "
        "JOIN unnest(CAST(:a AS text[]), CAST(:p AS text[]), CAST(:m AS date[])) AS w (authority, person_ref, month) "
        "USING (authority, person_ref, month)"
    )
    parameters = {"a": [a for a, _ in wanted], "p": [p for _, (p, _) in wanted], "m": [m for _, (_, m) in wanted]}
    rows = connection.execute(query, parameters)
    return {(row.authority, (row.person_ref, row.month)): row.orders for row in rows}


def _write_arrivals(connection: Connection, settled: list[tuple[str, Settled]]) -> None:
    rows = []
    for authority, (arrival, outcome) in settled:
        content, message = arrival.content, arrival.message
        subject = content.subject if isinstance(content, Event) else None
        rows.append((authority, message.offset, OUTCOMES.index(outcome), content.id, subject, at(message.timestamp)))
    if rows:
        copy_rows(connection, arrivals, ("authority", "offset", "outcome", "event_id", "subject", "arrived_at"), rows)


def _write_rejections(connection: Connection, domain: Domain, settled: list[tuple[str, Settled]]) -> None:
    rows = []
    for authority, (arrival, _) in settled:
        content, message = arrival.content, arrival.message
        if isinstance(content, Rejection):
            refusal = (content.id, str(content.reason), content.path, content.message)
            place = (f"{domain.own}.{authority}", 0, message.offset, authority)
            rows.append((*place, *refusal, message.key, message.value, at(message.timestamp)))
    if rows:
        place_columns = ("topic", "partition", "offset", "authority")
        refusal_columns = ("event_id", "reason", "path", "message")
        columns = (*place_columns, *refusal_columns, "key", "value", "arrived_at")
        copy_rows(connection, rejections, columns, rows)


def at(timestamp: int) -> datetime:
    """A Kafka timestamp in milliseconds as a time."""
    return datetime.fromtimestamp(timestamp / 1000, UTC)
