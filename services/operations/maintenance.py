"""Commands that operators run by hand: rebuild the books, or publish them again.

The commands import what they need when they run, since every command of payback imports this module.
"""

import os
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from contracts.authorities import current_code
from services.chassis.web.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Engine

    from services.chassis.settings import KafkaSettings
    from services.records.model.domain import Domain
    from services.records.upkeep.loading import Loading

    Track = Callable[..., Iterable[list[str]]]

commands = typer.Typer()
_WHERE = "The database is where PAYBACK_DATABASE_URL says, of the service that PAYBACK_DATABASE_SCHEMA_NAME names. "


@commands.command(
    epilog=_WHERE,
    help="Send all cells of an authority to national.aggregates again, if reporting misses some. A worker does it within seconds.",
)
def republish(authorities: Annotated[list[str], typer.Argument(help="Codes of authorities.")]) -> None:
    from services.chassis.audit.operators import operated  # noqa: PLC0415
    from services.chassis.database import transaction  # noqa: PLC0415
    from services.operations.books import BooksSettings, opened  # noqa: PLC0415
    from services.records.ingest.publishing.publications import forget  # noqa: PLC0415

    codes = [current_code(authority) for authority in authorities]
    if None in codes:
        raise typer.BadParameter("no such authority", param_hint="AUTHORITIES")
    with opened(BooksSettings.load()) as (database, domain):
        for code in filter(None, codes):
            with transaction(database) as connection:
                forget(connection, code)
                operated(connection, "republish", code)
    typer.echo(f"{domain.service}: {counted(len(codes), 'authority', 'authorities')} will be published again")


def wrong(
    kafka: "KafkaSettings", domain: "Domain", track: "Track", tables: "Engine", loading: "Loading | None" = None
) -> list[str]:
    """Return what tables of a service hold and the log does not say. `track` shows how far it is. Raises Away or Refused."""
    from services.operations.proof.proving import Prover, prove_each  # noqa: PLC0415

    prover = Prover(kafka, {domain.service: (tables, domain)})
    with closing(prove_each(prover, loading)) as proofs:
        each = track(proofs, total=len(prover.authorities()), description="proving")
        return [said for of_one in each for said in of_one]


@commands.command(
    epilog=_WHERE + "Kafka is where PAYBACK_KAFKA_BOOTSTRAP says.",
    help=(
        "Make records and cells again from the topics, beside the old ones, then change over in one step. Workers may "
        "run meanwhile.\n\n"
        "Shows how far it is and how long the rest will take, and at the end which cells have changed. "
        "Proves the new tables before they take the place of the old ones, as payback prove does, and refuses what does not "
        "add up. Refuses if any authority would have fewer events or orders afterwards. The database user must "
        "be allowed to make and rename schemas, like the role maintenance."
    ),
)
def rebuild(
    less: Annotated[
        bool,
        typer.Option("--less", help="Go on even though the log holds less than the tables; then nothing is proved."),
    ] = False,
    unproved: Annotated[
        bool, typer.Option("--unproved", help="Change over without a proof, which takes time.")
    ] = False,
    processes: Annotated[
        int, typer.Option(min=1, help="How many may load the log, and prove; each takes some 600 MB.")
    ] = min(4, os.cpu_count() or 1),
) -> None:
    from importlib.resources import files  # noqa: PLC0415

    from services.chassis.audit.operators import operated  # noqa: PLC0415
    from services.chassis.database import transaction  # noqa: PLC0415
    from services.chassis.settings import KafkaSettings  # noqa: PLC0415
    from services.operations.books import BooksSettings, domain_of, opened  # noqa: PLC0415
    from services.records.upkeep.loading import Loading  # noqa: PLC0415
    from services.records.upkeep.rebuild import Change, alone  # noqa: PLC0415
    from services.records.upkeep.rebuild import rebuild as make_again  # noqa: PLC0415

    class RebuildSettings(BooksSettings):
        kafka: KafkaSettings

    settings = RebuildSettings.load()
    loading = Loading(processes, partial(domain_of, BooksSettings.load()))
    changes: list[Change] = []
    migrations = Path(str(files(f"services.{settings.database.schema_name}"))) / "migrations"
    with (
        alone(settings.database),
        opened(settings) as (database, domain),
        Progress(console=Console(stderr=True)) as progress,
    ):
        task = progress.add_task(domain.service, total=None)
        read = make_again(
            settings.database,
            settings.kafka,
            domain,
            migrations,
            lambda done, total: progress.update(task, completed=done, total=total),
            less=less,
            compare=changes.extend,
            prove=None if unproved or less else partial(wrong, settings.kafka, domain, progress.track, loading=loading),
            loading=loading,
        )
        with transaction(database) as connection:
            operated(connection, "rebuild", events=read, less=less, unproved=unproved)
    for change in changes:
        typer.echo(
            f"{change.authority} {change.measure}: {counted(change.cells, 'cell')} changed, {change.by:+,} together"
        )
    differs = f"{counted(sum(change.cells for change in changes), 'cell')} changed" if changes else "no cell changed"
    typer.echo(f"{domain.service}: made again from {counted(read, 'event')}; {differs}")
