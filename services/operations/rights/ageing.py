"""The place of each kind of data in the tables, its age, and its removal."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Table, delete, func, or_, select, true, update

from services.chassis.audit import store
from services.chassis.audit.model import TRIMMED, WHOLE_SERVICE
from services.chassis.audit.operators import operated, owning_the_audit
from services.records.ingest.tables import arrivals, changes, notes, records, rejections
from services.reporting.read.tables import sessions

COMMAND, BEFORE = "retention apply", "before"
"""The command under which removal is recorded, and the member that says up to when rows were removed."""
NEVER = datetime.min.replace(tzinfo=UTC)


class Place(NamedTuple):
    """The column that says how old a row is, and which rows count."""

    since: Column[Any]
    which: ColumnElement[bool] = true()


class Age(NamedTuple):
    """How much is held of a kind in one place, and since when."""

    kind: str
    place: str
    number: int
    oldest: datetime | None


OF_RECORDS: Mapping[str, Place] = {
    "records": Place(records.c.ended_on, records.c.ended_on.is_not(None)),
    "refused": Place(rejections.c.arrived_at, or_(rejections.c.key.is_not(None), rejections.c.value.is_not(None))),
    "receipts": Place(arrivals.c.arrived_at),
    "news": Place(changes.c.at),
    "audit": Place(store.entries.c.at),
    "decisions": Place(notes.c.at),
}
OF_REPORTING: Mapping[str, Place] = {"audit": OF_RECORDS["audit"], "sessions": Place(sessions.c.ends_at)}


def ages(connection: Connection, service: str, places: Mapping[str, Place]) -> list[Age]:
    """Return the ages of every kind in the tables of one service. Only records whose order has ended count."""
    return [_age(connection, kind, f"{service}.{place.since.table.name}", place) for kind, place in places.items()]


def _age(connection: Connection, kind: str, name: str, place: Place) -> Age:
    number, oldest = connection.execute(select(func.count(), func.min(place.since)).where(place.which)).one()
    if isinstance(oldest, date) and not isinstance(oldest, datetime):
        oldest = datetime.combine(oldest, time(), UTC)
    return Age(kind, name, number, oldest)


def empty_refused(connection: Connection, before: datetime) -> int:
    """Remove the content of old refused events, and keep that and why they were refused."""
    place = OF_RECORDS["refused"]
    old = update(rejections).where(place.which, place.since < before)
    return connection.execute(old.values(key=None, value=None)).rowcount


def trim_audit(connection: Connection, before: datetime) -> int:
    """Delete the beginning of each chain, and record its last entry, so that the rest remains valid. Returns how many were deleted."""
    return sum(_trim(connection, head.authority, before) for head in store.heads(connection))


def _trim(connection: Connection, authority: str, before: datetime) -> int:
    of, number = store.entries.c, store.entries.c.number
    kept = select(func.min(number)).where(of.authority == authority, of.at >= before).scalar_subquery()
    query = select(number, of.hash).where(of.authority == authority, number < func.coalesce(kept, number + 1))
    last = connection.execute(query.order_by(number.desc()).limit(1)).one_or_none()
    if last is None:
        return 0
    up_to: dict[str, Any] = {TRIMMED: {"number": last.number, "hash": last.hash.hex()}}
    operated(connection, "retention trim", authority, **up_to)
    with owning_the_audit(connection):
        return [_begin_after(connection, table, authority, last.number) for table in (store.names, store.entries)][-1]


def _begin_after(connection: Connection, table: Table, authority: str, number: int) -> int:
    old = delete(table).where(table.c.authority == authority, table.c.number <= number)
    return connection.execute(old).rowcount


def _deleted(table: Table, since: Column[Any]) -> Callable[[Connection, datetime], int]:
    return lambda connection, before: connection.execute(delete(table).where(since < before)).rowcount


GOING: Mapping[str, Callable[[Connection, datetime], int]] = {
    "refused": empty_refused,
    "receipts": _deleted(arrivals, arrivals.c.arrived_at),
    "news": _deleted(changes, changes.c.at),
    "audit": trim_audit,
    "sessions": _deleted(sessions, sessions.c.ends_at),
}
"""How data older than a time is removed, by kind. Kinds that are not named stay until they are erased."""


def note_let_go(
    connection: Connection, by: str | None, gone: Mapping[str, int], before: Mapping[str, datetime]
) -> None:
    """Record how many rows of each kind were removed, and up to when rows have been removed by now."""
    told: dict[str, Any] = {BEFORE: {kind: limit.isoformat() for kind, limit in before.items()}}
    operated(connection, COMMAND, by=by, gone=gone, **told)


def let_go_before(connection: Connection) -> Mapping[str, datetime]:
    """Return up to when rows of one service were removed, by kind, according to the audit."""
    of = store.entries.c
    query = select(of.detail).where(of.authority == WHOLE_SERVICE, of.what == f"payback {COMMAND}")
    latest = connection.scalar(query.order_by(of.number.desc()).limit(1))
    told = msgspec.json.decode(latest)[BEFORE] if latest else {}
    return defaultdict(lambda: NEVER, {kind: datetime.fromisoformat(before) for kind, before in told.items()})
