"""`payback release`: announce, make, hold, publish, correct, withdraw and list releases."""

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
from services.reporting.releases import announcing, publication
from services.reporting.releases.calendar import CannotRelease
from services.reporting.releases.index import all_releases
from services.reporting.releases.publication import Correction
from services.reporting.settings import MigrateSettings

commands = typer.Typer()
release = typer.Typer(
    no_args_is_help=True, help="Announce, make, hold, publish, correct, withdraw and list releases of the figures."
)
commands.add_typer(release, name="release")

_LAST_MONTH = typer.Argument(help="The last month of the figures, like 2026-03.")
_ITS_DAY = typer.Argument(help="The day on which they come, like 2026-05-12.")
_REASON = typer.Option(help="Why, in words that readers will see.")
_OPERATOR = Identity("operator", frozenset({"national:read"}))


@contextmanager
def _database() -> Iterator[Engine]:
    made = database.engine(MigrateSettings.load().database)
    try:
        yield made
    except CannotRelease as fault:
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


@release.command("make", help="Freeze the figures as a draft, and print its name.")
def make_release(
    month: Annotated[str | None, typer.Option(help="Last month, like 2026-03; the one before last by default.")] = None,
    known_on: Annotated[str | None, typer.Option(help="As known at the end of this day; by default yesterday.")] = None,
    note: Annotated[str | None, typer.Option(help="What readers should know.")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Publish it at once.")] = False,
) -> None:
    last_month = _month(month) if month else publication.default_month(system_clock)
    with _database() as engine, Progress(1) as progress:
        day = _day(known_on) if known_on else publication.latest_day(engine, system_clock)
        name = publication.make(engine, last_month, day, system_clock, note, progress.of)
        if publish:
            _publish(engine, name, progress)
    typer.echo(name)


@release.command(
    "announce",
    help="Announce the day of the figures up to a month, at least four weeks ahead. They are published at 9:30, London time.",
)
def announce_release(month: Annotated[str, _LAST_MONTH], day: Annotated[str, _ITS_DAY]) -> None:
    with _database() as engine:
        announcing.announce(engine, _month(month), _day(day), system_clock)


@release.command(
    "move",
    help="Announce another day instead. The earlier day stays visible, with the reason.",
)
def move_release(
    month: Annotated[str, _LAST_MONTH], day: Annotated[str, _ITS_DAY], reason: Annotated[str, _REASON]
) -> None:
    with _database() as engine:
        announcing.change(engine, _month(month), _day(day), reason, system_clock)
        _files_of_held(engine)


def _files_of_held(engine: Engine) -> None:
    """Make the files of a held release again, since they state the day on which it comes."""
    with transaction(engine) as connection:
        held = [each.id for each in all_releases(connection, _OPERATOR) if each.held_at]
    with Progress(1) as progress:
        for name in held:
            make_files(engine, name, system_clock().date(), progress.of)


@release.command("call-off", help="Announce that figures will not come after all.")
def call_off_release(month: Annotated[str, _LAST_MONTH], reason: Annotated[str, _REASON]) -> None:
    with _database() as engine:
        announcing.change(engine, _month(month), None, reason, system_clock)


@release.command("calendar", help="List announcements by month, the newest first, with every change.")
def list_announcements() -> None:
    with _database() as engine, transaction(engine) as connection:
        for each in announcing.calendar(connection):
            for said in each.said:
                day = said.day or "called off"
                typer.echo(f"{each.month:%Y-%m}\t{day}\t{said.at:%Y-%m-%d}\t{said.reason}")


@release.command(
    "hold",
    help="Hold a draft and its files until the announced moment, then publish it automatically. Prints the moment.",
)
def hold_release(name: str) -> None:
    with _database() as engine, Progress(1) as progress:
        due = publication.hold(engine, name, system_clock)
        make_files(engine, name, system_clock().date(), progress.of)
    typer.echo(due.isoformat())


@release.command("let-go", help="Stop holding a draft.")
def let_go_release(name: str) -> None:
    with _database() as engine:
        publication.let_go(engine, name)


@release.command("publish", help="Publish a draft, with the files that everybody can download.")
def publish_release(
    name: str,
    corrects: Annotated[str | None, typer.Option(help="The earlier release that this one corrects.")] = None,
    reason: Annotated[str, typer.Option(help="What was wrong, in words that readers will see.")] = "",
) -> None:
    if (corrects is None) is not (not reason):
        raise typer.BadParameter("--corrects and --reason go together")
    correction = Correction(corrects, reason) if corrects else None
    with _database() as engine, Progress(1) as progress:
        _publish(engine, name, progress, correction)


def _publish(engine: Engine, name: str, progress: Progress, correction: Correction | None = None) -> None:
    publication.publish(engine, name, system_clock, correction)
    make_files(engine, name, system_clock().date(), progress.of)


@release.command("withdraw", help="Withdraw a published release.")
def withdraw_release(
    name: str, note: Annotated[str, typer.Option(help="Why, in words that readers will see.")]
) -> None:
    with _database() as engine:
        publication.withdraw(engine, name, system_clock, note)


@release.command("note", help="Add a notice for readers of a release. Earlier notices stay.")
def note_release(name: str, reason: Annotated[str, _REASON]) -> None:
    with _database() as engine:
        publication.note(engine, name, system_clock, reason)


@release.command("list", help="All releases, newest first.")
def list_releases() -> None:
    with _database() as engine, transaction(engine) as connection:
        for each in all_releases(connection, _OPERATOR):
            status = "held" if each.held_at else each.status
            typer.echo(f"{each.id}\t{status}\t{each.last_month:%Y-%m}\t{each.known_on}\t{each.content_hash}")
