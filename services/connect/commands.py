"""`payback connect`: from an authority's own tables to events."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from contracts.authorities import current_code
from services.connect.extracts.readers import sheets
from services.connect.faults import CannotGoOn, Unread
from services.connect.home import Home, home_of
from services.connect.mapping.loading import load_mapping
from services.connect.mapping.model import Platform
from services.connect.mapping.transforms import authority_in
from services.connect.result import CANNOT_GO_ON
from services.connect.template import is_workbook, mapping_in
from services.connect.template import write as write_template
from services.connect.watch import Folder
from services.connect.watch import watch as look
from services.connect.work import Job, Report, proposed, run
from services.connect.work import check as check_files

commands = typer.Typer()


_FOR_PAGE = ("jinja2", "python_multipart", "starlette", "uvicorn")
"""Packages that only `page` needs."""


class _OrSend(TyperGroup):
    """`payback connect MAPPING FILE` is short for `payback connect send MAPPING FILE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["send", *args]
        return super().parse_args(ctx, args)


connect = typer.Typer(cls=_OrSend, no_args_is_help=True)
commands.add_typer(
    connect, name="connect", help="Make events from your own tables: suggest, check, send, watch, page, template."
)

Files = Annotated[
    list[Path], typer.Argument(help="The mapping (yaml) and the files; for a file made by `template`, the file alone.")
]
Taken = Annotated[
    datetime | None,
    typer.Option(
        help="When the files were taken, in UTC. Without it, the date in their names or their last change counts."
    ),
]
LetVanish = Annotated[
    bool, typer.Option("--let-vanish", help="Send even though many rows have gone since the last extract.")
]
Patience = Annotated[
    float, typer.Option(min=0, help="How long to go on trying while the platform is away, in seconds.")
]
Orders = Annotated[str | None, typer.Option(help="Address of the service of orders, unless the mapping says so.")]
UnpaidWork = Annotated[str | None, typer.Option(help="Address of the service of unpaid work.")]
Token = Annotated[Path | None, typer.Option("--token-file", help="A file that holds the token, and nothing else.")]


@connect.command(
    help=(
        "Show in plain words what would be sent and, cell by cell, what would be refused. Changes and sends nothing.\n\n"
        "Exit status: 0 all well, 1 cells refused, 2 cannot go on."
    ),
)
def check(files: Files, taken: Taken = None, let_vanish: LetVanish = False) -> None:
    _end(lambda: check_files(*_job(files, None, taken=_aware(taken), let_vanish=let_vanish)))


@connect.command(
    help=(
        "Send what is new since the last extract. If it is stopped, run it again: nothing is lost or "
        "sent twice.\n\n"
        "Exit status: 0 all accepted, 1 cells refused, 2 cannot go on."
    ),
)
def send(  # noqa: PLR0913, PLR0917
    files: Files,
    orders: Orders = None,
    unpaid_work: UnpaidWork = None,
    token_file: Token = None,
    taken: Taken = None,
    let_vanish: LetVanish = False,
    patience: Patience = 600,
) -> None:
    platform = _platform(orders, unpaid_work, token_file)
    _end(lambda: run(*_job(files, platform, taken=_aware(taken), let_vanish=let_vanish, patience=patience)))


@connect.command(help="Propose a mapping from headings and values, with reasons and doubts, on standard output.")
def suggest(
    files: Annotated[list[Path], typer.Argument(help="Your tables, unchanged: workbooks and CSV.")],
    authority: Annotated[str | None, typer.Option(help="Your authority, by code or name.")] = None,
) -> None:
    _end(lambda: Report([proposed(files, authority and _code(authority)).rstrip()]))


@connect.command(
    help="Write a workbook that needs no mapping; its columns have lists, checks and notes. Then: check FILE, send FILE."
)
def template(
    file: Annotated[Path, typer.Argument(help="The workbook to write, such as orders.xlsx.")],
    authority: Annotated[str, typer.Option(help="Your authority, by code or name.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if there is one already.")] = False,
) -> None:
    _end(lambda: _template(file, authority, force))


def _template(file: Path, authority: str, force: bool) -> Report:
    if file.suffix.lower() != ".xlsx":
        raise CannotGoOn(f"{file.name} must end with .xlsx")
    if file.exists() and not force:
        raise CannotGoOn(f"{file} exists already; give --force to overwrite it")
    write_template(file, _code(authority))
    return Report([f"{file} is ready. Fill in the sheet Orders, then: payback connect check {file}"])


def _code(authority: str) -> str:
    """Return the code of an authority, given its code or name. Raises CannotGoOn."""
    try:
        return current_code(authority_in(authority, {})) or authority
    except Unread as fault:
        raise CannotGoOn(str(fault)) from None


@connect.command(
    help=(
        "Import each new file in a folder once it is complete. The result is written beside it, as "
        "FILE.outcome.txt.\n\n"
        "With --once the exit status is the worst of all files: 0 all well, 1 cells refused, 2 cannot go on."
    ),
)
def watch(  # noqa: PLR0913, PLR0917
    places: Annotated[
        list[Path],
        typer.Argument(help="The mapping (yaml), which files made by `template` do not need; then the folder."),
    ],
    orders: Orders = None,
    unpaid_work: UnpaidWork = None,
    token_file: Token = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks at the folder.")] = 10,
    quiet: Annotated[
        float, typer.Option(min=0, help="Seconds for which a file must stay unchanged to count as complete.")
    ] = 10,
    patience: Patience = 600,
    once: Annotated[bool, typer.Option("--once", help="Import the files in the folder, and stop.")] = False,
) -> None:
    *mapping, folder = places
    platform = _platform(orders, unpaid_work, token_file)
    worst = 0

    def imported(path: Path) -> Report:
        return run(*_job([*mapping, path], platform, patience=patience))

    def tell(path: Path, report: Report) -> None:
        nonlocal worst
        worst = max(worst, report.status)
        typer.echo(f"{path.name}: {report.lines[-1] if report.lines else ''} (status {report.status})")

    if not folder.is_dir():
        raise typer.BadParameter(f"no such folder: {folder}")
    watched = Folder(folder, quiet)
    watched.ready()
    while True:
        time.sleep(quiet if once else every)
        done = look(watched, imported, tell)
        if once:
            raise typer.Exit(worst if done and not watched.unsettled() else CANNOT_GO_ON)


@connect.command(
    help="Serve a page, to this machine only, on which you drop, check and send tables. Needs `payback-connect[page]`."
)
def page(
    mapping: Annotated[
        Path, typer.Argument(help="The mapping (yaml). If it is not there, the page proposes one and keeps it here.")
    ] = Path("orders.yaml"),
    orders: Orders = None,
    unpaid_work: UnpaidWork = None,
    token_file: Token = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; 0 takes any free one.")] = 0,
) -> None:
    if missing := [name for name in _FOR_PAGE if find_spec(name) is None]:
        _end(lambda: Report([f"{', '.join(missing)} not installed: install payback-connect[page]"], CANNOT_GO_ON))
    from services.connect.page.app import serve  # noqa: PLC0415 - the extra may be missing

    serve(mapping.absolute(), _platform(orders, unpaid_work, token_file), port, typer.echo)


def _job(files: list[Path], platform: Platform | None, **others: Any) -> tuple[Job, list[Path]]:
    """Return the job, and the files to import: all but a mapping at the front. Raises CannotGoOn."""
    first, *rest = files
    if is_workbook(first):
        mapping = mapping_in(sheets(first))
        if mapping is None:
            raise CannotGoOn(f"{first.name} was not made by `payback connect template`: give a mapping before it")
        return Job(mapping, Home(first.parent / "payback.connect"), platform, **others), files
    mapping = load_mapping(first)
    return Job(mapping, home_of(first), platform or mapping.platform, **others), rest


def _platform(orders: str | None, unpaid_work: str | None, token_file: Path | None) -> Platform | None:
    if orders is None or unpaid_work is None or token_file is None:
        return None
    return Platform(orders=orders, unpaid_work=unpaid_work, token_file=str(token_file.absolute()))


def _aware(taken: datetime | None) -> datetime | None:
    return None if taken is None else taken.replace(tzinfo=UTC)


def _end(work: Callable[[], Report]) -> NoReturn:
    """Do the work, print the report, and exit with its status."""
    try:
        report = work()
    except CannotGoOn as fault:
        report = Report([str(fault)], CANNOT_GO_ON)
    for line in report.lines:
        typer.echo(line, err=report.status == CANNOT_GO_ON)
    raise typer.Exit(report.status)
