"""`python -m services.reporting api|worker|migrate`. Nothing that reads the list of authorities is imported before `main` runs."""

import sys

from contracts.listing.reading import ListError
from services.chassis import logs
from services.chassis.failures import Failure
from services.chassis.settings import SettingsError


def main(arguments: list[str]) -> int:
    """Runs the process that is named. Returns the exit status."""
    from services.reporting import app
    from services.reporting.settings import SCHEMA, ApiSettings, MigrateSettings, WorkerSettings

    match arguments:
        case ["api"]:
            serving = ApiSettings.load()
            logs.configure(serving.logs, SCHEMA)
            return app.run_api(serving)
        case ["worker"]:
            working = WorkerSettings.load()
            logs.configure(working.logs, SCHEMA)
            return app.run_worker(working)
        case ["migrate"]:
            migrating = MigrateSettings.load()
            logs.configure(migrating.logs, SCHEMA)
            return app.run_migrate(migrating)
        case _:
            sys.stderr.write("usage: python -m services.reporting api|worker|migrate\n")
            return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (SettingsError, ListError, Failure) as failure:
        sys.stderr.write(f"{failure}\n")
        sys.exit(failure.exit_status)
