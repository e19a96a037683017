"""The commands about one person: what is held, and to have it forgotten."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
import typer
from sqlalchemy import Connection, Engine, delete, exists, func, or_, select, text, update

from contracts.authorities import AUTHORITIES
from contracts.events import Topic
from contracts.topics import authority_of, topic_of
from services.chassis.audit import store
from services.chassis.audit.operators import operated
from services.chassis.audit.store import names as audit_names
from services.chassis.clock import system_clock
from services.chassis.database import engine, transaction, unhurried
from services.chassis.failures import Refused
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.containment import Place
from services.operations.books import DOMAINS, BooksSettings
from services.records.config.closed_days import calendars
from services.records.ingest import times
from services.records.ingest.guarding import parking
from services.records.ingest.guarding.parking import Action
from services.records.ingest.notes import Kind
from services.records.ingest.tables import (
    arrivals,
    checkpoints,
    notes,
    parks,
    persons,
    record_times,
    records,
    rejections,
)
from services.records.upkeep.rebuild import rebuild
from services.records.upkeep.renaming import Person, Renaming, Said
from services.records.upkeep.rewriting import Topics

commands = typer.Typer()
person = typer.Typer(
    no_args_is_help=True,
    help="What is held about a person, and to have it forgotten. PAYBACK_DATABASE_URL and PAYBACK_KAFKA_BOOTSTRAP say where, for a user "
    "who may take the roles of both services of records, as the role maintenance is.",
)
commands.add_typer(person, name="person")

Pseudonym = Annotated[str, typer.Argument(help="As the authority makes it.")]
Why = Annotated[str, typer.Option(help="Who asked for it, and when; kept on record. No name.")]
By = Annotated[str | None, typer.Option(help="Who does it; whoever is signed in, if left out.")]


class PersonSettings(BooksSettings):
    """Where everything is. The schema that is named does not matter."""

    kafka: KafkaSettings


class Order(NamedTuple):
    """To do something about a person."""

    pseudonym: str
    why: str
    by: str | None = None


@person.command()
def show(
    pseudonym: Pseudonym,
    out: Annotated[Path, typer.Option(help="The file to write, readable by whoever is signed in only.")],
    why: Why = "",
    by: By = None,
) -> None:
    """Write all that is held about a person into a file: orders, hours, refused events, receipts, and who looked."""
    with opened(PersonSettings.load()) as books:
        found = held(books, Order(pseudonym, why, by))
    out.touch(mode=0o600)
    out.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    typer.echo(f"{out}: {len(found['references'])} orders")


@person.command()
def erase(pseudonym: Pseudonym, why: Why, by: By = None) -> None:
    """Have a person forgotten while every count stays: topics are written anew under names that nobody knows, and books made from them.

    Nothing may be sent to the authority's topics meanwhile. Backups still hold the person until they are deleted.
    """
    settings = PersonSettings.load()
    with opened(settings) as books:
        number = forget(settings, books, Order(pseudonym, why, by))
    typer.echo(f"{number} records of the log have other names; the books were made again from it")


@contextmanager
def opened(settings: PersonSettings) -> Iterator[dict[str, Engine]]:
    """The databases of both services."""
    with ExitStack() as stack:
        made = {}
        for name in DOMAINS:
            own = settings.database.model_copy(update={"schema_name": name, "role": None})
            made[name] = engine(own)
            stack.callback(made[name].dispose)
        yield made


def held(books: Mapping[str, Engine], order: Order) -> dict[str, Any]:
    """What stands in the books about a person. That it was looked at is on record. Raises Refused."""
    authority, subjects = _orders_of(books["orders"], order.pseudonym)
    found: dict[str, Any] = {
        "pseudonym": order.pseudonym,
        "authority": AUTHORITIES[authority].name,
        "on": system_clock().date(),
        "references": subjects,
    }
    for name, database in books.items():
        with transaction(database) as connection:
            found[name] = _held(connection, authority, subjects, order.pseudonym)
            operated(connection, "person show", authority, by=order.by, shown=subjects, why=order.why)
    return found


def _orders_of(orders: Engine, pseudonym: str) -> tuple[str, list[str]]:
    """The authority that knows the pseudonym, and its orders of the person."""
    with transaction(orders) as connection:
        authority = connection.scalar(select(persons.c.authority).where(persons.c.person_ref == pseudonym).limit(1))
        if authority is None:
            raise Refused("Nothing is held under this pseudonym")
        bears = func.strpos(records.c.facts.op("->>")("imposed"), f'"{pseudonym}"') > 0
        query = select(records.c.subject).where(records.c.authority == authority, bears).order_by(records.c.subject)
        return str(authority), list(connection.scalars(query))


def _held(connection: Connection, authority: str, subjects: Sequence[str], pseudonym: str) -> dict[str, Any]:
    mine = records.c.authority == authority, records.c.subject.in_(subjects)
    refused = rejections.c.authority == authority, _mentions(pseudonym, subjects)
    came = arrivals.c.authority == authority, arrivals.c.subject.in_(subjects)
    looked = [
        kept.entry
        for one in subjects
        for kept in store.search(connection, authority, store.Question(reference=one), 10_000)
    ]
    return {
        "records": {
            row.subject: row.facts
            for row in connection.execute(select(records.c.subject, records.c.facts).where(*mine))
        },
        "refused": [
            {"at": row.arrived_at, "reason": row.reason, "event": (row.value or b"").decode(errors="replace")}
            for row in connection.execute(select(rejections).where(*refused))
        ],
        "received": [row._asdict() for row in connection.execute(select(arrivals).where(*came))],
        "looked_at": [
            {"at": one.at, "who": one.who, "role": one.role, "purpose": one.purpose, "what": one.what} for one in looked
        ],
    }


def _mentions(pseudonym: str, subjects: Sequence[str]) -> Any:
    """Whether a refused event holds any of these as a text."""
    held = func.encode(rejections.c.value, "escape")
    return or_(*(func.strpos(held, f'"{one}"') > 0 for one in (pseudonym, *subjects)))


def forget(settings: PersonSettings, books: Mapping[str, Engine], order: Order) -> int:
    """Returns how many records of the log were given other names. Raises Refused, before anything was changed, and Away.

    What was broken off is done to its end by doing it again: nothing is deleted before the books agree to the new log.
    """
    authority, subjects = _known(books, order.pseudonym)
    _refuse_decided(books, authority)
    topics = Topics(settings.kafka, _topics_of(books["orders"], authority))
    told = _told(books["orders"], topics)
    renaming = _renaming(books["orders"], topics, told, (authority, order.pseudonym, subjects))
    after = {topic: [renaming.renamed(said) for said in its] for topic, its in told.items()}
    changed = {topic: its for topic, its in after.items() if its != told[topic]}
    _put_on_record(books, "person erase begun", authority, order, {})
    erased = dict[str, list[int]]()
    with ExitStack() as stack:
        held_up = [stack.enter_context(unhurried(database)) for database in books.values()]
        for name, connection in zip(books, held_up, strict=True):
            _hold_up(name, connection, topics)
            erased[name] = _forget_in(connection, renaming, list(changed))
        ends = topics.write_anew(changed)
        for connection in held_up:
            _move_on(connection, ends)
    topics.delete_old()
    for name in books:
        _make_again(settings, name)
    _put_on_record(books, "person erase", authority, order, erased)
    return sum(old != new for topic in changed for old, new in zip(told[topic], after[topic], strict=True))


def _put_on_record(
    books: Mapping[str, Engine], command: str, authority: str, order: Order, erased: Mapping[str, list[int]]
) -> None:
    """One service after the other: the audits of both wait for the same lock."""
    for name, database in books.items():
        with transaction(database) as connection:
            entries = erased.get(name, [])
            operated(connection, command, authority, by=order.by, why=order.why, erased_entries=entries)


def _known(books: Mapping[str, Engine], pseudonym: str) -> tuple[str, list[str]]:
    """The authority that knows the pseudonym, and orders, by the first service that has any: another attempt may have been half done."""
    for database in books.values():
        with suppress(Refused):
            return _orders_of(database, pseudonym)
    raise Refused("Nothing is held under this pseudonym")


def _refuse_decided(books: Mapping[str, Engine], authority: str) -> None:
    """Operators have decided about places in the log, and a log that is written anew has other places."""
    again = rejections.c.authority == authority, rejections.c.redriven_at.is_not(None), rejections.c.mended_by.is_(None)
    aside = parks.c.authority == authority, parks.c.action == Action.SKIPPED
    for name, database in books.items():
        with transaction(database) as connection:
            if parking.parked(connection, [authority]):
                raise Refused(f"{name} has parked {authority}: release it first")
            if connection.scalar(select(exists().where(*again))) or connection.scalar(select(exists().where(*aside))):
                raise Refused(
                    f"{name} holds events of {authority} that were redriven without effect, or skipped: a person cannot be erased"
                )


def _renaming(
    orders: Engine, topics: Topics, told: Mapping[str, Sequence[Said]], known: tuple[str, str, Sequence[str]]
) -> Renaming:
    authority, pseudonym, subjects = known
    everything = [said for its in told.values() for said in its]
    own = [said for said in everything if authority_of(said.topic) == authority]
    person = Person.found_in(authority, pseudonym, own, _of_others(orders, authority, pseudonym))
    person = replace(person, subjects=person.subjects | set(subjects))
    return Renaming.of(person, everything, topics.token.decode())


def _of_others(orders: Engine, authority: str, pseudonym: str) -> list[str]:
    """The authority's orders that are of other people now, whatever was once said of them by mistake."""
    imposed = records.c.facts.op("->>")("imposed")
    query = select(records.c.subject).where(
        records.c.authority == authority, func.strpos(imposed, f'"{pseudonym}"') == 0
    )
    with transaction(orders) as connection:
        return list(connection.scalars(query))


def _topics_of(orders: Engine, authority: str) -> list[str]:
    """The authority's own, and those of orders of others that say that they came from there."""
    with transaction(orders) as connection:
        came = records.c.came_from.like(f"{authority}/%")
        others = connection.scalars(
            select(records.c.authority).where(came).distinct().order_by(records.c.authority)
        ).all()
    own = [topic_of(kind, authority) for kind in Topic]
    return [*own, *(topic_of(Topic.ORDERS, code) for code in others if code != authority)]


def _hold_up(name: str, connection: Connection, topics: Topics) -> None:
    """Workers take nothing of these topics until the end. Raises Refused where there is something that they have not taken yet."""
    query = select(checkpoints.c.topic, checkpoints.c.next_offset).where(checkpoints.c.topic.in_(topics.messages))
    for topic, offset in connection.execute(query.order_by(checkpoints.c.topic).with_for_update()).all():
        its = topics.messages[topic]
        if its and offset <= its[-1].offset:
            raise Refused(f"{name} has not read all of {topic} yet: give the command again once it has")


def _move_on(connection: Connection, ends: Mapping[str, int]) -> None:
    """Past what was written anew, which books that were not made again yet have counted already."""
    for topic, end in ends.items():
        where = checkpoints.c.topic == topic
        connection.execute(
            update(checkpoints).where(where).values(next_offset=end, last_timestamp=None, last_checksum=None)
        )


def _told(orders: Engine, topics: Topics) -> dict[str, list[Said]]:
    """The log with the times that are believed, which its new records keep."""
    with transaction(orders) as connection:
        believed = times.noted(connection, dict.fromkeys(topics.sources, 0))
    return {
        source.topic: [
            Said.of(source.topic, one, believed.get(Place(source, one.offset), one.timestamp))
            for one in topics.messages[source.topic]
        ]
        for source in topics.sources
    }


def _forget_in(connection: Connection, renaming: Renaming, topics: Sequence[str]) -> list[int]:
    """What a service knows beside the log: acknowledgements, times, and references in its audit, whose entries' numbers are returned."""
    who = renaming.person
    for one in connection.execute(
        select(notes).where(notes.c.authority == who.authority, notes.c.kind == Kind.ACKNOWLEDGEMENT)
    ):
        *duty, subject = one.key.split(" ", 2)
        if subject in who.subjects:
            key = " ".join([*duty, renaming.names[subject]])
            connection.execute(update(notes).where(notes.c.id == one.id).values(key=key))
    connection.execute(delete(record_times).where(record_times.c.topic.in_(topics)))
    return _erase_names(connection, who)


def _erase_names(connection: Connection, who: Person) -> list[int]:
    """References of the person leave the audit; the entries stay. Returns their numbers."""
    role = connection.scalar(text("SELECT current_user"))
    quoted = connection.dialect.identifier_preparer.quote_identifier
    shown = audit_names.c.shown.overlap(sorted(who.subjects))
    connection.execute(text(f"SET LOCAL ROLE {quoted(f'{role}_audit')}"))
    gone = delete(audit_names).where(audit_names.c.authority == who.authority, shown).returning(audit_names.c.number)
    numbers = sorted(connection.scalars(gone))
    connection.execute(text(f"SET LOCAL ROLE {quoted(str(role))}"))
    return numbers


def _make_again(settings: PersonSettings, name: str) -> None:
    database = settings.database.model_copy(update={"schema_name": name, "role": None})
    domain = DOMAINS[name](*calendars(settings.calendar.closed_days_path))
    migrations = Path(str(files(f"services.{name}"))) / "migrations"
    rebuild(database, settings.kafka, domain, migrations, lambda *_: None)
