"""`python -m services.unpaid_work api|worker|webhooks|migrate`. Each process imports only what it runs."""

import sys
from functools import partial
from pathlib import Path

from contracts.listing.reading import ListError
from services.chassis.failures import Failure
from services.chassis.memory import loading
from services.chassis.settings import SettingsError


def main(arguments: list[str]) -> int:
    """Run the process that is named. Returns the exit status."""
    match arguments:
        case ["api"]:
            with loading():
                from services.records.api.management import Own
                from services.records.api.run_api import Surface, run_api
                from services.records.config.closed_days import calendars
                from services.records.config.settings import ApiSettings
                from services.records.config.targets import targets
                from services.unpaid_work.api import routers
                from services.unpaid_work.domain import domain
                from services.unpaid_work.policies import POLICIES

            serving = ApiSettings.load()
            calendar = calendars(serving.calendar.closed_days_path)
            own = Own(serving.returns.path, targets(serving.targets.path), serving.webhooks)
            surface = Surface("Payback: unpaid work", partial(routers, own=own), POLICIES)
            return run_api(domain(*calendar), surface, serving)
        case ["worker"]:
            with loading():
                from services.records.config.closed_days import calendars
                from services.records.config.settings import WorkerSettings
                from services.records.ingest.run_worker import run_worker
                from services.unpaid_work.domain import domain

            working = WorkerSettings.load()
            calendar = calendars(working.calendar.closed_days_path)
            return run_worker(domain(*calendar), working)
        case ["webhooks"]:
            with loading():
                from services.records.config.settings import SenderSettings
                from services.records.webhooks.run_webhooks import run_webhooks
                from services.unpaid_work.findings import RULES

            return run_webhooks("unpaid_work", RULES, SenderSettings.load())
        case ["migrate"]:
            with loading():
                from services.records.config.settings import MigrateSettings
                from services.records.ingest.migrations import run_migrate

            return run_migrate("unpaid_work", Path(__file__).parent / "migrations", MigrateSettings.load())
        case _:
            sys.stderr.write("usage: python -m services.unpaid_work api|worker|webhooks|migrate\n")
            return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (SettingsError, ListError, Failure) as failure:
        sys.stderr.write(f"{failure}\n")
        sys.exit(failure.exit_status)
