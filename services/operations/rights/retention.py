"""The commands about how long data is held: compare what is held with its limit, and remove what is older."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from pydantic import Field
from sqlalchemy import Engine

from contracts.events import Topic
from contracts.topics import source_topics
from services.chassis.clock import system_clock
from services.chassis.database import unhurried
from services.chassis.failures import Failure
from services.chassis.settings import Group, KafkaSettings
from services.chassis.streaming.batches import TopicPartition
from services.chassis.streaming.clients.log import Log, records_at
from services.operations.books import DOMAINS, BooksSettings
from services.operations.rights.ageing import GOING, OF_RECORDS, OF_REPORTING, Age, ages, let_go_before, note_let_go
from services.operations.rights.erasing import opened
from services.operations.rights.schedule import KINDS, Period, Schedule, schedule
from services.reporting.settings import SCHEMA

commands = typer.Typer()
retention = typer.Typer(
    no_args_is_help=True,
    help="How long data is held. PAYBACK_DATABASE_URL and PAYBACK_KAFKA_BOOTSTRAP say where, for a user who may take the roles of all "
    "services, as the role maintenance is; PAYBACK_RETENTION_PATH names a schedule of your own.",
)
commands.add_typer(retention, name="retention")

Databases = Mapping[str, Engine]
PLACES = {**dict.fromkeys(DOMAINS, OF_RECORDS), SCHEMA: OF_REPORTING}
"""The places to look at in each service."""


class ScheduleSettings(Group):
    """The schedule in force."""

    path: Path | None = Field(default=None, description="CSV kind,days,from,basis; by default the shipped one")


class RetentionSettings(BooksSettings):
    """The addresses of the tables, and how long things may stay in them. The named schema does not matter."""

    retention: ScheduleSettings = ScheduleSettings()


class ReportSettings(RetentionSettings):
    """The addresses of the topics besides those of the tables."""

    kafka: KafkaSettings


class TooOld(Failure):
    """Something is held for longer than it may be."""

    exit_status = 1


class Retained(NamedTuple):
    """The age of one kind of data in one place, with its period."""

    age: Age
    period: Period
    limit: datetime | None

    @property
    def over(self) -> bool:
        """Return whether it is held for longer than it may be."""
        return bool(self.age.oldest and self.limit and self.age.oldest < self.limit)

    def __str__(self) -> str:
        oldest = f"{self.age.oldest:%Y-%m-%d}" if self.age.oldest else "-"
        limit = f"not before {self.limit:%Y-%m-%d}" if self.limit else "no limit"
        how = "`payback retention apply` deletes it" if self.age.kind in GOING else "stays until you erase it"
        said = "TOO OLD" if self.over else "in time"
        return f"{said:8}{self.age.kind:10}{self.age.place:32}{self.age.number:>10}  oldest {oldest:11}{limit:22}{how}"


@retention.command(
    help="Show the oldest row of each kind, its limit and the legal basis. Exit status 1 if one is too old."
)
def report() -> None:
    settings = ReportSettings.load()
    periods = schedule(settings.retention.path)
    with opened(settings, tuple(PLACES)) as databases:
        found = standings(settings.kafka, databases, periods, system_clock())
    for one in found:
        typer.echo(str(one))
    typer.echo("\nBases, none of them verified by a lawyer unless your own schedule says so; days run from:")
    for kind in KINDS:
        typer.echo(f"{kind:10}{periods[kind].since}; {periods[kind].basis}")
    if any(one.over for one in found):
        raise TooOld("Some data are held for longer than the schedule allows")


@retention.command(
    help=(
        "Delete what is older than its limit, where that is possible. Meant for every night. Deletions are recorded.\n\n"
        "This never deletes events, nor the records made from them: see `payback person erase`."
    ),
)
def apply(
    by: Annotated[str | None, typer.Option(help="Who does it; by default the user who is signed in.")] = None,
) -> None:
    settings = RetentionSettings.load()
    with opened(settings, tuple(PLACES)) as databases:
        for place, number in let_go(databases, schedule(settings.retention.path), system_clock(), by).items():
            typer.echo(f"{place}: {number} gone")


def standings(kafka: KafkaSettings, databases: Databases, periods: Schedule, now: datetime) -> list[Retained]:
    """Return what is held, for every kind and place. Raises Away."""
    found = list(_of_events(kafka))
    for service, database in databases.items():
        with unhurried(database) as connection:
            found += ages(connection, service, PLACES[service])
    found.sort(key=lambda one: KINDS.index(one.kind))
    return [Retained(one, periods[one.kind], periods[one.kind].limit(now)) for one in found]


def _of_events(kafka: KafkaSettings) -> Iterator[Age]:
    """Yield the age of each kind of topic, by the time of the first record of each topic."""
    for kind in Topic:
        with closing(Log(kafka, [TopicPartition(topic, 0) for topic in source_topics(kind)])) as log:
            bounds = {source: one for source, one in log.bounds().items() if one.end > one.first}
        firsts = records_at(kafka, {source: one.first for source, one in bounds.items()})
        oldest = [datetime.fromtimestamp(one.timestamp / 1000, UTC) for one in firsts.values()]
        number = sum(one.end - one.first for one in bounds.values())
        yield Age("events", f"{kind}.*", number, min(oldest, default=None))


def let_go(databases: Databases, periods: Schedule, now: datetime, by: str | None = None) -> dict[str, int]:
    """Remove what is older than its period, and return how many rows of each kind, by service and kind. Each service is one transaction.
    Raises Away.
    """
    gone: dict[str, int] = {}
    for service, database in databases.items():
        limits = {kind: limit for kind in PLACES[service] if kind in GOING and (limit := periods[kind].limit(now))}
        with unhurried(database) as connection:
            before = let_go_before(connection)  # read first, since the entry that says so may be removed as well
            found = {kind: GOING[kind](connection, limit) for kind, limit in limits.items()}
            if any(found.values()):
                latest = {kind: max(limit, before[kind]) for kind, limit in limits.items()}
                note_let_go(connection, by, found, {**before, **latest})
        gone |= {f"{service} {kind}": number for kind, number in found.items()}
    return gone
