"""The commands about refused events: why they were refused, and sending them again."""

import getpass
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, NamedTuple

import typer
from sqlalchemy import Engine, select

from contracts.authorities import current_code
from contracts.rejections import Reason
from services.chassis.clock import system_clock
from services.chassis.database import transaction
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.clients.producer import Producer
from services.chassis.web.words import counted
from services.operations.books import BooksSettings, opened
from services.records.ingest.metrics import version_in
from services.records.ingest.tables import refused_days, rejections
from services.records.model.domain import Domain
from services.records.upkeep.effect import Effect
from services.records.upkeep.redrive import BATCH, Order, Wanted, foresee
from services.records.upkeep.redrive import redrive as send_again

commands = typer.Typer()
_WHERE = "The database is where PAYBACK_DATABASE_URL says, of the service that PAYBACK_DATABASE_SCHEMA_NAME names. "
LATEST = 100_000
"""How many of the latest refusals are read at most."""

Who = Annotated[str | None, typer.Option(help="Only this authority's.")]
For = Annotated[str | None, typer.Option(help="Only events refused for this reason.")]


class RedriveSettings(BooksSettings):
    """The addresses of refused events, and of the Kafka to which they are sent."""

    kafka: KafkaSettings


class Refusals(NamedTuple):
    """Events that were refused for the same reason, at the same path, from the same version of a program."""

    authority: str
    reason: str
    path: str
    version: str
    number: int
    first: datetime
    last: datetime


@commands.command(
    "rejections",
    epilog=_WHERE,
    help="Show what was refused, by reason, place and version of the sender's program, with the first and the last time.",
)
def show(
    authority: Who = None,
    reason: For = None,
    days: Annotated[int, typer.Option(help="How many days to look back.", min=1)] = 30,
) -> None:
    with opened(BooksSettings.load()) as (database, domain):
        wanted, since = _wanted(authority, reason), system_clock() - timedelta(days=days)
        found, besides = list(refusals(database, wanted, since)), list(counted_only(database, wanted, since.date()))
    for one in found:
        span = f"{one.first:%Y-%m-%d %H:%M} to {one.last:%Y-%m-%d %H:%M}"
        typer.echo(
            f"{one.authority}  {one.number:>6}  {one.reason}  {one.path}  {one.version or '(no version)'}  {span}"
        )
    for line in besides:
        typer.echo(line)
    if not found and not besides:
        typer.echo(f"{domain.service}: nothing was refused")


def counted_only(database: Engine, wanted: Wanted, since: date) -> Iterator[str]:
    """Yield, in words, the refused events of each day beyond what is kept, with their places in the log."""
    of = refused_days.c
    query = select(refused_days).where(of.counted > 0, of.day >= since).order_by(of.authority, of.day, of.reason)
    if wanted.authority:
        query = query.where(of.authority == wanted.authority)
    if wanted.reason:
        query = query.where(of.reason == str(wanted.reason))
    with transaction(database) as connection:
        for row in connection.execute(query):
            places = f"{row.day}, offsets {row.first} to {row.last}"
            yield f"{row.authority}  {row.counted:>6}  {row.reason}  only counted, beyond what is kept of a day: {places}"


def refusals(database: Engine, wanted: Wanted, since: datetime) -> Iterator[Refusals]:
    """Yield refusals by authority, the most frequent first. Of the events themselves, only the version is read."""
    columns = (
        rejections.c.authority,
        rejections.c.reason,
        rejections.c.path,
        rejections.c.value,
        rejections.c.arrived_at,
    )
    query = (
        select(*columns).where(rejections.c.arrived_at >= since).order_by(rejections.c.arrived_at.desc()).limit(LATEST)
    )
    if wanted.authority:
        query = query.where(rejections.c.authority == wanted.authority)
    if wanted.reason:
        query = query.where(rejections.c.reason == str(wanted.reason))
    times: dict[tuple[str, str, str, str], list[datetime]] = defaultdict(list)
    with transaction(database) as connection:
        for code, why, path, value, at in connection.execute(query):
            times[code, why, path, version_in(value)].append(at)
    found = [Refusals(*key, len(each), min(each), max(each)) for key, each in times.items()]
    yield from sorted(found, key=lambda one: (one.authority, -one.number, one.reason))


@commands.command(
    epilog=_WHERE + "Kafka is where PAYBACK_KAFKA_BOOTSTRAP says.",
    help="Send again those refused events that today's contract accepts. The refusals stay on record, marked. Safe to repeat.",
)
def redrive(
    authority: Who = None,
    reason: For = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show how it would change orders and cells.")] = False,
    per_second: Annotated[int, typer.Option(help="The most to send in a second.", min=1)] = 500,
    why: Annotated[str, typer.Option(help="The correction; kept on record.")] = "",
    by: Annotated[str | None, typer.Option(help="Who does it; by default the user who is signed in.")] = None,
) -> None:
    wanted, now = _wanted(authority, reason), system_clock()
    if dry_run:
        with opened(BooksSettings.load()) as (database, domain):
            _tell(domain, foresee(database, domain, now, wanted))
        return
    settings = RedriveSettings.load()
    order = Order(by or getpass.getuser(), why)
    with opened(settings) as (database, domain), Producer(settings.kafka) as producer:
        result = send_again(
            database,
            producer,
            now,
            wanted,
            order,
            pause=lambda sent: time.sleep(sent / per_second),
            batch=min(BATCH, per_second),
        )
    typer.echo(f"{domain.service}: {result.sent} sent again, {result.still_refused} still refused")


def _tell(domain: Domain, effects: Iterable[tuple[str, Effect]]) -> None:
    found = False
    for authority, effect in effects:
        found = True
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in sorted(effect.outcomes.items()))
        sent = f"{outcomes}; changes {counted(effect.records, 'order')}" if outcomes else "nothing to send"
        typer.echo(f"{authority}: {sent}; {effect.still_refused} still refused")
        for measure, change in sorted(effect.cells.items()):
            typer.echo(f"    {measure} {change:+d}")
    if not found:
        typer.echo(f"{domain.service}: no event can be sent again")


def _wanted(authority: str | None, reason: str | None) -> Wanted:
    code = None if authority is None else current_code(authority)
    if authority is not None and code is None:
        raise typer.BadParameter("no such authority", param_hint="--authority")
    if reason is not None and reason not in [str(known) for known in Reason]:
        raise typer.BadParameter("no such reason", param_hint="--reason")
    return Wanted(code, Reason.of(reason) if reason else None)
