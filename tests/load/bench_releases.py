"""How long releases take with ten years of the nation: `python -m tests.load.bench_releases`.

Twelve releases, one for each of the last twelve months, each made and published, with its files, as the months pass. Prints the time of
each and the most memory that this process took. Target: a minute for each, files included, and 2 GB.
"""

import resource
import sys
import time
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine

from contracts.periods import add_months, last_day
from services.chassis.clock import FixedClock
from services.chassis.database import engine
from services.chassis.settings import DatabaseSettings
from services.reporting.files.store import make_files
from services.reporting.releases import publication
from services.reporting.settings import SCHEMA
from tests.load.bench_reporting import LAST, MONTHS, empty, store, vacuum

RELEASES = 12
TARGET_SECONDS, TARGET_MEGABYTES = 60.0, 2000.0


def main() -> int:
    """1 where a target is missed."""
    with empty() as (url, _):
        database = engine(DatabaseSettings(url=url, schema_name=SCHEMA))
        number = store(database)
        vacuum(database)
        print(f"{number:,} rows of {MONTHS} months")
        return measure(database)


def measure(database: Engine) -> int:
    """One release after the other."""
    taken = [sum(release(database, add_months(LAST, at - RELEASES + 1))) for at in range(RELEASES)]
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"the longest {max(taken):.1f} s, {max(taken) / TARGET_SECONDS:.2f} of the target; ", end="")
    print(f"{megabytes:.0f} MB at the most, {megabytes / TARGET_MEGABYTES:.2f} of the target")
    return int(max(taken) > TARGET_SECONDS or megabytes > TARGET_MEGABYTES)


def release(database: Engine, month: date) -> tuple[float, float]:
    """Seconds to make and publish it, and to make its files."""
    known_on = last_day(month) + timedelta(days=19)
    clock = FixedClock(datetime.combine(known_on + timedelta(days=2), datetime.min.time(), UTC))
    begun = time.perf_counter()
    name = publication.make(database, month, known_on, clock)
    publication.publish(database, name, clock)
    made = time.perf_counter()
    make_files(database, name, clock().date())
    found = made - begun, time.perf_counter() - made
    print(f"  {name}   made in {found[0]:>5.1f} s   files in {found[1]:>5.1f} s", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
