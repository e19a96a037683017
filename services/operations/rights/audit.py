"""The commands about the audit."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from sqlalchemy import Connection, Engine

from services.chassis.audit import store
from services.chassis.audit.model import Head, faults
from services.chassis.database import engine, transaction
from services.chassis.failures import Failure, Refused
from services.chassis.web.words import counted
from services.operations.books import BooksSettings

commands = typer.Typer()
audit = typer.Typer(
    no_args_is_help=True,
    help="Check that nobody has changed the audit. The database is where PAYBACK_DATABASE_URL says, "
    "of the service that PAYBACK_DATABASE_SCHEMA_NAME names.",
)
commands.add_typer(audit, name="audit")

AUDITED = ("orders", "unpaid_work", "reporting")
Heads = Mapping[str, Mapping[int, str]]
"""Hashes that were kept elsewhere, by authority and number."""


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


@audit.command(help="Check whether any entry was changed, removed or moved. Exit status 1 if one was.")
def verify(
    kept: Annotated[
        list[Path] | None,
        typer.Option("--heads", exists=True, help="What `payback audit heads` printed; may be repeated."),
    ] = None,
) -> None:
    known = noted(kept or ())
    with _opened() as (database, service), transaction(database) as connection:
        found = list(wrong(connection, known))
        number = sum(head.number for head in store.heads(connection))
    for line in found:
        typer.echo(line)
    if found:
        raise Tampered(f"{service}: the audit was changed")
    typer.echo(f"{service}: {counted(number, 'entry', 'entries')}, none changed")


def wrong(connection: Connection, noted: Heads) -> Iterator[str]:
    """Yield what is wrong with any chain, in words."""
    authorities = {head.authority for head in store.heads(connection)} | noted.keys()
    for authority in sorted(authorities):
        for fault in faults(store.chain(connection, authority), noted.get(authority, {})):
            yield f"{authority}: {fault}"


def noted(paths: Sequence[Path]) -> Heads:
    """Return the heads in the files."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for path in paths:
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            head = _head(line, f"{path}, line {number}")
            found[head.authority][head.number] = head.hash
    return found


def _head(line: bytes, place: str) -> Head:
    try:
        return Head(**msgspec.json.decode(line))
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
        raise typer.BadParameter(f"{place} is not what `payback audit heads` printed") from error
