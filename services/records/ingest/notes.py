"""Decisions of an authority's managers, with who and when. They never change; the latest of a key counts.

A note without content removes the entry of its key. Closed days are the only notes that change figures: a worker checks for new ones, and
counts again whatever they affect.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, Select, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from contracts.authorities import current_code
from services.records.config.closed_days import with_closed_days
from services.records.ingest.tables import notes
from services.records.model.domain import Domain

Content = dict[str, Any]


class Kind(StrEnum):
    """The kind of a note, which decides what its key names."""

    ACKNOWLEDGEMENT = "acknowledgement"
    """A missed duty that needs nothing more; the key has its standard, due date and order."""
    CLOSED_DAY = "closed_day"
    """A day on which the authority's own offices are closed; the key is the day."""
    TARGET = "target"
    """The authority's own target; the key has its standard and the day from which it holds."""
    AIM = "aim"
    """A change that the authority makes in order to meet a standard; the key has the standard and the day on which the change begins."""
    FEED = "feed"
    """An address that shows what is due without signing in; the key is the hash of its secret."""
    FEED_REFERENCES = "feed_references"
    """That feeds opened from now on may name orders. There is one for each authority."""
    SIGNING_KEY = "signing_key"
    """A public key by which the authority's signatures are checked; the key of the note is its name."""


@dataclass(frozen=True, slots=True)
class Note:
    """One decision. `content` is None if it removes the earlier decision."""

    kind: Kind
    key: str
    content: Content | None
    by: str
    at: datetime


def key_of(standard: str, due_on: date, subject: str) -> str:
    """Return the key of an acknowledgement."""
    return f"{standard} {due_on} {subject}"


def parts_of(key: str) -> tuple[str, str, str]:
    """Return the standard, due date and order that the key of an acknowledgement names."""
    standard, due_on, subject = key.split(" ", 2)
    return standard, due_on, subject


def holding(connection: Connection, authority: str, *kinds: Kind) -> list[Note]:
    """Return the notes in force now, by kind and key."""
    latest = _latest(select(notes).where(notes.c.authority == authority, notes.c.kind.in_(kinds)))
    return [note for note in _read(connection, latest) if note.content is not None]


def history(connection: Connection, authority: str, kind: Kind, limit: int) -> list[Note]:
    """Return all decisions, the latest first."""
    return list(_read(connection, _changes(authority, kind).limit(limit)))


def write(connection: Connection, authority: str, decided: Sequence[Note]) -> None:
    """Keep these notes."""
    if decided:
        rows = [
            {"authority": authority, "kind": n.kind, "key": n.key, "content": n.content, "by": n.by, "at": n.at}
            for n in decided
        ]
        connection.execute(notes.insert(), rows)


def number_since(connection: Connection, authority: str, kind: Kind, at: datetime) -> int:
    """Return how many decisions of a kind were made since then."""
    mine = notes.c.authority == authority, notes.c.kind == kind, notes.c.at > at
    return connection.scalar(select(func.count()).select_from(notes).where(*mine)) or 0


_FEED = text("SELECT authority, holds FROM feeds WHERE key = :key ORDER BY id")


def holder_of_feed(connection: Connection, key: str) -> str | None:
    """Return the authority that first made a feed; None if it removed it, or nobody ever made it.

    Another authority may come to know the address, and cannot take it over, not even once it was removed.
    """
    rows = connection.execute(_FEED, {"key": key}).all()
    own = [row for row in rows if current_code(row.authority) == current_code(rows[0].authority)]
    return own[-1].authority if own and own[-1].holds else None


def was_written(connection: Connection, authority: str, kind: Kind, key: str) -> bool:
    """Return whether anything was ever decided under this key, even if it was removed."""
    return connection.execute(_changes(authority, kind).where(notes.c.key == key).limit(1)).one_or_none() is not None


def feed_names_orders(connection: Connection, authority: str, key: str) -> bool:
    """Return whether a feed names orders: it was opened to do so, and since before then the authority has allowed it without a break."""
    feed = connection.execute(_changes(authority, Kind.FEED).where(notes.c.key == key).limit(1)).one_or_none()
    begun = _references_allowed_from(connection, authority)
    return bool(feed and feed.content and feed.content.get("references") and begun is not None and begun < feed.id)


def _references_allowed_from(connection: Connection, authority: str) -> int | None:
    """Return the note from which on feeds may name orders, without a break until now; None if they may not."""
    allowed = takewhile(
        lambda note: note.content is not None, connection.execute(_changes(authority, Kind.FEED_REFERENCES))
    )
    return min((note.id for note in allowed), default=None)


def _changes(authority: str, kind: Kind) -> Select[Any]:
    return select(notes).where(notes.c.authority == authority, notes.c.kind == kind).order_by(notes.c.id.desc())


def latest_closed_days(connection: Connection, authorities: Collection[str]) -> dict[str, int]:
    """Return a number for each of these authorities that has set closed days, which grows when they change."""
    query = select(notes.c.authority, func.max(notes.c.id).label("latest")).where(notes.c.kind == Kind.CLOSED_DAY)
    query = query.where(notes.c.authority.in_(authorities)).group_by(notes.c.authority)
    return {row.authority: row.latest for row in connection.execute(query)}


def with_own_days(connection: Connection, domain: Domain, authorities: Collection[str] | None = None) -> Domain:
    """Return the domain with the closed days that managers set, for these authorities or for all."""
    query = select(notes).where(notes.c.kind == Kind.CLOSED_DAY)
    if authorities is not None:
        query = query.where(notes.c.authority.in_(authorities))
    days: dict[str, set[date]] = {}
    for row in connection.execute(_latest(query)).mappings():
        if row["content"] is not None:
            days.setdefault(row["authority"], set()).add(date.fromisoformat(row["key"]))
    return with_days(domain, days)


def with_days(domain: Domain, days: Mapping[str, Collection[date]]) -> Domain:
    """Return the domain with these closed days added to those that its calendars have."""
    own = {
        code: with_closed_days(domain.of(code).calendar, domain.calendar, frozenset(closed))
        for code, closed in days.items()
    }
    return replace(domain, local={**domain.local, **own}) if own else domain


def _latest(query: Select[Any]) -> Select[Any]:
    key = (notes.c.authority, notes.c.kind, notes.c.key)
    return query.ext(distinct_on(*key)).order_by(*key, notes.c.id.desc())


def _read(connection: Connection, query: Select[Any]) -> Iterator[Note]:
    for row in connection.execute(query).mappings():
        yield _note(row)


def _note(row: Mapping[Any, Any]) -> Note:
    return Note(Kind(row["kind"]), row["key"], row["content"], row["by"], row["at"])
