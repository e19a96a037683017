"""`python -m services.desk api|morning|weekly`."""

import sys

from contracts.listing.reading import ListError
from services.chassis.failures import Failure
from services.chassis.memory import loading
from services.chassis.settings import SettingsError


def main(arguments: list[str]) -> int:
    """Run the process that is named. Returns the exit status."""
    match arguments:
        case ["api"]:
            with loading():
                from services.desk.app import run_api
                from services.desk.settings import ApiSettings

            return run_api(ApiSettings.load())
        case ["morning" | "weekly" as which]:
            with loading():
                from services.desk.morning import run_morning
                from services.desk.settings import MorningSettings

            return run_morning(MorningSettings.load(), which == "weekly")
        case _:
            sys.stderr.write("usage: python -m services.desk api|morning|weekly\n")
            return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (SettingsError, ListError, Failure) as failure:
        sys.stderr.write(f"{failure}\n")
        sys.exit(failure.exit_status)
