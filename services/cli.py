"""The command line `payback`. Each group of commands lives beside what it drives, in a module with `commands` in it."""

import sys

import typer

from contracts import commands as contracts
from deploy.local import commands as local
from deploy.local.plan import PortsTaken
from deploy.local.process import NotReady
from services import explain, operate, topics
from services.chassis.failures import Failure
from services.chassis.settings import SettingsError
from services.reporting import commands as release
from services.simulate import commands as simulate

GROUPS = (
    contracts.commands,
    local.commands,
    topics.commands,
    explain.commands,
    operate.commands,
    release.commands,
    simulate.commands,
)

app = typer.Typer(
    help="The national data-sharing platform for community payback orders.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in GROUPS:
    app.add_typer(group)


def main() -> None:
    """The console script."""
    try:
        app()
    except (Failure, SettingsError, PortsTaken, NotReady) as failure:
        typer.echo(str(failure), err=True)
        sys.exit(failure.exit_status)
