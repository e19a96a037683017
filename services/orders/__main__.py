"""`python -m services.orders api|worker|webhooks|migrate`. Each process imports only what it runs."""

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
                from services.orders.api import routers
                from services.orders.domain import domain
                from services.orders.policies import POLICIES
                from services.records.api.management import Own
                from services.records.api.run_api import Surface, run_api
                from services.records.config.closed_days import calendars
                from services.records.config.settings import ApiSettings
                from services.records.config.targets import targets

            serving = ApiSettings.load()
            calendar = calendars(serving.calendar.closed_days_path)
            own = Own(serving.returns.path, targets(serving.targets.path), serving.webhooks)
            surface = Surface("Payback: orders", partial(routers, own=own), POLICIES)
            return run_api(domain(*calendar), surface, serving)
        case ["worker"]:
            with loading():
                from services.orders.domain import domain
                from services.records.config.closed_days import calendars
                from services.records.config.settings import WorkerSettings
                from services.records.ingest.run_worker import run_worker

            working = WorkerSettings.load()
            calendar = calendars(working.calendar.closed_days_path)
            return run_worker(domain(*calendar), working)
        case ["webhooks"]:
            with loading():
                from services.orders.findings import RULES
                from services.records.config.settings import SenderSettings
                from services.records.webhooks.run_webhooks import run_webhooks

            return run_webhooks("orders", RULES, SenderSettings.load())
        case ["migrate"]:
            with loading():
                from services.records.config.settings import MigrateSettings
                from services.records.ingest.migrations import run_migrate

            return run_migrate("orders", Path(__file__).parent / "migrations", MigrateSettings.load())
        case _:
            sys.stderr.write("usage: python -m services.orders api|worker|webhooks|migrate\n")
            return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (SettingsError, ListError, Failure) as failure:
        sys.stderr.write(f"{failure}\n")
        sys.exit(failure.exit_status)
