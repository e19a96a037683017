"""Finds everything that the books hold about one person."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, Row, func, or_, select

from contracts.authorities import AUTHORITIES
from services.chassis.audit import store
from services.chassis.audit.operators import operated
from services.chassis.clock import system_clock
from services.chassis.database import transaction
from services.chassis.failures import Refused
from services.records.ingest.notes import Kind, parts_of
from services.records.ingest.tables import arrivals, notes, records, rejections
from services.records.upkeep.renaming import PACKED, Person, Said

MOST_LOOKS = 10_000

Books = Mapping[str, Engine]
"""The databases of the services, by name."""


class Order(NamedTuple):
    """An order to do something about a person."""

    pseudonym: str
    why: str
    by: str | None = None
    authority: str | None = None
    """The authority that made the pseudonym, if the books need not find it."""


def held(books: Books, order: Order) -> dict[str, Any]:
    """Return what the books hold about a person, and record that it was viewed. Raises Refused."""
    who = known(books, order)
    subjects = sorted(who.subjects)
    found: dict[str, Any] = {
        "pseudonym": who.pseudonym,
        "authority": AUTHORITIES[who.authority].name,
        "on": system_clock().date(),
        "references": subjects,
    }
    for name, database in books.items():
        with transaction(database) as connection:
            found[name] = _held(connection, who, subjects)
            operated(connection, "person show", who.authority, by=order.by, shown=subjects, why=order.why)
    return found


def known(books: Books, order: Order) -> Person:
    """Return the person by the books of either service, since an earlier attempt may be half done. Raises Refused
    if they do not know them.
    """
    found = {code for database in books.values() for code in _authorities(database, order.pseudonym)}
    if order.authority is not None:
        found = {order.authority}
    if not found:
        raise Refused("Nothing is held under this pseudonym. If it may be in the log only, name the authority")
    if len(found) > 1:
        raise Refused("More than one authority has this pseudonym: name one of them")
    (authority,) = found
    subjects = {one for database in books.values() for one in _subjects(database, authority, order.pseudonym)}
    return Person(authority, order.pseudonym, frozenset(subjects))


def _authorities(database: Engine, pseudonym: str) -> Iterator[str]:
    """Yield the authorities whose records or refused events have the pseudonym."""
    with transaction(database) as connection:
        yield from connection.scalars(select(records.c.authority).where(bears(pseudonym)).distinct())
        nobody = Person("", pseudonym, frozenset())
        yield from {row.authority for row in _refused(connection, nobody)}


def bears(pseudonym: str) -> ColumnElement[bool]:
    """Select orders imposed on the person; null if that is not known."""
    return func.strpos(records.c.facts.op("->>")("imposed"), f'"{pseudonym}"') > 0


def _subjects(database: Engine, authority: str, pseudonym: str) -> Sequence[str]:
    with transaction(database) as connection:
        query = select(records.c.subject).where(records.c.authority == authority, bears(pseudonym))
        return connection.scalars(query).all()


def _held(connection: Connection, who: Person, subjects: Sequence[str]) -> dict[str, Any]:
    mine = records.c.authority == who.authority, records.c.subject.in_(subjects)
    came = arrivals.c.authority == who.authority, arrivals.c.subject.in_(subjects)
    return {
        "records": {
            row.subject: row.facts
            for row in connection.execute(select(records.c.subject, records.c.facts).where(*mine))
        },
        "refused": [
            {"at": row.arrived_at, "reason": row.reason, "event": (row.value or b"").decode(errors="replace")}
            for row in _refused(connection, who)
        ],
        "received": [row._asdict() for row in connection.execute(select(arrivals).where(*came))],
        "acknowledged": list(_acknowledged(connection, who)),
        "looked_at": [look for one in subjects for look in _looks(connection, who.authority, one)],
    }


def _acknowledged(connection: Connection, who: Person) -> Iterator[dict[str, Any]]:
    """Yield what managers decided about missed duties of the person's orders: the reason may say where the person is."""
    query = select(notes).where(notes.c.authority == who.authority, notes.c.kind == Kind.ACKNOWLEDGEMENT)
    for row in connection.execute(query.order_by(notes.c.id)):
        standard, due_on, subject = parts_of(row.key)
        if subject in who.subjects:
            told = {"subject": subject, "standard": standard, "due_on": due_on}
            yield {**told, "reason": (row.content or {}).get("reason"), "by": row.by, "at": row.at}


def _refused(connection: Connection, who: Person) -> Iterator[Row[Any]]:
    """Yield refused events that name the person or an order: in plain bytes, or perhaps in escapes or in base64."""
    query = select(rejections).where(or_(*map(holds, ("\\", PACKED, who.pseudonym, *who.subjects))))
    if who.authority:
        query = query.where(rejections.c.authority == who.authority)
    for row in connection.execute(query.order_by(rejections.c.arrived_at)):
        if who.mentioned(Said(row.topic, 0, row.key, row.value).plain):
            yield row


def holds(name: str) -> ColumnElement[bool]:
    """Select refused events whose bytes hold the name as it is written."""
    return func.pg_catalog.position(rejections.c.value, name.encode()) > 0


def _looks(connection: Connection, authority: str, reference: str) -> Iterator[dict[str, Any]]:
    for kept in store.search(connection, authority, store.Question(reference=reference), MOST_LOOKS):
        one = kept.entry
        yield {"at": one.at, "who": one.who, "role": one.role, "purpose": one.purpose, "what": one.what}
