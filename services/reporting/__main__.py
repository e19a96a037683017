"""`python -m services.reporting api|worker|migrate`. Each process imports only what it runs."""

import os
import sys

from contracts.listing.reading import ListError
from services.chassis.failures import Failure
from services.chassis.guarding.forking import LOWEST
from services.chassis.memory import loading
from services.chassis.settings import SettingsError


def main(arguments: list[str]) -> int:
    """Run the process that is named. Returns the exit status."""
    match arguments:
        case ["api"]:
            with loading():
                from services.reporting.app import run_api
                from services.reporting.settings import ApiSettings

            return run_api(ApiSettings.load())
        case ["beside", descriptor]:
            os.nice(LOWEST)
            with loading():
                from services.reporting.app import run_beside
                from services.reporting.settings import ApiSettings

            return run_beside(ApiSettings.load(), int(descriptor))
        case ["worker"]:
            with loading():
                from services.reporting.ingest.run_worker import run_worker
                from services.reporting.settings import WorkerSettings

            return run_worker(WorkerSettings.load())
        case ["migrate"]:
            with loading():
                from services.reporting.ingest.migrations import run_migrate
                from services.reporting.settings import MigrateSettings

            return run_migrate(MigrateSettings.load())
        case _:
            sys.stderr.write("usage: python -m services.reporting api|worker|migrate\n")
            return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (SettingsError, ListError, Failure) as failure:
        sys.stderr.write(f"{failure}\n")
        sys.exit(failure.exit_status)
