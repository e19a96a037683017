"""How long releases take with ten years of the nation: `python -m tests.load.bench_releases`.

Twelve releases, one for each of the last twelve months, each made and published as the months pass, the first and the last with their
files. Prints the time of each, by the clock and of this process's processor, which stays the same beside other programs; and the most
memory that this process took. Target: a minute for each, files included, and 2 GB.
"""

import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import NamedTuple

from sqlalchemy import Engine

from contracts.periods import add_months, last_day
from services.chassis.clock import Clock, FixedClock
from services.chassis.database import engine
from services.chassis.settings import DatabaseSettings
from services.reporting.files.store import make_files
from services.reporting.releases import publication
from services.reporting.settings import SCHEMA
from tests.load.bench_reporting import LAST, MONTHS, empty, store, vacuum

RELEASES = 12
TARGET_SECONDS, TARGET_MEGABYTES = 60.0, 2000.0


def main() -> int:
    """Print the figures. Returns 1 where a target is missed."""
    with empty() as (url, _):
        database = engine(DatabaseSettings(url=url, schema_name=SCHEMA))
        number = store(database)
        vacuum(database)
        print(f"{number:,} rows of {MONTHS} months")
        return measure(database)


class Taken(NamedTuple):
    """In seconds: by the clock, and by the processor for this process."""

    elapsed: float
    processor: float

    def __str__(self) -> str:
        return f"{self.elapsed:>5.1f} s ({self.processor:.1f} of the processor)"


def measure(database: Engine) -> int:
    """Measure one release after the other; files, which depend on no earlier release, of the first and the last."""
    longest = 0.0
    for number in range(RELEASES):
        month = add_months(LAST, number - RELEASES + 1)
        clock = FixedClock(datetime.combine(known_on(month) + timedelta(days=2), datetime.min.time(), UTC))
        name, made = release(database, month, clock)
        print(f"  {name}   made in {made}", end="", flush=True)
        files = Taken(0, 0)
        if number in {0, RELEASES - 1}:
            files = taken(partial(make_files, database, name, clock().date()))
            print(f"   files in {files}", end="")
        print(flush=True)
        longest = max(longest, made.elapsed + files.elapsed)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"the longest {longest:.1f} s, {longest / TARGET_SECONDS:.2f} of the target; ", end="")
    print(f"{megabytes:.0f} MB at the most, {megabytes / TARGET_MEGABYTES:.2f} of the target")
    return int(longest > TARGET_SECONDS or megabytes > TARGET_MEGABYTES)


def known_on(month: date) -> date:
    return last_day(month) + timedelta(days=19)


def release(database: Engine, month: date, clock: Clock) -> tuple[str, Taken]:
    """Return the release's name, and how long it took to make and publish it."""
    names: list[str] = []

    def make() -> None:
        names.append(publication.make(database, month, known_on(month), clock))
        publication.publish(database, names[0], clock)

    found = taken(make)
    return names[0], found


def taken(do: Callable[[], object]) -> Taken:
    begun, before = time.perf_counter(), time.process_time()
    do()
    return Taken(time.perf_counter() - begun, time.process_time() - before)


if __name__ == "__main__":
    sys.exit(main())
