"""`payback release`: make, publish, withdraw and list releases."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated

import typer
from sqlalchemy import Engine

from contracts.periods import parse_first
from contracts.progress import Progress
from services.chassis import database
from services.chassis.api.auth import Identity
from services.chassis.clock import system_clock
from services.chassis.database import transaction
from services.chassis.failures import Refused
from services.reporting.files.store import make_files
from services.reporting.releases import publication
from services.reporting.releases.index import all_releases
from services.reporting.settings import MigrateSettings

commands = typer.Typer()
release = typer.Typer(no_args_is_help=True, help="Make, publish, withdraw and list releases of the figures.")
commands.add_typer(release, name="release")

_OPERATOR = Identity("operator", frozenset({"national:read"}))


@contextmanager
def _database() -> Iterator[Engine]:
    made = database.engine(MigrateSettings.load().database)
    try:
        yield made
    except publication.CannotRelease as fault:
        raise Refused(str(fault)) from fault
    finally:
        made.dispose()


def _month(words: str) -> date:
    try:
        return parse_first(words).replace(day=1)
    except ValueError as fault:
        raise typer.BadParameter(str(fault)) from None


def _day(words: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise typer.BadParameter("write a date like 2026-03-31") from None


@release.command("make")
def make_release(
    month: Annotated[str | None, typer.Option(help="Last month, like 2026-03; the one before last by default.")] = None,
    known_on: Annotated[
        str | None, typer.Option(help="As known at the end of this day; by default the last that is over.")
    ] = None,
    note: Annotated[str | None, typer.Option(help="What readers should know.")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Publish it at once.")] = False,
) -> None:
    """Freeze the figures as a draft. Prints its name."""
    last_month = _month(month) if month else publication.default_month(system_clock)
    with _database() as engine, Progress(1) as progress:
        day = _day(known_on) if known_on else publication.latest_day(engine, system_clock)
        name = publication.make(engine, last_month, day, system_clock, note, progress.of)
        if publish:
            _publish(engine, name, progress)
    typer.echo(name)


@release.command("publish")
def publish_release(name: str) -> None:
    """Make a draft public, and the files that everybody can take away."""
    with _database() as engine, Progress(1) as progress:
        _publish(engine, name, progress)


def _publish(engine: Engine, name: str, progress: Progress) -> None:
    publication.publish(engine, name, system_clock)
    make_files(engine, name, system_clock().date(), progress.of)


@release.command("withdraw")
def withdraw_release(
    name: str, note: Annotated[str, typer.Option(help="Why, in words that readers will see.")]
) -> None:
    """Take a published release back."""
    with _database() as engine:
        publication.withdraw(engine, name, system_clock, note)


@release.command("list")
def list_releases() -> None:
    """All releases, newest first."""
    with _database() as engine, transaction(engine) as connection:
        for each in all_releases(connection, _OPERATOR):
            typer.echo(f"{each.id}\t{each.status}\t{each.last_month:%Y-%m}\t{each.known_on}\t{each.content_hash}")
