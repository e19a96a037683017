"""`payback connect`: from an authority's own tables to events."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from services.connect.faults import CannotGoOn
from services.connect.home import home_of
from services.connect.loading import load_mapping
from services.connect.mapping import Platform
from services.connect.outcome import CANNOT_GO_ON
from services.connect.work import Job, Report, run
from services.connect.work import check as check_files

commands = typer.Typer()


class _OrSend(TyperGroup):
    """`payback connect MAPPING FILE` is short for `payback connect send MAPPING FILE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["send", *args]
        return super().parse_args(ctx, args)


connect = typer.Typer(cls=_OrSend, no_args_is_help=True)
commands.add_typer(
    connect, name="connect", help="From your own tables to events: suggest, check, send, watch, template."
)

Files = Annotated[
    list[Path], typer.Argument(help="The mapping (yaml) and the files; only the file where it was made by `template`.")
]
Taken = Annotated[
    datetime | None,
    typer.Option(help="When the files were taken, UTC; otherwise their names or their last change say so."),
]
LetVanish = Annotated[bool, typer.Option("--let-vanish", help="Though many rows are gone since the last extract.")]
Patience = Annotated[float, typer.Option(min=0, help="Seconds to go on trying while the platform is away.")]
Orders = Annotated[str | None, typer.Option(help="Address of the service of orders, unless the mapping says so.")]
UnpaidWork = Annotated[str | None, typer.Option(help="Address of the service of unpaid work.")]
Token = Annotated[Path | None, typer.Option("--token-file", help="A file that holds the token, and nothing else.")]


@connect.command()
def check(files: Files, taken: Taken = None, let_vanish: LetVanish = False) -> None:
    """Tell in plain words what would be sent and what refused, cell by cell. Changes and sends nothing.

    Exit status: 0 all well, 1 cells refused, 2 cannot go on.
    """
    _end(lambda: check_files(*_job(files, None, taken=_aware(taken), let_vanish=let_vanish)))


@connect.command()
def send(  # noqa: PLR0913, PLR0917
    files: Files,
    orders: Orders = None,
    unpaid_work: UnpaidWork = None,
    token_file: Token = None,
    taken: Taken = None,
    let_vanish: LetVanish = False,
    patience: Patience = 600,
) -> None:
    """Send what is new since the last extract. Stopped anywhere, run it again: nothing is lost, nothing sent twice.

    Exit status: 0 all accepted, 1 cells refused, 2 cannot go on.
    """
    platform = _platform(orders, unpaid_work, token_file)
    _end(lambda: run(*_job(files, platform, taken=_aware(taken), let_vanish=let_vanish, patience=patience)))


def _job(files: list[Path], platform: Platform | None, **others: Any) -> tuple[Job, list[Path]]:
    """Raises CannotGoOn."""
    first, *rest = files
    mapping = load_mapping(first)
    return Job(mapping, home_of(first), platform or mapping.platform, **others), rest


def _platform(orders: str | None, unpaid_work: str | None, token_file: Path | None) -> Platform | None:
    if orders is None or unpaid_work is None or token_file is None:
        return None
    return Platform(orders=orders, unpaid_work=unpaid_work, token_file=str(token_file.absolute()))


def _aware(taken: datetime | None) -> datetime | None:
    return None if taken is None else taken.replace(tzinfo=UTC)


def _end(work: Callable[[], Report]) -> NoReturn:
    """Say what came of it, and end with its status."""
    try:
        report = work()
    except CannotGoOn as fault:
        report = Report([str(fault)], CANNOT_GO_ON)
    for line in report.lines:
        typer.echo(line, err=report.status == CANNOT_GO_ON)
    raise typer.Exit(report.status)
