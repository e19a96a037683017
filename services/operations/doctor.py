"""Finds what is wrong around a service, and says it in words; it changes nothing."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import typer
from sqlalchemy import Connection, func, select, text

from contracts.events import Topic
from contracts.periods import LONDON
from contracts.topics import source_topics
from services.chassis.clock import system_clock
from services.chassis.database import connected
from services.chassis.failures import Failure
from services.chassis.guarding.pending_migrations import pending
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streaming.clients.admin import Admin, Disk, Span, TopicSpec
from services.chassis.web.words import counted
from services.operations.books import BooksSettings
from services.operations.expiry import ending
from services.operations.rights.erasing import unfinished
from services.operations.topics import topic_specs
from services.records.ingest.guarding import parking, walls
from services.records.ingest.tables import record_times, shards, tree_heads
from services.records.upkeep.rewriting import cut_off
from services.reporting.ingest import roles

commands = typer.Typer()
APART = timedelta(seconds=5)
"""How far clocks may differ before that is reported."""
LEAST_FREE = 0.1
"""The share of a disk, as in the alert DiskFilling."""


class DoctorSettings(BooksSettings):
    """The books and topics to look at."""

    kafka: KafkaSettings


@commands.command(
    help=(
        "List problems around the services: topics and their settings, replicas, first offsets, disks, schema, rights, certificates, "
        "clocks, parked authorities.\n\n"
        "Exit status 1 if there are any. The database is where PAYBACK_DATABASE_URL says, of the service that "
        "PAYBACK_DATABASE_SCHEMA_NAME names; Kafka is where PAYBACK_KAFKA_BOOTSTRAP says."
    ),
)
def doctor() -> None:
    settings = DoctorSettings.load()
    wrong = 0
    for what, look in _looks(settings).items():
        faults = _faults(look)
        wrong += len(faults)
        typer.echo("\n".join([f"{what}: {fault}" for fault in faults]) or f"{what}: all is well")
    raise typer.Exit(int(wrong > 0))


def findings(settings: DoctorSettings) -> Iterator[str]:
    """Yield everything that is wrong, in words."""
    for what, look in _looks(settings).items():
        yield from (f"{what}: {fault}" for fault in _faults(look))


def _looks(settings: DoctorSettings) -> dict[str, Callable[[], Iterable[str]]]:
    return {
        "Kafka": lambda: look_at_kafka(settings.kafka, topic_specs(), system_clock()),
        "PostgreSQL": lambda: look_at_schema(settings.database),
        "rights": lambda: look_at_rights(settings.database),
        "certificates": lambda: ending(settings.kafka, system_clock()),
        settings.database.schema_name: lambda: look_at_books(settings.database, system_clock()),
    }


def look_at_kafka(kafka: KafkaSettings, specs: list[TopicSpec], now: datetime) -> Iterator[str]:
    """Yield topics that are missing or differ, replicas that are behind, full disks, lost history, and records with a future date."""
    with closing(Admin(kafka)) as admin:
        yield from admin.differences(specs)
        yield from copies(admin, [spec.name for spec in specs])
        yield from full(admin.disks())
        spans = admin.spans(admin.existing(source_topics(*Topic)))
        yield from begins_late(kafka, spans)
        yield from dated_ahead(spans, now)


def copies(admin: Admin, topics: Collection[str]) -> Iterator[str]:
    """Yield topics whose events could be lost with one broker."""
    yield from (f"{topic}: a copy is behind" for topic in admin.out_of_sync(topics))
    for topic in admin.kept_once(topics):
        yield f"{topic} takes events that one copy has, of several: min.insync.replicas must be 2"


def full(disks: Iterable[Disk]) -> Iterator[str]:
    """Yield the disks of brokers that are nearly full."""
    for disk in disks:
        if disk.free < disk.size * LEAST_FREE:
            yield f"broker {disk.broker} has {disk.free / disk.size:.0%} of the disk of {disk.path} left"


def begins_late(kafka: KafkaSettings, spans: Mapping[str, Span]) -> Iterator[str]:
    """Yield topics of events that no longer have their first events."""
    for topic in cut_off(kafka, {topic: span.first for topic, span in spans.items()}):
        yield f"{topic} begins at offset {spans[topic].first}: earlier events are gone, so nothing can be rebuilt from them"


def dated_ahead(spans: Mapping[str, Span], now: datetime) -> Iterator[str]:
    """Yield topics of events with a record from the future."""
    for topic, span in spans.items():
        ahead = timedelta(milliseconds=span.latest) - (now - datetime.fromtimestamp(0, UTC))
        if ahead > APART:
            yield f"{topic} holds a record dated {ahead} ahead: a clock jumped, or the topic keeps the sender's time"


def look_at_schema(database: DatabaseSettings) -> Iterator[str]:
    """Yield migrations that were not run."""
    migrations = Path(str(files(f"services.{database.schema_name}"))) / "migrations"
    for revision in pending(database.url.get_secret_value(), database.schema_name, migrations):
        yield f"migration {revision} has not been run"


def look_at_rights(settings: DatabaseSettings) -> Iterator[str]:
    """Yield the rights that a process of the service needs and lacks."""
    lacking = roles.lacking if settings.schema_name == "reporting" else walls.lacking
    with connected(settings) as connection:
        yield from lacking(connection, settings.owner)


def look_at_clock(settings: DatabaseSettings, now: datetime) -> Iterator[str]:
    """Yield by how much the clocks of PostgreSQL and of this machine differ, if they do."""
    with connected(settings) as connection:
        yield from _clock(connection, now)


def look_at_books(settings: DatabaseSettings, now: datetime) -> Iterator[str]:
    """Yield what the service's own tables show: clocks, parked authorities, and events that are wrongly dated or put aside."""
    with connected(settings) as connection:
        yield from _clock(connection, now)
        yield from (_put_aside if settings.schema_name == "reporting" else _books)(connection, now)


def _clock(connection: Connection, now: datetime) -> Iterator[str]:
    apart = abs(connection.execute(select(func.clock_timestamp())).scalar_one() - now)
    if apart > APART:
        yield f"the clocks of PostgreSQL and of this machine differ by {apart}"


def _books(connection: Connection, now: datetime) -> Iterator[str]:
    for authority, park in parking.parked(connection).items():
        yield f"{authority} is parked since {park.at:%Y-%m-%d %H:%M} at {park.place or 'no single event'}: {park.said}"
    replaced = select(record_times.c.authority, func.count().label("number")).group_by(record_times.c.authority)
    for row in connection.execute(replaced.order_by(record_times.c.authority)):
        yield f"{row.authority}: {counted(row.number, 'record')} came with impossible times; the time of reading was used instead"
    for authority, begun in unfinished(connection):
        yield f"{authority}: the erasure of a person, begun on {begun:%Y-%m-%d %H:%M}, has not ended: run payback person erase again"
    yield from _unclosed(connection, now)
    latest = (now + timedelta(days=1)).date()
    for row in connection.execute(select(shards.c.authority, shards.c.reached).order_by(shards.c.authority)):
        for topic, day in row.reached.items():
            if day > latest.isoformat():
                yield f"{row.authority}: what is known of {topic} is dated {day}, ahead of the clock: payback rebuild corrects it"


def _unclosed(connection: Connection, now: datetime) -> Iterator[str]:
    """Yield authorities whose days were closed before, but not last night."""
    last = func.max(tree_heads.c.day)
    due = now.astimezone(LONDON).date() - timedelta(days=2)  # the head of yesterday is signed some time after midnight
    behind = select(tree_heads.c.authority, last.label("day")).group_by(tree_heads.c.authority).having(last < due)
    for row in connection.execute(behind.order_by(tree_heads.c.authority)):
        yield f"{row.authority}: no day after {row.day} was closed: payback evidence close says why"


def _put_aside(connection: Connection, _: datetime) -> Iterator[str]:
    number = connection.scalar(text("SELECT count(*) FROM put_aside"))
    if number:
        yield f"{counted(number, 'aggregate was', 'aggregates were')} put aside, because this version could not store them"


def _faults(look: Callable[[], Iterable[str]]) -> list[str]:
    """Return what a check finds, or what prevented it."""
    found: list[str] = []
    try:
        found.extend(look())
    except Failure as failure:
        found.append(str(failure))
    return found
