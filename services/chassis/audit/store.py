"""Entries in PostgreSQL. The roles of the service may add and read them, and nothing else."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar, cast

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Row,
    Select,
    Table,
    Text,
    and_,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from services.chassis.audit.model import BEGINNING, Entry, Head, Kept, Kind, Link, Purpose, about, link

T = TypeVar("T", bound=StrEnum)
metadata = MetaData()
entries = Table(
    "audit_entries",
    metadata,
    Column("authority", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("at", TIMESTAMP(timezone=True), nullable=False),
    Column("who", Text, nullable=False),
    Column("of", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("count", Integer),
    Column("detail", Text, nullable=False),
    Column("about", LargeBinary, nullable=False),
    Column("before", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("authority", "number"),
    comment="What was seen and done: chains, one for each authority.",
)
names = Table(
    "audit_names",
    metadata,
    Column("authority", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("shown", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("authority", "number"),
    comment="The references that an entry is about. They can be erased; the chain holds a salted hash of them.",
)


class Question(NamedTuple):
    """Which entries to search for; None stands for all."""

    since: datetime | None = None
    until: datetime | None = None
    who: str | None = None
    reference: str | None = None
    before: int | None = None
    """Only entries with a lower number."""


def append(connection: Connection, *told: Entry) -> None:
    """Add entries, in the present transaction. Others that add to the same chain wait until it ends."""
    for entry in sorted(told, key=lambda one: one.authority):
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"audit {entry.authority}", 0))))
        head = _head(connection, entry.authority)
        salt = secrets.token_bytes(16)
        placed = link(entry, head.number + 1, bytes.fromhex(head.hash), about(entry.references, salt))
        connection.execute(entries.insert().values(_row(entry, placed)))
        if entry.references:
            where = {"authority": entry.authority, "number": placed.number}
            connection.execute(names.insert().values(salt=salt, shown=list(entry.references), **where))


def heads(connection: Connection) -> list[Head]:
    """Return the last entry of each chain."""
    latest = select(entries.c.authority, func.max(entries.c.number)).group_by(entries.c.authority)
    return [_head(connection, authority) for authority, _ in connection.execute(latest.order_by(entries.c.authority))]


def chain(connection: Connection, authority: str) -> Iterator[Kept]:
    """Yield all entries of an authority in order."""
    query = _with_names().where(entries.c.authority == authority).order_by(entries.c.number)
    yield from map(_kept, connection.execute(query.execution_options(yield_per=1000)))


def search(connection: Connection, authority: str, asked: Question, limit: int) -> list[Kept]:
    """Return the matching entries of an authority, the latest first."""
    query = _with_names().where(entries.c.authority == authority)
    if asked.since is not None:
        query = query.where(entries.c.at >= asked.since)
    if asked.until is not None:
        query = query.where(entries.c.at < asked.until)
    if asked.who is not None:
        query = query.where(entries.c.who == asked.who)
    if asked.reference is not None:
        query = query.where(names.c.shown.contains([asked.reference]))
    if asked.before is not None:
        query = query.where(entries.c.number < asked.before)
    return [_kept(row) for row in connection.execute(query.order_by(entries.c.number.desc()).limit(limit))]


def _head(connection: Connection, authority: str) -> Head:
    query = select(entries.c.number, entries.c.hash, entries.c.at).where(entries.c.authority == authority)
    row = connection.execute(query.order_by(entries.c.number.desc()).limit(1)).one_or_none()
    return Head(authority, row.number, row.hash.hex(), row.at) if row else Head(authority, 0, BEGINNING.hex())


def _with_names() -> Select[Any]:
    same = and_(names.c.authority == entries.c.authority, names.c.number == entries.c.number)
    return select(entries, names.c.salt, names.c.shown).outerjoin(names, same)


def _row(entry: Entry, placed: Link) -> dict[str, Any]:
    return {
        "authority": entry.authority,
        "at": entry.at,
        "who": entry.who,
        "of": entry.of,
        "role": entry.role,
        "purpose": str(entry.purpose),
        "kind": str(entry.kind),
        "what": entry.what,
        "count": entry.count,
        "detail": msgspec.json.encode(entry.detail, order="sorted").decode(),
        **placed._asdict(),
    }


def _kept(row: Row[Any]) -> Kept:
    shown: Sequence[str] = row.shown or ()
    entry = Entry(
        row.authority,
        row.at,
        row.who,
        row.of,
        row.role,
        _one_of(Purpose, row.purpose),
        _one_of(Kind, row.kind),
        row.what,
        row._mapping["count"],  # noqa: SLF001 - rows have a method of that name
        shown,
        _detail(row.detail),
    )
    return Kept(entry, Link(row.number, row.before, row.about, row.hash), row.salt)


def _one_of(kind: type[T], stored: str) -> T:
    """Return the member, or what is stored in its place if somebody has changed it, which then does not go with the hash of the entry."""
    return kind(stored) if stored in set(kind) else cast("T", stored)


def _detail(stored: str) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(stored)
    except msgspec.DecodeError:
        found = None
    return found if isinstance(found, dict) else {"unreadable": stored}
