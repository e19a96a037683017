"""The commands about authorities that are parked, since the platform fails on one of their events."""

import getpass
from collections.abc import Sequence
from typing import Annotated

import typer
from sqlalchemy import Engine

from contracts.authorities import AUTHORITIES, current_code
from services.chassis.audit.operators import operated
from services.chassis.clock import system_clock
from services.chassis.database import transaction
from services.operations.books import BooksSettings, opened
from services.records.ingest.guarding import parking
from services.records.ingest.guarding.parking import Action, Park

commands = typer.Typer()
park = typer.Typer(
    no_args_is_help=True,
    help="Show which authorities are parked, and process their events again. "
    "The database is where PAYBACK_DATABASE_URL says, of the service that PAYBACK_DATABASE_SCHEMA_NAME names.",
)
commands.add_typer(park, name="park")

Who = Annotated[list[str] | None, typer.Argument(help="Codes of authorities; by default all that are parked.")]
Why = Annotated[str, typer.Option(help="The correction, or the reason why there is none; kept on record.")]
By = Annotated[str | None, typer.Option(help="Who does it; by default the user who is signed in.")]


@park.command("list", help="Show which authorities are parked, since when and at which event, and what failed.")
def show(everything: Annotated[bool, typer.Option("--all", help="Also show past parkings.")] = False) -> None:
    with opened(BooksSettings.load()) as (database, domain), transaction(database) as connection:
        found = parking.history(connection) if everything else list(parking.parked(connection).values())
    for one in found:
        typer.echo(_line(one))
    if not found:
        typer.echo(f"{domain.service}: no authority is parked")


@park.command(
    help="Process an authority's events again from where they stopped, once the bug is corrected. A worker does it within seconds."
)
def retry(authorities: Who = None, why: Why = "", by: By = None) -> None:
    _release(authorities, Action.RETRIED, why, by)


@park.command(
    help="Put the failing event aside, and process the rest. It is kept as put_aside; `payback redrive` sends it through again."
)
def skip(
    authority: Annotated[str, typer.Argument(help="Code of the authority.")],
    why: Annotated[str, typer.Option(help="Kept on record.")],
    by: By = None,
) -> None:
    _release([authority], Action.SKIPPED, why, by)


def _release(authorities: Sequence[str] | None, action: Action, why: str, by: str | None) -> None:
    with opened(BooksSettings.load()) as (database, _):
        for code in map(_code, authorities or _all(database)):
            with transaction(database) as connection:
                done = parking.release(connection, code, action, by or getpass.getuser(), why, system_clock())
                operated(connection, f"park {action}", code, by=by, why=why)
            typer.echo(_line(done))


def _all(database: Engine) -> list[str]:
    with transaction(database) as connection:
        return list(parking.parked(connection))


def _code(authority: str) -> str:
    code = current_code(authority)
    if code is None:
        raise typer.BadParameter(f"no such authority: {authority}")
    return code


def _line(one: Park) -> str:
    where = one.place or "while its cells were counted again"
    said = f": {one.said}" if one.said else ""
    return f"{one.at:%Y-%m-%d %H:%M:%S} {AUTHORITIES[one.authority].name} ({one.authority}) {one.action} by {one.by}, {where}{said}"
