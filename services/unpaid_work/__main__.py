"""`python -m services.unpaid_work api|worker|migrate`. Each process imports only what it runs."""

import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Runs the process that is named. Returns the exit status."""
    match arguments:
        case ["api"]:
            from services.records.holidays import scotland
            from services.records.serve import run_api
            from services.records.settings import ApiSettings
            from services.unpaid_work.api import routers
            from services.unpaid_work.domain import domain

            return run_api(domain(scotland()), "Payback: unpaid work", routers, ApiSettings.load())
        case ["worker"]:
            from services.records.holidays import scotland
            from services.records.settings import WorkerSettings
            from services.records.work import run_worker
            from services.unpaid_work.domain import domain

            return run_worker(domain(scotland()), WorkerSettings.load())
        case ["migrate"]:
            from services.records.prepare import run_migrate
            from services.records.settings import MigrateSettings

            return run_migrate("unpaid_work", Path(__file__).parent / "migrations", MigrateSettings.load())
        case _:
            sys.stderr.write("usage: python -m services.unpaid_work api|worker|migrate\n")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
