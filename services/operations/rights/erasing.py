"""Erases a person: the log is written anew with other names, and the books of both services are rebuilt from it."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, delete, exists, false, func, not_, or_, select, tuple_, union, update

from contracts.events import Topic
from contracts.topics import authority_of, kind_of_topic, source_topics, topic_of
from services.chassis.audit.model import ERASED
from services.chassis.audit.operators import operated, owning_the_audit
from services.chassis.audit.store import entries as audit_entries
from services.chassis.audit.store import names as audit_names
from services.chassis.database import engine, transaction, unhurried
from services.chassis.failures import Refused
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.batches import TopicPartition
from services.chassis.streaming.containment import Place
from services.operations.books import DOMAINS, BooksSettings
from services.operations.rights.holding import Books, Order, bears, holds, known
from services.operations.rights.places import hold_up, move_on
from services.records.config.closed_days import calendars
from services.records.ingest import times
from services.records.ingest.guarding import parking
from services.records.ingest.guarding.parking import Action
from services.records.ingest.notes import Kind, parts_of
from services.records.ingest.tables import checkpoints, notes, parks, record_times, records, rejections
from services.records.trees import keeping as trees
from services.records.upkeep.rebuild import alone, rebuild
from services.records.upkeep.renaming import Person, Renaming, Said, alike
from services.records.upkeep.rewriting import Additions, Disturbed, Tails, Topics, on_record, since

OWN = {"orders": Topic.ORDERS, "unpaid_work": Topic.UNPAID_WORK}
TRIES = 3
"""How often to begin again because of new events about the person."""


class PersonSettings(BooksSettings):
    """The addresses of all parts. The named schema does not matter."""

    kafka: KafkaSettings


@contextmanager
def opened(settings: BooksSettings, services: Collection[str] = tuple(DOMAINS)) -> Iterator[dict[str, Engine]]:
    """Open the databases of these services, by default of both services of records."""
    with ExitStack() as stack:
        made = {}
        for name in services:
            made[name] = engine(settings.database.model_copy(update={"schema_name": name, "role": None}))
            stack.callback(made[name].dispose)
        yield made


class Plan(NamedTuple):
    """The changes to make."""

    renaming: Renaming
    changed: Mapping[str, Sequence[Said]]
    """All records of each topic in which any record changes."""
    number: int
    """How many records change."""
    ids: Mapping[str, Collection[str]]
    """The ids of the events that change, by authority."""
    meant: "Meant"


class Meant(NamedTuple):
    """The names by which the audit knows a person."""

    authority: str
    names: frozenset[str]
    """The pseudonym, and the references of the person's orders."""
    same: Mapping[str, Collection[str]]
    """Other authorities' references of the same orders, by authority."""

    def __or__(self, other: "Meant") -> "Meant":
        same = {code: {*self.same.get(code, ()), *other.same.get(code, ())} for code in {*self.same, *other.same}}
        return Meant(self.authority, self.names | other.names, same)


def forget(settings: PersonSettings, books: Books, order: Order) -> int:
    """Erase a person, and return how many records of the log got other names. Raises Refused, before anything was changed, and Away.

    If it is broken off, doing it again completes it: nothing is deleted before the books agree with the new log, and the audit keeps the
    names until nothing else does.
    """
    with ExitStack() as stack:
        for name in books:
            stack.enter_context(alone(settings.database.model_copy(update={"schema_name": name})))
        for _ in range(TRIES):
            with suppress(Disturbed):
                return _forget(settings, books, order)
    raise Refused(
        "Somebody still sends events about this person: stop that, and run the command again. Nothing was changed"
    )


def _forget(settings: PersonSettings, books: Books, order: Order) -> int:
    begun = _begun(books, order)
    who = known(books, order if begun is None else order._replace(authority=begun.authority))
    topics = Topics.settled(settings.kafka, _topics_of(books, who, settings.kafka), _writings(books))
    plan = _plan(books, topics, who)
    meant = plan.meant if begun is None else plan.meant | begun
    if plan.number or who.subjects:
        _refuse_decided(books, who.authority)
        _begin(books, meant, order, topics.token)
        _write_anew(books, topics, plan)
        topics.delete_old()
        for name in books:
            _make_again(settings, name)
    elif begun is None:
        raise Refused("Nothing is held under this pseudonym, and it is not in the authority's log")
    if _came_again(books, meant, order):
        raise Refused("Events about this person came while it was erased: have them stopped, and run the command again")
    for database in books.values():
        _end(database, meant, order)
    return plan.number


def _came_again(books: Books, meant: Meant, order: Order) -> bool:
    """Return whether the rebuilt books know an order of the person: something came after the log was looked at."""
    named = records.c.authority == meant.authority, records.c.subject.in_(meant.names)
    mine = select(exists().where(*named, bears(order.pseudonym).is_not(false())))
    for database in books.values():
        with transaction(database) as connection:
            if connection.scalar(mine):
                return True
    return False


def _plan(books: Books, topics: Topics, known: Person) -> Plan:
    told = _told(books, topics.messages)
    everything = [said for its in told.values() for said in its]
    own = [said for said in everything if authority_of(said.topic) == known.authority]
    found = Person.found_in(known.authority, known.pseudonym, own, _of_others(books["orders"], known))
    person = replace(found, subjects=found.subjects | known.subjects)
    renaming = Renaming.of(person, everything, topics.token.decode())
    after = {topic: [_renamed(renaming, said) for said in its] for topic, its in told.items()}
    changed = {topic: its for topic, its in after.items() if its != told[topic]}
    replaced = [old for topic, its in changed.items() for old, new in zip(told[topic], its, strict=True) if old != new]
    names = frozenset({person.pseudonym, *person.subjects})
    meant = Meant(person.authority, names, _elsewhere(books["orders"], person))
    return Plan(renaming, changed, len(replaced), _ids(replaced), meant)


def _ids(events: Iterable[Said]) -> Mapping[str, Collection[str]]:
    found: dict[str, set[str]] = {}
    for said in events:
        found.setdefault(authority_of(said.topic), set()).add(str(said.document.get("id")))
    return found


def _renamed(renaming: Renaming, said: Said) -> Said:
    after = renaming.renamed(said)
    if not alike(said, after):
        raise Refused(f"A record of {said.topic} would be processed differently under other names. Nothing was changed")
    return after


class AuditEntry(NamedTuple):
    """An entry of the audit, by its chain and its place there."""

    authority: str
    number: int


BEGUN = "person erase begun"
_SAME = (audit_names.c.authority == audit_entries.c.authority) & (audit_names.c.number == audit_entries.c.number)
_OF = re.compile(r"(S\d{8})/(.+)")


def _begin(books: Books, meant: Meant, order: Order, token: bytes) -> None:
    """Record what is about to be done, in one service after the other: the audits of both wait for the same lock.

    The entry has the names, by which another attempt finds what remains to be done once no log and no table has them any more.
    """
    elsewhere = [f"{code}/{subject}" for code, its in sorted(meant.same.items()) for subject in sorted(its)]
    about = [*sorted(meant.names), *elsewhere]
    for database in books.values():
        with transaction(database) as connection:
            operated(
                connection, BEGUN, meant.authority, by=order.by, about=about, why=order.why, writing=on_record(token)
            )


def _begun(books: Books, order: Order) -> Meant | None:
    """Return whom an earlier attempt was to erase that did not come to its end. Raises Refused if it may be either of two people."""
    found: dict[str, Meant] = {}
    begun = audit_entries.c.what == f"payback {BEGUN}", audit_names.c.shown.contains([order.pseudonym])
    for database in books.values():
        with transaction(database) as connection:
            for row in connection.execute(select(audit_names).join(audit_entries, _SAME).where(*begun)):
                meant = _meant(row.authority, row.shown)
                found[row.authority] = found[row.authority] | meant if row.authority in found else meant
    if order.authority is not None:
        return found.get(order.authority)
    if len(found) > 1:
        raise Refused("The erasure of several people of this pseudonym was broken off: name the authority")
    return next(iter(found.values()), None)


def unfinished(connection: Connection) -> Sequence[tuple[str, datetime]]:
    """Return the authorities of people whose erasure was begun and has not come to its end, and since when."""
    of = audit_entries.c
    begun = select(of.authority, func.min(of.at)).join(audit_names, _SAME).where(of.what == f"payback {BEGUN}")
    return [(row[0], row[1]) for row in connection.execute(begun.group_by(of.authority).order_by(of.authority))]


def _writings(books: Books) -> frozenset[str]:
    """Return by what the rewritings of erasures that have not come to their end are on record."""
    begun = audit_entries.c.what == f"payback {BEGUN}"
    query = select(audit_entries.c.detail).join(audit_names, _SAME).where(begun)
    found = set()
    for database in books.values():
        with transaction(database) as connection:
            found |= {msgspec.json.decode(detail).get("writing", "") for detail in connection.scalars(query)}
    return frozenset(found)


def _meant(authority: str, about: Sequence[str]) -> Meant:
    """Return what `_begin` put on record. A reference of the authority may look like one of another's: it is taken for both."""
    same: dict[str, set[str]] = {}
    for name in about:
        if found := _OF.fullmatch(name):
            same.setdefault(found[1], set()).add(found[2])
    return Meant(authority, frozenset(about), same)


def _end(database: Engine, meant: Meant, order: Order) -> None:
    """Remove the names from a service's audit, which is the last place that has them, and record it.

    Until the books were made again, they showed the old names to whoever looked.
    """
    with transaction(database) as connection:
        entries = _naming(connection, meant)
        with owning_the_audit(connection):
            place = tuple_(audit_names.c.authority, audit_names.c.number)
            connection.execute(delete(audit_names).where(place.in_(entries)))
        _put_on_record(connection, meant.authority, order, entries)


def _put_on_record(connection: Connection, authority: str, order: Order, entries: Sequence[AuditEntry]) -> None:
    """Record the erasure in the audit of the authority, and of others whose entries lose references too: without the reason there."""
    for code in sorted({authority, *(entry.authority for entry in entries)}):
        numbers = sorted({entry.number for entry in entries if entry.authority == code})
        detail: dict[str, Any] = {ERASED: numbers} | ({"why": order.why} if code == authority else {})
        operated(connection, "person erase", code, by=order.by, **detail)


def _write_anew(books: Books, topics: Topics, plan: Plan) -> None:
    """Write the topics anew, and remove what the services know besides."""
    with ExitStack() as stack:
        held_up = {name: stack.enter_context(unhurried(database)) for name, database in books.items()}
        reached = hold_up(held_up, topics, plan.meant.authority, plan.changed)
        for connection in held_up.values():
            _forget_in(connection, plan)
        written = topics.write_anew(
            plan.changed,
            partial(_added, books, plan),
            lambda: [still.execute(select(1)) for still in held_up.values()],
        )
        for name, connection in held_up.items():
            for topic in written.keys() & reached[name].keys():
                move_on(connection, topic, written[topic], reached[name][topic])


def _added(books: Books, plan: Plan, tails: Tails) -> Additions:
    """Return what others have sent meanwhile, which stays as it is. Raises Disturbed if it is about the person."""
    told = _told(books, tails)
    if any(plan.renaming.person.is_in(said) for its in told.values() for said in its):
        raise Disturbed
    return told


def _refuse_decided(books: Books, authority: str) -> None:
    """Refuse if the person's own authority is parked, since then the books do not know everything of whose its orders are; or if operators
    have decided about its events.
    """
    again = rejections.c.redriven_at.is_not(None), rejections.c.mended_by.is_(None)
    aside = exists().where(parks.c.authority == authority, parks.c.action == Action.SKIPPED)
    parked = []
    for name, database in books.items():
        with transaction(database) as connection:
            parked += [f"{name} has parked {code}" for code in parking.parked(connection, [authority])]
    if parked:
        raise Refused(f"{'; '.join(parked)}: unpark them first. Nothing was changed")
    for name, database in books.items():
        with transaction(database) as connection:
            if connection.scalar(select(or_(aside, exists().where(rejections.c.authority == authority, *again)))):
                raise Refused(
                    f"{name} holds events of {authority} that were redriven without effect, or skipped: a person cannot be erased"
                )


def _of_others(orders: Engine, who: Person) -> Sequence[str]:
    """Return the authority's orders that are other people's now, whatever was once stated by mistake."""
    query = select(records.c.subject).where(records.c.authority == who.authority, not_(bears(who.pseudonym)))
    with transaction(orders) as connection:
        return connection.scalars(query).all()


def _topics_of(books: Books, who: Person, kafka: KafkaSettings) -> list[str]:
    """Return the authority's own topics, and those of others' orders that state that they came from there, accepted, refused or not
    processed yet.
    """
    came = select(records.c.authority).where(records.c.came_from.like(f"{who.authority}/%"))
    named = select(rejections.c.authority).where(holds(who.authority), or_(false(), *map(holds, who.subjects)))
    with transaction(books["orders"]) as connection:
        others = set(connection.scalars(union(came, named)))
        reached = {row.topic: row.next_offset for row in connection.execute(select(checkpoints))}
    waiting = since(kafka, {topic: reached.get(topic, 0) for topic in source_topics(Topic.ORDERS)})
    others |= {
        authority_of(topic)
        for topic, its in waiting.items()
        if any(who.authority in Said.of(topic, message, message.timestamp).plain for message in its)
    }
    own = [topic_of(kind, who.authority) for kind in Topic]
    return [*own, *(topic_of(Topic.ORDERS, code) for code in sorted(others - {who.authority}))]


def _told(books: Books, messages: Tails) -> dict[str, list[Said]]:
    """Return records of the log with the times that the service of each topic uses, which the new records keep."""
    believed = dict[Place, int]()
    for name, database in books.items():
        own = {TopicPartition(topic, 0): 0 for topic in messages if kind_of_topic(topic) is OWN[name]}
        with transaction(database) as connection:
            believed |= times.noted(connection, own)
    return {
        topic: [
            Said.of(topic, one, believed.get(Place(TopicPartition(topic, 0), one.offset), one.timestamp)) for one in its
        ]
        for topic, its in messages.items()
    }


def _forget_in(connection: Connection, plan: Plan) -> None:
    """Remove what a service knows besides the log: acknowledgements, times, and entries of its trees."""
    who, names = plan.renaming.person, plan.renaming.names
    mine = notes.c.authority == who.authority, notes.c.kind == Kind.ACKNOWLEDGEMENT
    for one in connection.execute(select(notes).where(*mine)):
        *duty, subject = parts_of(one.key)
        if subject in who.subjects:
            connection.execute(update(notes).where(notes.c.id == one.id).values(key=" ".join([*duty, names[subject]])))
    trees.forget(connection, plan.ids)
    connection.execute(delete(record_times).where(record_times.c.topic.in_(plan.changed)))


def _naming(connection: Connection, meant: Meant) -> Sequence[AuditEntry]:
    """Return the audit's entries that name the person or their orders: the authority's own, and others' that were shown such an order
    beside theirs.
    """
    query = select(audit_names).where(audit_names.c.shown.overlap(sorted(meant.names)))
    return [
        AuditEntry(row.authority, row.number)
        for row in connection.execute(query).all()
        if row.authority == meant.authority or _is_theirs(connection, meant, row.authority, row.shown)
    ]


def _is_theirs(connection: Connection, meant: Meant, authority: str, shown: Sequence[str]) -> bool:
    """Return whether references that were shown to another authority mean the person's orders. Its own may have the same reference."""
    if not set(meant.same.get(authority, ())).isdisjoint(shown):
        return True
    named = meant.names.intersection(shown)
    mine = records.c.authority == authority, records.c.subject.in_(named)
    return not named <= set(connection.scalars(select(records.c.subject).where(*mine)))


def _elsewhere(orders: Engine, who: Person) -> Mapping[str, Collection[str]]:
    """Return the references that other authorities gave to the person's orders, from either side of a transfer."""
    named = [f"{who.authority}/{subject}" for subject in who.subjects]
    taken = select(records.c.authority, records.c.subject).where(records.c.came_from.in_(named))
    ours = records.c.authority == who.authority, records.c.subject.in_(who.subjects)
    came = select(records.c.came_from).where(*ours, records.c.came_from.is_not(None))
    found: dict[str, set[str]] = {}
    with transaction(orders) as connection:
        for authority, subject in connection.execute(taken):
            found.setdefault(authority, set()).add(subject)
        for origin in connection.scalars(came):
            authority, _, subject = origin.partition("/")
            found.setdefault(authority, set()).add(subject)
    return found


def _make_again(settings: PersonSettings, name: str) -> None:
    database = settings.database.model_copy(update={"schema_name": name, "role": None})
    domain = DOMAINS[name](*calendars(settings.calendar.closed_days_path))
    migrations = Path(str(files(f"services.{name}"))) / "migrations"
    rebuild(database, settings.kafka, domain, migrations, lambda *_: None)
