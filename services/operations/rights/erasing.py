"""Erases a person: the log is written anew with other names, and the books of both services are rebuilt from it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, delete, exists, false, not_, or_, select, tuple_, union, update

from contracts.events import Topic
from contracts.topics import authority_of, kind_of_topic, topic_of
from services.chassis.audit.model import ERASED
from services.chassis.audit.operators import operated, owning_the_audit
from services.chassis.audit.store import names as audit_names
from services.chassis.database import engine, transaction, unhurried
from services.chassis.failures import Refused
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.containment import Place
from services.operations.books import DOMAINS, BooksSettings
from services.operations.rights.holding import Books, Order, bears, holds, known
from services.records.config.closed_days import calendars
from services.records.ingest import times
from services.records.ingest.guarding import parking
from services.records.ingest.guarding.parking import Action
from services.records.ingest.notes import Kind, parts_of
from services.records.ingest.tables import checkpoints, notes, parks, record_times, records, rejections
from services.records.trees import keeping as trees
from services.records.upkeep.rebuild import alone, rebuild
from services.records.upkeep.renaming import Person, Renaming, Said, alike
from services.records.upkeep.rewriting import Topics

OWN = {"orders": Topic.ORDERS, "unpaid_work": Topic.UNPAID_WORK}


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
    same: Mapping[str, Collection[str]]
    """Other authorities' references of the same orders, by authority."""


def forget(settings: PersonSettings, books: Books, order: Order) -> int:
    """Erase a person, and return how many records of the log got other names. Raises Refused, before anything was changed, and Away.

    If it is broken off, doing it again completes it: nothing is deleted before the books agree with the new log.
    """
    with ExitStack() as stack:
        for name in books:
            stack.enter_context(alone(settings.database.model_copy(update={"schema_name": name})))
        return _forget(settings, books, order)


def _forget(settings: PersonSettings, books: Books, order: Order) -> int:
    who = known(books, order)
    topics = Topics.settled(settings.kafka, _topics_of(books, who))
    plan = _plan(books, topics, who)
    if order.authority is not None and not plan.number and not who.subjects:
        raise Refused("Nothing is held under this pseudonym, and it is not in the authority's log")
    _refuse_decided(books, {who.authority, *map(authority_of, plan.changed)})
    _begin(books, plan, order)
    erased = _write_anew(books, topics, plan)
    topics.delete_old()
    for name in books:
        _make_again(settings, name)
    for name, database in books.items():
        with transaction(database) as connection:
            # Until the books were made again, they showed the old names to whoever looked.
            meanwhile = _erase_names(connection, plan)
            _put_on_record(connection, "person erase", who.authority, order, [*erased[name], *meanwhile])
    return plan.number


def _plan(books: Books, topics: Topics, known: Person) -> Plan:
    told = _told(books, topics)
    everything = [said for its in told.values() for said in its]
    own = [said for said in everything if authority_of(said.topic) == known.authority]
    found = Person.found_in(known.authority, known.pseudonym, own, _of_others(books["orders"], known))
    person = replace(found, subjects=found.subjects | known.subjects)
    renaming = Renaming.of(person, everything, topics.token.decode())
    after = {topic: [_renamed(renaming, said) for said in its] for topic, its in told.items()}
    changed = {topic: its for topic, its in after.items() if its != told[topic]}
    replaced = [old for topic, its in changed.items() for old, new in zip(told[topic], its, strict=True) if old != new]
    return Plan(renaming, changed, len(replaced), _ids(replaced), _elsewhere(books["orders"], person))


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


def _begin(books: Books, plan: Plan, order: Order) -> None:
    """Record what is about to be done, in one service after the other: the audits of both wait for the same lock."""
    authority = plan.renaming.person.authority
    for database in books.values():
        with transaction(database) as connection:
            _put_on_record(connection, "person erase begun", authority, order, _naming(connection, plan))


def _put_on_record(
    connection: Connection, command: str, authority: str, order: Order, entries: Sequence[AuditEntry]
) -> None:
    """Record the command in the audit of the authority, and of others whose entries lose references too: without the reason there."""
    for code in sorted({authority, *(entry.authority for entry in entries)}):
        numbers = sorted({entry.number for entry in entries if entry.authority == code})
        detail: dict[str, Any] = {ERASED: numbers} | ({"why": order.why} if code == authority else {})
        operated(connection, command, code, by=order.by, **detail)


def _write_anew(books: Books, topics: Topics, plan: Plan) -> dict[str, Sequence[AuditEntry]]:
    """Write the topics anew. Returns, by service, the audit's entries about the person."""
    with ExitStack() as stack:
        held_up = {name: stack.enter_context(unhurried(database)) for name, database in books.items()}
        for name, connection in held_up.items():
            _hold_up(name, connection, topics)
        erased = {name: _forget_in(connection, plan) for name, connection in held_up.items()}
        ends = topics.write_anew(plan.changed, lambda: [still.execute(select(1)) for still in held_up.values()])
        for connection in held_up.values():
            _move_on(connection, ends)
    return erased


def _refuse_decided(books: Books, authorities: Collection[str]) -> None:
    """Refuse if operators have decided about places in the log, since a log that is written anew has other places."""
    again = rejections.c.redriven_at.is_not(None), rejections.c.mended_by.is_(None)
    aside = exists().where(parks.c.authority.in_(authorities), parks.c.action == Action.SKIPPED)
    for name, database in books.items():
        with transaction(database) as connection:
            for parked in parking.parked(connection, authorities):
                raise Refused(f"{name} has parked {parked}: unpark it first")
            if connection.scalar(select(or_(aside, exists().where(rejections.c.authority.in_(authorities), *again)))):
                raise Refused(
                    f"{name} holds events of {' or '.join(sorted(authorities))} that were redriven without effect, or skipped: "
                    "a person cannot be erased"
                )


def _of_others(orders: Engine, who: Person) -> Sequence[str]:
    """Return the authority's orders that are other people's now, whatever was once stated by mistake."""
    query = select(records.c.subject).where(records.c.authority == who.authority, not_(bears(who.pseudonym)))
    with transaction(orders) as connection:
        return connection.scalars(query).all()


def _topics_of(books: Books, who: Person) -> list[str]:
    """Return the authority's own topics, and those of others' orders that state that they came from there, accepted or not."""
    came = select(records.c.authority).where(records.c.came_from.like(f"{who.authority}/%"))
    named = select(rejections.c.authority).where(holds(who.authority), or_(false(), *map(holds, who.subjects)))
    with transaction(books["orders"]) as connection:
        others = sorted(set(connection.scalars(union(came, named))) - {who.authority})
    return [*(topic_of(kind, who.authority) for kind in Topic), *(topic_of(Topic.ORDERS, code) for code in others)]


def _hold_up(name: str, connection: Connection, topics: Topics) -> None:
    """Hold up workers: they process nothing of these topics until the end. Raises Refused if anything is still unprocessed."""
    query = select(checkpoints.c.topic, checkpoints.c.next_offset).where(checkpoints.c.topic.in_(topics.messages))
    for topic, offset in connection.execute(query.order_by(checkpoints.c.topic).with_for_update()).all():
        its = topics.messages[topic]
        if its and offset <= its[-1].offset:
            raise Refused(f"{name} has not read all of {topic} yet: run the command again once it has")


def _move_on(connection: Connection, ends: Mapping[str, int]) -> None:
    """Move positions past the rewritten records, which books that are not rebuilt yet have counted already."""
    for topic, end in ends.items():
        where = checkpoints.c.topic == topic
        connection.execute(
            update(checkpoints).where(where).values(next_offset=end, last_timestamp=None, last_checksum=None)
        )


def _told(books: Books, topics: Topics) -> dict[str, list[Said]]:
    """Return the log with the times that the service of each topic uses, which its new records keep."""
    believed = dict[Place, int]()
    for name, database in books.items():
        own = {source: 0 for source in topics.sources if kind_of_topic(source.topic) is OWN[name]}
        with transaction(database) as connection:
            believed |= times.noted(connection, own)
    return {
        source.topic: [
            Said.of(source.topic, one, believed.get(Place(source, one.offset), one.timestamp))
            for one in topics.messages[source.topic]
        ]
        for source in topics.sources
    }


def _forget_in(connection: Connection, plan: Plan) -> Sequence[AuditEntry]:
    """Remove what a service knows besides the log: acknowledgements, times, entries of its trees, and references in its audit.

    Returns the audit's entries.
    """
    who, names = plan.renaming.person, plan.renaming.names
    mine = notes.c.authority == who.authority, notes.c.kind == Kind.ACKNOWLEDGEMENT
    for one in connection.execute(select(notes).where(*mine)):
        *duty, subject = parts_of(one.key)
        if subject in who.subjects:
            connection.execute(update(notes).where(notes.c.id == one.id).values(key=" ".join([*duty, names[subject]])))
    trees.forget(connection, plan.ids)
    connection.execute(delete(record_times).where(record_times.c.topic.in_(plan.changed)))
    return _erase_names(connection, plan)


def _erase_names(connection: Connection, plan: Plan) -> Sequence[AuditEntry]:
    """Remove references to the person from the audit; the entries stay. Returns these."""
    found = _naming(connection, plan)
    with owning_the_audit(connection):
        connection.execute(delete(audit_names).where(tuple_(audit_names.c.authority, audit_names.c.number).in_(found)))
    return found


def _naming(connection: Connection, plan: Plan) -> Sequence[AuditEntry]:
    """Return the audit's entries that name the person's orders: the authority's own, and others' that were shown such an order beside
    theirs.
    """
    who = plan.renaming.person
    query = select(audit_names).where(audit_names.c.shown.overlap(sorted(who.subjects)))
    return [
        AuditEntry(row.authority, row.number)
        for row in connection.execute(query).all()
        if row.authority == who.authority or _is_theirs(connection, plan, row.authority, row.shown)
    ]


def _is_theirs(connection: Connection, plan: Plan, authority: str, shown: Sequence[str]) -> bool:
    """Return whether references that were shown to another authority mean the person's orders. Its own may have the same reference."""
    if not set(plan.same.get(authority, ())).isdisjoint(shown):
        return True
    meant = plan.renaming.person.subjects.intersection(shown)
    mine = records.c.authority == authority, records.c.subject.in_(meant)
    return not meant <= set(connection.scalars(select(records.c.subject).where(*mine)))


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
