"""How long a rebuild takes, with one process and with several: `python -m tests.load.bench_rebuild --help`.

On Apache Kafka and PostgreSQL, which writes to disk as in production, all on this machine. What the rebuilds make is compared by checksums.
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import psutil
import typer

from deploy.local.settings import clean_environment
from tests.load.bench_worker import SERVICES, send, stack
from tests.support.children import child
from tests.support.memory import Memory
from tests.support.meter import Meter
from tests.support.processes import Platform

EVENTS_OF_TEN_YEARS, TARGET_SECONDS, TARGET_BYTES = 5_000_000, 180, 1.5e9


def main(
    months: Annotated[int, typer.Option(help="Of the pretend nation.")] = 24,
    service: Annotated[list[str] | None, typer.Option(help="Only these.")] = None,
    processes: Annotated[list[int] | None, typer.Option(help="How many load the log, one after the other.")] = None,
) -> None:
    """Print the figures. Returns 1 where ten years would take longer, or more memory, than the target."""
    missed = False
    with stack() as (platform, meter):
        sent = send(platform.kafka, months)
        for name in service or SERVICES:
            events = sum(sent[kind] for kind in SERVICES[name])
            found = [_rebuild(platform, meter, name, number, events) for number in processes or (1, 2)]
            assert len({came for _, _, came in found}) == 1, "rebuilds differ"
            seconds, memory, _ = min(found)
            missed |= seconds / events * EVENTS_OF_TEN_YEARS > TARGET_SECONDS or memory > TARGET_BYTES
    sys.exit(missed)


def _rebuild(platform: Platform, meter: Meter, service: str, processes: int, events: int) -> tuple[float, int, str]:
    """Return seconds, bytes, and checksums of what came."""
    command = [str(Path(sys.executable).with_name("payback")), "rebuild", "--processes", str(processes)]
    environment = clean_environment() | platform.environment(f"{service}-worker")
    began = time.monotonic()
    with (
        child(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run,
        Memory(psutil.Process(run.pid)).looking() as memory,
    ):
        run.wait()
    seconds = time.monotonic() - began
    assert run.returncode == 0, command
    print(
        f"{service:<12} {processes} processes: {events:,} events in {seconds:.1f} s, {events / seconds:,.0f} a second, "
        f"{memory.together / 1e6:.0f} MB; ten years would take {EVENTS_OF_TEN_YEARS / events * seconds:.0f} s",
        flush=True,
    )
    return seconds, memory.together, " ".join(meter.came(service).values())


if __name__ == "__main__":
    typer.run(main)
