"""How long a rebuild takes, with one process and with several: `python -m tests.load.bench_rebuild --help`.

On Apache Kafka and PostgreSQL, which writes to disk as in production, all on this machine. What the rebuilds make is compared by checksums,
and with `--worker` with what a worker makes. What a rebuild of an empty log takes is taken once, and not in proportion, to say how long ten
years would take. With `--growth`, the log grows, and each size is rebuilt.
"""

import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Annotated, NamedTuple

import psutil
import typer

from deploy.local.settings import clean_environment
from services.simulate.nation import Simulation
from tests.load.bench_worker import END, SERVICES, measure, send, send_all, stack
from tests.support.children import child
from tests.support.processes import Platform
from tests.support.running.memory import Memory
from tests.support.running.meter import Meter

EVENTS_OF_TEN_YEARS, TARGET_SECONDS, TARGET_BYTES = 5_000_000, 180, 1.5e9
GROWTH, MONTHS_OF_GROWTH, FLAT = (500_000, 1_600_000, 5_000_000), 150, 1.2
"""How many events of each service, in how many months they surely are, and how much more the last may take than the first."""


class Rebuilt(NamedTuple):
    """The cost of a rebuild, and checksums of what came."""

    seconds: float
    memory: int
    came: dict[str, str]


def main(
    months: Annotated[int, typer.Option(help="Of the pretend nation.")] = 24,
    service: Annotated[list[str] | None, typer.Option(help="Only these.")] = None,
    processes: Annotated[list[int] | None, typer.Option(help="How many load the log, one after the other.")] = None,
    worker: Annotated[bool, typer.Option("--worker", help="Let a worker read the log first, and compare.")] = False,
    prove: Annotated[bool, typer.Option("--prove", help="Once more with a proof before the change.")] = False,
    growth: Annotated[bool, typer.Option("--growth", help="Measure 0.5, 1.6 and 5 million events instead.")] = False,
) -> None:
    """Print the figures. Returns 1 where ten years would take more time or memory than the target, or where the time of an event grows."""
    names, numbers = service or list(SERVICES), processes or [1, 2]
    if growth:
        missed = [not _is_flat(name, max(numbers)) for name in names]
    else:
        with stack() as (platform, meter):
            start = {name: _rebuild(platform, meter, name, 1, 0).seconds for name in names}
            sent = send(platform.kafka, months)
            missed = [_is_slow(platform, meter, name, sent, numbers, start[name], worker=worker) for name in names]
            for name in names if prove else ():
                print("with a proof:", end=" ")
                _rebuild(platform, meter, name, max(numbers), _events(sent, name), unproved=False)
    sys.exit(any(missed))


def _is_slow(
    platform: Platform,
    meter: Meter,
    service: str,
    sent: Counter[str],
    processes: Sequence[int],
    start: float,
    *,
    worker: bool,
) -> bool:
    events = _events(sent, service)
    came = []
    if worker:
        measure(platform, meter, service, 1, sent)
        came.append(meter.came(service))
    found = [_rebuild(platform, meter, service, number, events) for number in processes]
    came += [one.came for one in found]
    assert all(one == came[0] for one in came), f"rebuilds differ: {came}"
    of_ten_years = [start + (one.seconds - start) / events * EVENTS_OF_TEN_YEARS for one in found]
    print(f"{service:<12} ten years would take {', '.join(f'{seconds:.0f} s' for seconds in of_ten_years)}", flush=True)
    fits = [
        one.memory <= TARGET_BYTES and took <= TARGET_SECONDS for one, took in zip(found, of_ten_years, strict=True)
    ]
    return not any(fits)


def _is_flat(service: str, processes: int) -> bool:
    """Return whether an event takes the same time at the last size as at the first."""
    deliveries = Simulation(1, MONTHS_OF_GROWTH, END).deliveries()
    of_this = (one for one in deliveries if one.topic.partition(".")[0] in SERVICES[service])
    each: list[float] = []
    with stack() as (platform, meter):
        for before, events in pairwise((0, *GROWTH)):
            send_all(platform.kafka, islice(of_this, events - before))
            each.append(_rebuild(platform, meter, service, processes, events).seconds / events)
    return each[-1] <= FLAT * each[0]


def _events(sent: Counter[str], service: str) -> int:
    return sum(sent[kind] for kind in SERVICES[service])


def _rebuild(
    platform: Platform, meter: Meter, service: str, processes: int, events: int, *, unproved: bool = True
) -> Rebuilt:
    command = [str(Path(sys.executable).with_name("payback")), "rebuild", "--processes", str(processes)]
    command += ["--unproved"] * unproved
    environment = clean_environment() | platform.environment(f"{service}-worker")
    began, spent, used = time.monotonic(), meter.spent(), _used_by_children()
    with (
        child(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run,
        Memory(psutil.Process(run.pid)).looking() as memory,
    ):
        run.wait()
    seconds, used, spent = time.monotonic() - began, _used_by_children() - used, meter.spent().since(spent)
    assert run.returncode == 0, command
    each = {"rebuild": used, "PostgreSQL": spent.postgres, "broker": spent.broker}
    print(
        f"{service:<12} {processes} processes: {events:,} events in {seconds:.1f} s, {events / seconds:,.0f} a second, "
        f"{memory.together / 1e6:.0f} MB; seconds of processor time: "
        f"{', '.join(f'{what} {one:.1f}' for what, one in each.items())}; {spent.wal / 1e6:,.0f} MB of WAL",
        flush=True,
    )
    return Rebuilt(seconds, memory.together, meter.came(service))


def _used_by_children() -> float:
    """Return the processor time of processes that have ended, which PostgreSQL and the broker have not."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    typer.run(main)
