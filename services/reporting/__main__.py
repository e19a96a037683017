"""`python -m services.reporting api|worker|migrate`."""

import sys

import typer

from services.chassis import logs
from services.chassis.failures import Failure
from services.chassis.settings import SettingsError
from services.reporting import app
from services.reporting.settings import SCHEMA, ApiSettings, MigrateSettings, WorkerSettings

commands = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@commands.command(help="Serve the API and the pages.")
def api() -> None:
    settings = ApiSettings.load()
    logs.configure(settings.logs, SCHEMA)
    sys.exit(app.run_api(settings))


@commands.command(help="Read the national aggregates.")
def worker() -> None:
    settings = WorkerSettings.load()
    logs.configure(settings.logs, SCHEMA)
    sys.exit(app.run_worker(settings))


@commands.command(help="Bring the schema up to date.")
def migrate() -> None:
    settings = MigrateSettings.load()
    logs.configure(settings.logs, SCHEMA)
    sys.exit(app.run_migrate(settings))


if __name__ == "__main__":
    try:
        commands()
    except (SettingsError, Failure) as failure:
        typer.echo(str(failure), err=True)
        sys.exit(failure.exit_status)
