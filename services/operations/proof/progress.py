"""How far a service is with an authority: positions, versions, times and decisions, compared with the log and with each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import func, select, text

from contracts.topics import authority_of
from services.chassis.streaming.batches import Fingerprint, SourceIdentity, TopicPartition
from services.operations.proof.books import Books, Found
from services.operations.proof.mismatch import Mismatch
from services.records.ingest.guarding import epoch
from services.records.ingest.tables import cells, checkpoints, publications, record_times, recounts, shards


@dataclass(frozen=True, slots=True)
class TopicState:
    """The state of one topic, according to Kafka."""

    identity: SourceIdentity
    last: Fingerprint | None
    """The record before the position of the books; None if there is none."""
    times: Mapping[int, int]
    """Kafka's own times, by offset, of messages whose time was replaced."""


def progress(books: Books, sources: Mapping[TopicPartition, TopicState]) -> Found:
    """Yield mismatches in everything that says how far the books are."""
    row = next(iter(books.rows(shards)), None)
    if row is None:  # no worker has ever read from it
        if books.heard:
            yield Mismatch(books.name(shards), books.authority, None, "a row, since events of it were read")
        return
    yield from _progress(books, row, sources)


def _progress(books: Books, shard: Any, sources: Mapping[TopicPartition, TopicState]) -> Found:
    yield from _shard(books, shard)
    yield from _positions(books, sources)
    yield from _times(books, sources)
    for row in books.rows(publications):
        if (row.generation, row.version) > (shard.generation, shard.version):
            yield Mismatch(books.name(publications), books.authority, row.version, f"at most {shard.version}")
    counted = sorted(books.rows(recounts), key=lambda row: row.version)
    if counted and (counted[-1].rules_after, counted[-1].version > shard.version) != (shard.counted_by, False):
        what = f"rules of {books.authority}, version {counted[-1].version}"
        yield Mismatch(books.name(recounts), what, counted[-1].rules_after, shard.counted_by)
    for held in books.connection.scalars(text("SELECT lineage FROM epoch")):
        now = books.connection.scalar(epoch.LINEAGE)
        if held != now:
            yield Mismatch(f"{books.domain.service}.epoch", "server and timeline", held, now)


def _shard(books: Books, shard: Any) -> Found:
    highest = books.connection.scalar(select(func.max(cells.c.version)).where(cells.c.authority == books.authority))
    if shard.version < (highest or 0):
        yield Mismatch(books.name(shards), f"version of {books.authority}", shard.version, f"at least {highest}")
    heard = [one for one in books.heard if one.event is not None]
    last = max(heard, key=lambda one: one.timestamp, default=None)
    days: dict[str, date] = {}
    for one in books.heard:
        days[str(one.kind)] = one.day
    proved = {
        "counted_by": books.domain.rules,
        "heard_at": last and datetime.fromtimestamp(last.timestamp / 1000, UTC),
        "reached": {kind: day.isoformat() for kind, day in days.items()},
    }
    for name, value in proved.items():
        if getattr(shard, name) != value:
            behind = (str(last),) if last and name == "heard_at" else ()
            what = f"{name} of {books.authority}"
            yield Mismatch(books.name(shards), what, getattr(shard, name), value, behind)


def checkpoints_of(books_or_rows: Iterator[Any], authority: str) -> dict[TopicPartition, Any]:
    """Return the rows of an authority's topics from which anything was read."""
    return {
        TopicPartition(row.topic, row.partition): row
        for row in books_or_rows
        if authority_of(row.topic) == authority and row.next_offset
    }


def _positions(books: Books, sources: Mapping[TopicPartition, TopicState]) -> Found:
    rows = checkpoints_of(iter(books.connection.execute(select(checkpoints))), books.authority)
    for at, row in rows.items():
        source = sources[at]
        what = f"{at.topic}/{at.partition}"
        if SourceIdentity(row.cluster_id, row.topic_id) != source.identity:
            held = f"{row.cluster_id} {row.topic_id}"
            yield Mismatch(books.name(checkpoints), f"identity of {what}", held, " ".join(source.identity))
        taken = None if row.last_checksum is None else Fingerprint(row.last_timestamp, row.last_checksum)
        if taken != source.last:
            name = f"record before offset {row.next_offset} of {what}"
            yield Mismatch(books.name(checkpoints), name, taken, source.last)


def _times(books: Books, sources: Mapping[TopicPartition, TopicState]) -> Found:
    """Compare recorded times. An operator's own time is compared with no time in the log."""
    for row in books.rows(record_times):
        source = sources.get(TopicPartition(row.topic, row.partition))
        recorded = None if source is None else source.times.get(row.offset)
        if row.recorded and recorded is not None and recorded != row.recorded:
            what = f"time of {row.topic}@{row.offset}"
            yield Mismatch(books.name(record_times), what, row.recorded, recorded)
