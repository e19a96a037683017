"""The processes of a service of records: API, worker, webhooks, migrations. Each imports only what it runs.

A service is known by its name. It has the same files as the other one: `domain`, `api`, `policies`, `findings` and `migrations/`.
"""

import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.listing.reading import ListError
from services.chassis.failures import Failure
from services.chassis.memory import loading
from services.chassis.settings import SettingsError

if TYPE_CHECKING:
    from services.records.api.run_api import Api
    from services.records.config.settings import ApiSettings

SERVICES = Path(__file__).parents[1]


def run(service: str, arguments: list[str]) -> int:
    """Run the process that is named. Returns the exit status."""
    match arguments:
        case ["api"]:
            return _run_api(service)
        case ["worker"]:
            return _run_worker(service)
        case ["webhooks"]:
            return _run_webhooks(service)
        case ["migrate"]:
            return _run_migrate(service)
        case _:
            sys.stderr.write(f"usage: python -m services.{service} api|worker|webhooks|migrate\n")
            return 2


def run_and_exit(service: str) -> None:
    """Run the command line, and exit with its status. A failure that an operator can mend is said in one line."""
    try:
        sys.exit(run(service, sys.argv[1:]))
    except (SettingsError, ListError, Failure) as failure:
        sys.stderr.write(f"{failure}\n")
        sys.exit(failure.exit_status)


def _own(service: str, module: str) -> Any:
    return import_module(f"services.{service}.{module}")


def _run_api(service: str) -> int:
    with loading():
        from services.records.api.run_api import run_api
        from services.records.config.settings import ApiSettings

    return run_api(*api_of(service, ApiSettings.load()))


def api_of(service: str, settings: "ApiSettings") -> "Api":
    """Return what the API of a service is made of."""
    with loading():
        from services.records.api.management import Own
        from services.records.api.run_api import Api, Surface
        from services.records.config.closed_days import calendars
        from services.records.config.targets import targets

        domain, api, policies = (_own(service, module) for module in ("domain", "api", "policies"))

    calendar = calendars(settings.calendar.closed_days_path)
    own = Own(settings.returns.path, targets(settings.targets.path), settings.webhooks)
    title = f"Payback: {service.replace('_', ' ')}"
    surface = Surface(title, partial(api.routers, own=own), policies.POLICIES)
    return Api(domain.domain(*calendar), surface, settings)


def _run_worker(service: str) -> int:
    with loading():
        from services.records.config.closed_days import calendars
        from services.records.config.settings import WorkerSettings
        from services.records.ingest.run_worker import run_worker

        domain = _own(service, "domain").domain

    settings = WorkerSettings.load()
    return run_worker(domain(*calendars(settings.calendar.closed_days_path)), settings)


def _run_webhooks(service: str) -> int:
    with loading():
        from services.records.config.settings import SenderSettings
        from services.records.webhooks.run_webhooks import run_webhooks

        rules = _own(service, "findings").RULES

    return run_webhooks(service, rules, SenderSettings.load())


def _run_migrate(service: str) -> int:
    with loading():
        from services.records.config.settings import MigrateSettings
        from services.records.ingest.migrations import run_migrate

    return run_migrate(service, SERVICES / service / "migrations", MigrateSettings.load())
