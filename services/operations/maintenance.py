"""What operators do by hand: prove that the books balance, make them again, send refused events through again.

What the commands need is imported when they run, since every command of payback imports this module.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, track

commands = typer.Typer()
_WHERE = "The database is where PAYBACK_DATABASE_URL says, of the service that PAYBACK_DATABASE_SCHEMA_NAME names. "


@commands.command(epilog=_WHERE)
def prove() -> None:
    """Check that every cell is the sum of its records, and that every event read has an outcome. Exit status 1 if not."""
    from services.operations.books import BooksSettings, opened  # noqa: PLC0415
    from services.records.upkeep.prove import authorities, unbalanced  # noqa: PLC0415

    wrong = 0
    with opened(BooksSettings.load()) as (database, domain):
        for authority in track(authorities(database), domain.service, console=Console(stderr=True)):
            for line in unbalanced(database, domain, authority):
                typer.echo(line)
                wrong += 1
    typer.echo(f"{domain.service}: {f'{wrong} things do not add up' if wrong else 'everything adds up'}")
    raise typer.Exit(int(wrong > 0))


@commands.command(epilog=_WHERE + "Kafka is where PAYBACK_KAFKA_BOOTSTRAP says.")
def rebuild(
    less: Annotated[bool, typer.Option("--less", help="Go on although the log holds less than the books do.")] = False,
) -> None:
    """Make records and cells again from the topics, beside the old ones, and change over at once. Workers may go on meanwhile.

    Refuses where that would leave any authority with less. Whoever connects to the database must be allowed to make and rename
    schemas, as the role maintenance is.
    """
    from importlib.resources import files  # noqa: PLC0415

    from services.chassis.settings import KafkaSettings  # noqa: PLC0415
    from services.operations.books import BooksSettings, opened  # noqa: PLC0415
    from services.records.upkeep.rebuild import rebuild as make_again  # noqa: PLC0415

    class RebuildSettings(BooksSettings):
        kafka: KafkaSettings

    settings = RebuildSettings.load()
    migrations = Path(str(files(f"services.{settings.database.schema_name}"))) / "migrations"
    with opened(settings) as (_, domain), Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(domain.service, total=None)
        read = make_again(
            settings.database,
            settings.kafka,
            domain,
            migrations,
            lambda done, total: progress.update(task, completed=done, total=total),
            less=less,
        )
    typer.echo(f"{domain.service}: made again from {read} events")
