"""`python -m services.reporting api|worker|migrate`."""

import sys

import typer

from services.chassis import logs
from services.chassis.failures import Failure
from services.chassis.settings import SettingsError
from services.reporting import app
from services.reporting.settings import SCHEMA, ApiSettings, MigrateSettings, WorkerSettings

commands = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@commands.command()
def api() -> None:
    """Serve the API and the pages."""
    settings = ApiSettings.load()
    logs.configure(settings.logs, SCHEMA)
    sys.exit(app.run_api(settings))


@commands.command()
def worker() -> None:
    """Read the national aggregates."""
    settings = WorkerSettings.load()
    logs.configure(settings.logs, SCHEMA)
    sys.exit(app.run_worker(settings))


@commands.command()
def migrate() -> None:
    """Bring the schema up to date."""
    settings = MigrateSettings.load()
    logs.configure(settings.logs, SCHEMA)
    sys.exit(app.run_migrate(settings))


if __name__ == "__main__":
    try:
        commands()
    except (SettingsError, Failure) as failure:
        typer.echo(str(failure), err=True)
        sys.exit(failure.exit_status)
