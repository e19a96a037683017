"""The commands about the audit."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from sqlalchemy import Connection, Engine

from services.chassis.audit import store
from services.chassis.audit.model import NOTHING_IS_OLD, Head, faults
from services.chassis.clock import system_clock
from services.chassis.database import engine, transaction
from services.chassis.failures import Failure, Refused
from services.chassis.web.words import counted
from services.operations.books import BooksSettings
from services.operations.rights.retention import RetentionSettings
from services.operations.rights.schedule import schedule

commands = typer.Typer()
audit = typer.Typer(
    no_args_is_help=True,
    help="Check that nobody has changed the audit. The database is where PAYBACK_DATABASE_URL says, "
    "of the service that PAYBACK_DATABASE_SCHEMA_NAME names.",
)
commands.add_typer(audit, name="audit")

AUDITED = ("orders", "unpaid_work", "reporting")
Heads = Mapping[str, Sequence[Head]]
"""Heads that were kept elsewhere, by authority."""


class Tampered(Failure):
    """The audit is not as it was written."""

    exit_status = 1


@contextmanager
def _opened() -> Iterator[tuple[Engine, str]]:
    """Open the database of a service, and name the service. Raises Refused."""
    settings = BooksSettings.load().database
    if settings.schema_name not in AUDITED:
        raise Refused(f"PAYBACK_DATABASE_SCHEMA_NAME must be one of {', '.join(AUDITED)}")
    database = engine(settings)
    try:
        yield database, settings.schema_name
    finally:
        database.dispose()


@audit.command(
    help="Print the last entry of each chain, as lines of JSON. Keep them elsewhere: they show if entries are later removed."
)
def heads() -> None:
    with _opened() as (database, _), transaction(database) as connection:
        for head in store.heads(connection):
            typer.echo(msgspec.json.encode(head._asdict()).decode())


@audit.command(
    help="Check whether any entry was changed, removed or moved, or deleted before the retention schedule allows it. Exit status 1 if one "
    "was."
)
def verify(
    kept: Annotated[
        list[Path] | None,
        typer.Option("--heads", exists=True, help="What `payback audit heads` printed; may be repeated."),
    ] = None,
) -> None:
    known = noted(kept or ())
    old = schedule(RetentionSettings.load().retention.path)["audit"].limit(system_clock()) or NOTHING_IS_OLD
    with _opened() as (database, service), transaction(database) as connection:
        found = list(wrong(connection, known, old))
        number = sum(head.number for head in store.heads(connection))
    for line in found:
        typer.echo(line)
    if found:
        raise Tampered(f"{service}: the audit was changed")
    typer.echo(f"{service}: {counted(number, 'entry', 'entries')}, none changed")


def wrong(connection: Connection, noted: Heads, old: datetime = NOTHING_IS_OLD) -> Iterator[str]:
    """Yield what is wrong with any chain, in words. Entries made before `old` may have been deleted."""
    authorities = {head.authority for head in store.heads(connection)} | noted.keys()
    for authority in sorted(authorities):
        for fault in faults(store.chain(connection, authority), noted.get(authority, ()), old):
            yield f"{authority}: {fault}"


def noted(paths: Sequence[Path]) -> Heads:
    """Return the heads in the files."""
    found: dict[str, list[Head]] = defaultdict(list)
    for path in paths:
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            head = _head(line, f"{path}, line {number}")
            found[head.authority].append(head)
    return found


class _Line(msgspec.Struct):
    authority: str
    number: int
    hash: str
    at: datetime | None = None


def _head(line: bytes, place: str) -> Head:
    try:
        return Head(*msgspec.structs.astuple(msgspec.json.decode(line, type=_Line)))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{place} is not what `payback audit heads` printed") from error
