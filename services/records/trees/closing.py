"""Closes a day of an authority: the events accepted by its end become leaves of the tree, and the head is signed.

It is one transaction, and a closed day is not closed again, so the command may run any number of times.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from contracts.decoding.reading import BOM
from contracts.periods import LONDON
from contracts.receipts.keys import HEAD, SigningKey, unchecked
from contracts.receipts.merkle import Growing
from contracts.receipts.receipt import Entry, Head, NotProven, mark_of
from services.chassis.failures import Refused
from services.records.ingest.store import OUTCOMES
from services.records.ingest.tables import arrivals, checkpoints, tree_keys
from services.records.model.record import Outcome
from services.records.trees import keeping
from services.records.trees.keeping import KeptHead, NewLeaf

STEP = 2_000
"""How many events are read at once; they take at most 125 MiB."""
MOST_KNOWN = 100
"""Leaves with the id of an event among which the event is sought. A sender that gives one id to more may have one event in two leaves."""
SALT_BYTES = 16
ACCEPTED = [OUTCOMES.index(one) for one in (Outcome.APPLIED, Outcome.SUPERSEDED, Outcome.DUPLICATE)]

Events = Callable[[Sequence[int]], Mapping[int, bytes]]
"""Gives the events at these offsets of a topic, which are in ascending order; events that the log no longer has are left out."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Identifies a tree by its authority and topic."""

    authority: str
    topic: str


class _Typed(Struct):
    type: str


class _Arrived(NamedTuple):
    """An event that was accepted."""

    offset: int
    event_id: str
    at: datetime


def close(
    connection: Connection, tree: Tree, events: Events, key: SigningKey, now: datetime, signed: Head | None = None
) -> Head | None:
    """Close yesterday, and return its head; None if it was closed before, or nothing was ever accepted.

    `signed` is the last head that is known elsewhere. Raises Refused, also if the tree does not begin with it.
    """
    # A rebuild must not replace these tables in the meantime: each waits for the other's lock on the checkpoints.
    connection.execute(select(checkpoints.c.next_offset).where(checkpoints.c.topic == tree.topic))
    keeping.hold(connection, tree.authority)
    before = keeping.latest_head(connection, tree.authority)
    for head in (_head_of(before), signed):
        _refuse_another(connection, tree, before.size if before else 0, head)
    day = now.astimezone(LONDON).date() - timedelta(days=1)
    if before and before.day >= day:
        return None
    begin = before.next_offset if before else 0
    end = max(begin, _end(connection, tree.authority, begin, day))
    grown = keeping.growing(connection, tree.authority, before.size if before else 0)
    for rows in _accepted(connection, tree.authority, begin, end):
        leaves = _leaves(tree, rows, events([row.offset for row in rows]))
        keeping.add(connection, tree.authority, grown, _new(connection, tree.authority, leaves))
    return _sign(connection, tree, grown, _Closing(day, end, key, now)) if grown.size else None


def _head_of(kept: KeptHead | None) -> Head | None:
    try:
        return unchecked(kept.signed) if kept else None
    except NotProven as fault:
        raise Refused(f"The last head in PostgreSQL was altered: {fault}. Nothing was closed") from None


def _refuse_another(connection: Connection, tree: Tree, size: int, signed: Head | None) -> None:
    """Refuse a tree that does not begin with what was signed before: two histories would carry our signature."""
    if signed is None:
        return
    if signed.size > size or keeping.root_of(connection, tree.authority, signed.size).hex() != signed.root:
        raise Refused(
            f"The tree of {tree.topic} has {size} leaves and does not begin with the {signed.size} that were signed for {signed.day}: "
            "PostgreSQL was put back to an older copy, or altered. Nothing was closed (runbook: restore)"
        )


@dataclass(frozen=True, slots=True)
class _Closing:
    day: date
    end: int
    key: SigningKey
    now: datetime


def _sign(connection: Connection, tree: Tree, grown: Growing, closing: _Closing) -> Head:
    head = Head(tree.authority, tree.topic, closing.day, grown.size, grown.root.hex(), closing.now)
    signed = closing.key.sign(msgspec.json.encode(head), HEAD)
    key = insert(tree_keys).values(name=closing.key.name, public=closing.key.public, since=closing.now)
    connection.execute(key.on_conflict_do_nothing())
    keeping.add_head(connection, tree.authority, KeptHead(closing.day, grown.size, grown.root, closing.end, signed))
    return head


def _end(connection: Connection, authority: str, begin: int, day: date) -> int:
    """Return the first offset of a later day; if there is none, the one after everything that was read."""
    midnight = datetime.combine(day + timedelta(days=1), time(), LONDON)
    mine = arrivals.c.authority == authority, arrivals.c.offset >= begin
    later = connection.scalar(select(func.min(arrivals.c.offset)).where(*mine, arrivals.c.arrived_at >= midnight))
    if later is not None:
        return int(later)
    return int(connection.scalar(select(func.coalesce(func.max(arrivals.c.offset), -1)).where(*mine)) or 0) + 1


def _accepted(connection: Connection, authority: str, begin: int, end: int) -> Iterator[Sequence[_Arrived]]:
    """Yield the events accepted between two offsets, in portions."""
    of = arrivals.c
    query = select(of.offset, of.event_id, of.arrived_at).where(of.authority == authority, of.outcome.in_(ACCEPTED))
    ordered = query.where(of.offset < end).order_by(of.offset).limit(STEP)
    while rows := [_Arrived(*row) for row in connection.execute(ordered.where(of.offset >= begin))]:
        yield rows
        begin = rows[-1].offset + 1


class _Told(Struct):
    """A leaf that may be added, and its event."""

    leaf: NewLeaf
    event: bytes


def _leaves(tree: Tree, rows: Sequence[_Arrived], events: Mapping[int, bytes]) -> Iterator[_Told]:
    for row in rows:
        event = events.get(row.offset)
        if event is None:
            raise Refused(
                f"Kafka no longer has offset {row.offset} of {tree.topic}, which was accepted: nothing was closed"
            )
        salt = secrets.token_bytes(SALT_BYTES)
        kind = msgspec.json.decode(event.removeprefix(BOM), type=_Typed).type
        entry = Entry(tree.authority, tree.topic, row.offset, row.event_id, kind, row.at, mark_of(event, salt))
        yield _Told(NewLeaf(row.event_id, msgspec.json.encode(entry).decode(), salt), event)


def _new(connection: Connection, authority: str, told: Iterator[_Told]) -> list[NewLeaf]:
    """Return the leaves whose bytes no leaf covers yet. Of an event that is sent again, or was written anew, the first one counts."""
    found = list(told)
    marks: dict[str, list[tuple[str, bytes]]] = {}
    for row in keeping.known(connection, authority, {one.leaf.event_id for one in found}, MOST_KNOWN):
        mark = msgspec.json.decode(row.entry, type=Entry).event
        marks.setdefault(row.event_id, []).append((mark, row.salt))
    came, new = set[bytes](), []
    for one in found:
        its = marks.get(one.leaf.event_id, ())
        if one.event not in came and not any(mark == mark_of(one.event, salt) for mark, salt in its):
            new.append(one.leaf)
        came.add(one.event)
    return new
