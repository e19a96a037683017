"""Moves to another Kafka, to which the topics were mirrored: the books continue there, once it holds exactly what they were made from.

The command looks and prints what it found; only with --confirm does it bind the positions to the new topics.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Annotated, NamedTuple

import msgspec
import typer
from msgspec import Struct
from sqlalchemy import Connection, Engine, select, text

from contracts.decoding.binary import from_kafka
from contracts.decoding.reading import BOM, UNREADABLE
from contracts.events import Topic
from contracts.topics import authority_of, kind_of_topic
from services.chassis.audit.operators import operated
from services.chassis.database import engine, transaction
from services.chassis.failures import Refused
from services.chassis.settings import DatabaseSettings, KafkaSettings, Settings
from services.chassis.streaming.batches import Fingerprint, Message, SourceIdentity, TopicPartition, fingerprint
from services.chassis.streaming.clients.admin import Admin
from services.chassis.streaming.clients.log import Log, records_at
from services.chassis.web.words import counted
from services.operations.moving.mirrored import Mirror, Position, against, compare
from services.records.ingest.store import OUTCOMES
from services.records.ingest.tables import arrivals, refused_days
from services.records.model.record import Outcome
from services.records.upkeep.rewriting import cut_off

commands = typer.Typer()

REPORTING = "reporting"
OWN = {"orders": Topic.ORDERS, "unpaid_work": Topic.UNPAID_WORK}
"""The topic of which a service's books hold each event."""
TAKEN = {OUTCOMES.index(one) for one in (Outcome.APPLIED, Outcome.SUPERSEDED, Outcome.DUPLICATE)}
MOST = 20_000
"""Messages at once."""


class AdoptSettings(Settings):
    """Which service's books, and the Kafka with which they are to continue."""

    database: DatabaseSettings
    kafka: KafkaSettings


class Found(NamedTuple):
    """The obstacles, the positions to bind with their new topics, and how many events were compared."""

    obstacles: Sequence[str]
    moved: Mapping[Position, SourceIdentity]
    compared: int = 0

    def __str__(self) -> str:
        if self.obstacles:
            return "cannot go on with this Kafka"
        if not self.moved:
            return "no topic is bound to another Kafka"
        return f"can go on with {counted(len(self.moved), 'topic')} of this Kafka, {counted(self.compared, 'event')} compared"


@commands.command(
    epilog="The database is where PAYBACK_DATABASE_URL says, of the service that PAYBACK_DATABASE_SCHEMA_NAME names.",
    help=(
        "Go on, without a rebuild, with another Kafka at PAYBACK_KAFKA_BOOTSTRAP that holds a copy of the topics.\n\n"
        "Compares each event in the tables with the record in its place there. Changes nothing without "
        "--confirm. Exit status 1 if the service cannot go on with it."
    ),
)
def adopt(
    confirm: Annotated[bool, typer.Option("--confirm", help="Bind the tables to the new topics.")] = False,
    old: Annotated[
        str, typer.Option(help="The old Kafka, host:port, while it still answers. It must hold nothing more.")
    ] = "",
) -> None:
    settings = AdoptSettings.load()
    schema = settings.database.schema_name
    database = engine(settings.database)
    try:
        found = look(settings, database, old)
        typer.echo("\n".join([*found.obstacles, f"{schema}: {found}"]))
        if confirm and found.moved and not found.obstacles:
            bind(database, schema, found.moved)
            typer.echo(f"{schema}: bound to it. Start its workers with the new address")
    finally:
        database.dispose()
    raise typer.Exit(int(bool(found.obstacles)))


def look(settings: AdoptSettings, database: Engine, old: str = "") -> Found:
    """Compare books and log, and change nothing. Raises Away, or Refused if there are no such books."""
    schema = settings.database.schema_name
    if schema not in {*OWN, REPORTING}:
        raise Refused(f"PAYBACK_DATABASE_SCHEMA_NAME must be {', '.join(OWN)} or {REPORTING}")
    with transaction(database) as connection:
        known = list(_positions(connection))
        aside = schema == REPORTING and connection.scalar(text("SELECT count(*) FROM put_aside"))
    mirrors = look_at(settings.kafka, known)
    moved = {one: mirrors[one.source] for one in known if mirrors[one.source].identity != one.identity}
    bound = {one: mirror.identity for one, mirror in moved.items()}
    if schema == REPORTING:
        return Found([*_of_aggregates(moved, aside or 0)], bound)
    obstacles = list(_left_behind(settings.kafka, old, moved) if old and moved else ())
    obstacles += [words for one, mirror in moved.items() for words in against(one, mirror)]
    compared = 0
    for one in [] if obstacles else moved:
        if kind_of_topic(one.source.topic) is OWN[schema]:
            held = _held(database, one)
            compared += len(held)
            read = _read(settings.kafka, one, moved[one].bounds.first)
            obstacles += compare(one.source.topic, held, read, _counted(database, one))
    return Found(obstacles, bound, compared)


def _positions(connection: Connection) -> Iterator[Position]:
    rows = connection.execute(text("SELECT * FROM checkpoints ORDER BY topic, partition"))
    for row in rows:
        taken = None if row.last_checksum is None else Fingerprint(row.last_timestamp, row.last_checksum)
        identity = SourceIdentity(row.cluster_id, row.topic_id)
        yield Position(TopicPartition(row.topic, row.partition), row.next_offset, identity, taken)


def look_at(kafka: KafkaSettings, known: Sequence[Position]) -> dict[TopicPartition, Mirror]:
    """Return what this Kafka has of these sources. Raises Away if a topic does not exist."""
    if not known:
        return {}
    sources = [one.source for one in known]
    with closing(Admin(kafka)) as admin:
        identities = admin.identities([source.topic for source in sources])
    with closing(Log(kafka, sources)) as log:
        bounds = log.bounds()
    places = {at: offset - 1 for at, offset, *_ in known if bounds[at].first < offset <= bounds[at].end}
    last = {at: fingerprint(record) for at, record in records_at(kafka, places).items()}
    cut = cut_off(kafka, {at.topic: bounds[at].first for at in sources})
    return {at: Mirror(identities[at.topic], bounds[at], last.get(at), at.topic in cut) for at in sources}


def _of_aggregates(moved: Mapping[Position, Mirror], aside: int) -> Iterator[str]:
    """Yield obstacles about aggregates. Their rows have versions, so reporting may read them all again, whatever their offsets."""
    for one, mirror in moved.items():
        if one.next_offset and mirror.bounds.end <= mirror.bounds.first:
            yield f"{one.source.topic} is empty: copy it, for its subscribers"
        if aside:
            yield f"{counted(aside, 'aggregate is', 'aggregates are')} put aside by offset (runbook: aggregates-put-aside)"


def _left_behind(kafka: KafkaSettings, old: str, moved: Mapping[Position, Mirror]) -> Iterator[str]:
    """Yield what the old Kafka received after it was mirrored."""
    with closing(Admin(kafka.model_copy(update={"bootstrap": old}))) as admin:
        ends = admin.ends([one.source.topic for one in moved])
    for one, mirror in moved.items():
        end = ends[one.source.topic]
        if end > mirror.bounds.end:
            yield f"{one.source.topic} has {end - mirror.bounds.end} more in the old Kafka: stop the senders, and let the copy end"


class _Event(Struct):
    id: str


_decode = msgspec.json.Decoder(_Event).decode


def _id(message: Message) -> str | None:
    value = from_kafka(message.value, message.headers) if message.headers else message.value
    try:
        return _decode((value or b"").removeprefix(BOM)).id
    except (ValueError, *UNREADABLE):
        return None


def _held(database: Engine, one: Position) -> dict[int, str | None]:
    """Return the id of each event that the books hold of a topic, by offset; None for those that were refused."""
    query = select(arrivals.c.offset, arrivals.c.outcome, arrivals.c.event_id)
    with transaction(database) as connection:
        rows = connection.execute(query.where(arrivals.c.authority == authority_of(one.source.topic)))
        return {row.offset: row.event_id if row.outcome in TAKEN else None for row in rows}


def _counted(database: Engine, one: Position) -> list[range]:
    """Return the places between which refused events lie that are only counted."""
    of = refused_days.c
    query = select(of.first, of.last).where(of.authority == authority_of(one.source.topic), of.counted > 0)
    with transaction(database) as connection:
        return [range(row.first, row.last + 1) for row in connection.execute(query)]


def _read(kafka: KafkaSettings, one: Position, first: int) -> Iterator[tuple[int, str | None]]:
    """Yield offset and id of each record that the books have read."""
    with closing(Log(kafka, [one.source])) as log:
        log.seek({one.source: first})
        while log.position(one.source) < one.next_offset:
            for part in log.slices(MOST):
                yield from (
                    (message.offset, _id(message)) for message in part.messages if message.offset < one.next_offset
                )


def bind(database: Engine, schema: str, moved: Mapping[Position, SourceIdentity]) -> None:
    """Bind positions to the new topics, in one transaction, after which no worker of the old ones can commit. Raises Refused.

    Reporting reads its topic from the beginning again, which changes nothing that it has.
    """
    with transaction(database) as connection:
        for one, identity in moved.items():
            _bind(connection, one, identity, 0 if schema == REPORTING else one.next_offset)
        if schema != REPORTING:
            connection.execute(text("UPDATE shards SET version = version + 1"))
            clusters = sorted({identity.cluster_id for identity in moved.values()})
            operated(connection, "adopt", topics=len(moved), clusters=clusters)


def _bind(connection: Connection, one: Position, identity: SourceIdentity, offset: int) -> None:
    done = connection.execute(
        text(
            "UPDATE checkpoints SET cluster_id = :cluster, topic_id = :id, next_offset = :offset "
            "WHERE topic = :topic AND partition = :partition AND next_offset = :read AND topic_id = :old"
        ),
        {
            "cluster": identity.cluster_id,
            "id": identity.topic_id,
            "offset": offset,
            "topic": one.source.topic,
            "partition": one.source.partition,
            "read": one.next_offset,
            "old": one.identity.topic_id,
        },
    )
    if done.rowcount != 1:
        raise Refused(f"{one.source.topic} was read meanwhile: stop the workers first. Nothing was changed.")
