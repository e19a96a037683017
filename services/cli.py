"""The command line `payback`. Each group of commands is beside what it drives, in a module with `commands` in its name."""

import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Annotated

import typer

GROUPS = {
    "contracts.commands": ("validate", "publish"),
    "contracts.receipts.commands": ("receipt",),
    "deploy.local.commands": ("stack", "demo", "token"),
    "services.operations.topics": ("topics",),
    "services.operations.authorities": ("authorities",),
    "services.operations.explain": ("explain",),
    "services.operations.parking": ("park",),
    "services.operations.prove": ("prove",),
    "services.operations.maintenance": ("rebuild", "republish"),
    "services.operations.refusals": ("rejections", "redrive"),
    "services.operations.doctor": ("doctor",),
    "services.operations.watch": ("watch",),
    "services.operations.support": ("support",),
    "services.operations.capacity": ("capacity",),
    "services.operations.times": ("redate",),
    "services.operations.moving.adopt": ("adopt",),
    "services.operations.moving.copy": ("copy",),
    "services.operations.rights.evidence": ("evidence",),
    "services.operations.rights.audit": ("audit",),
    "services.operations.rights.person": ("person",),
    "services.operations.rights.retention": ("retention",),
    "services.reporting.commands": ("release",),
    "services.simulate.commands": ("simulate",),
    "services.connect.commands": ("connect",),
}
"""Modules, and the commands in them: importing all of them takes seconds, and a command needs only one."""


def command_line(groups: Iterable[str] = GROUPS) -> typer.Typer:
    """Return the command line with the commands of these groups."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
    app.callback(help="The national data-sharing platform for community payback orders.")(_before)
    for group in filter(_is_here, groups):
        app.add_typer(import_module(group).commands)
    return app


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"payback {version('payback')}")
        raise typer.Exit


def _before(
    _: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def _is_here(group: str) -> bool:
    """Return whether the package of these commands is installed: the image has no demo."""
    return find_spec(group.rpartition(".")[0]) is not None


def main() -> None:
    """Run the console script."""
    wanted = [group for group, names in GROUPS.items() if sys.argv[1:2] and sys.argv[1] in names]
    try:
        command_line(wanted or GROUPS)()
    except Exception as fault:
        status = getattr(fault, "exit_status", None)  # every failure that a person can act on has an exit status
        if status is None:
            raise
        typer.echo(str(fault), err=True)
        sys.exit(status)
