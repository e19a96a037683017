"""A long load, to see that nothing grows: python -m tests.load.soak --minutes 60, or `make soak`.

The nation sends some 500,000 events a year, one each minute; this sends many times that, evenly, and looks at every process each half
minute: memory, open descriptors, and how long the last event took to be shown. Beside it `payback prove --watch` compares everything again
and again. Fails where the last third lies above the second, or where the proof stands still, finds something or takes more than its share.
"""

import os
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from contracts.authorities import AUTHORITIES
from deploy.local.postgres import create_database
from services.simulate.telling.sending import Delivery
from tests.faults.chaos.scene import send
from tests.support import parts
from tests.support.made.load import Load
from tests.support.processes import Platform, running_platform

NATIONAL_A_SECOND = 500_000 / (365 * 86_400)
LOOK_SECONDS = 30.0
MORE = {"memory": 1.10, "descriptors": 1.05, "delay": 1.5}
"""By how much the last third may lie above the second: what is read from a full cache differs, and so do delays of milliseconds."""
SLACK = {"memory": 0.0, "descriptors": 2.0, "delay": 0.0}
"""What may come to that: of some twenty descriptors one more is a connection of a pool, where a leak goes on and on."""
LEAST_DELAY = 0.5
PROOF = "proof"
SHARE = 0.1
"""Of the time, for the proof."""
STILL_SECONDS = 120.0
"""How long the proof of one book may take, with the pause after it."""


@dataclass
class Course:
    """The measurements of each process, in order."""

    seen: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    """By process and what was measured."""

    def look(self, platform: Platform, delay: float) -> None:
        self.seen["all", "delay"].append(max(LEAST_DELAY, delay))
        for name, pid in platform.running().items():
            self.seen[name, "memory"].append(_memory(pid))
            self.seen[name, "descriptors"].append(len(list(Path(f"/proc/{pid}/fd").iterdir())))

    def grown(self) -> list[str]:
        """Say in words how much it grew."""
        return [
            f"{what} of {name} grew from {before:.1f} to {after:.1f}"
            for (name, what), values in self.seen.items()
            for before, after in [_thirds(values)]
            if after > before * MORE[what] + SLACK[what]
        ]

    def table(self) -> str:
        lines = [f"{'process':22} {'what':12} {'second third':>12} {'last third':>12}"]
        for (name, what), values in sorted(self.seen.items()):
            before, after = _thirds(values)
            lines.append(f"{name:22} {what:12} {before:12.1f} {after:12.1f}")
        return "\n".join(lines) + "\n"


@dataclass
class Proving:
    """`payback prove --watch`, beside everything else."""

    platform: Platform
    began: float = 0.0

    def start(self) -> None:
        command = (str(Path(sys.executable).with_name("payback")), "prove", "--watch", "--share", str(SHARE))
        self.platform.add(PROOF, "reporting-worker", *command)
        self.platform.spawn(PROOF)
        self.began = time.time()

    def faults(self) -> list[str]:
        """Return the faults found, in words."""
        proved = self.platform.values(PROOF, "payback_proved_timestamp_seconds")
        mismatches = self.platform.metric(PROOF, "payback_proof_mismatches")
        took, seconds = _processor_seconds(self.platform.process(PROOF).pid), time.time() - self.began
        oldest, newest = (time.time() - each(proved, default=self.began) for each in (min, max))
        sys.stdout.write(
            f"proof: {len(proved)} books, proved {newest:.0f} to {oldest:.0f} s ago, "
            f"{mismatches:.0f} mismatches, {took / seconds:.1%} of one core\n"
        )
        checks = {
            f"nothing was proved for {newest:.0f} s": newest > STILL_SECONDS,
            f"{mismatches:.0f} things do not add up": mismatches,
            f"the proof took {took / seconds:.0%} of the time": took > seconds * SHARE * 1.5,
        }
        return [words for words, wrong in checks.items() if wrong]


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _thirds(values: Sequence[float]) -> tuple[float, float]:
    third = max(1, len(values) // 3)
    return median(values[third : 2 * third] or values), median(values[-third:])


def _memory(pid: int) -> float:
    """Return the memory in MB."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def pour(
    platform: Platform, load: Load, deliveries: Sequence[Delivery], seconds: float, look: Callable[[float], None]
) -> None:
    """Send the events evenly over the time."""
    pieces = max(1, round(seconds / LOOK_SECONDS))
    size = -(-len(deliveries) // pieces)
    began = time.monotonic()
    for number in range(pieces):
        for small in range(number * size, (number + 1) * size, max(1, size // 30)):
            send(platform, load, deliveries[small : min(small + max(1, size // 30), (number + 1) * size)])
            time.sleep(max(0.0, began + seconds * small / max(1, len(deliveries)) - time.monotonic()))
        sent = time.monotonic()
        load.wait_until_shown(platform)
        look(time.monotonic() - sent)


def main(
    minutes: Annotated[float, typer.Option(help="How long.")] = 60.0,
    times: Annotated[float, typer.Option(help="How many times as much as the nation sends.")] = 20.0,
) -> None:
    """Exit status 1 where something grew, or something is not right in the end."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        kafka = stack.enter_context(parts.kafka_process())
        postgres = stack.enter_context(parts.postgres_process(Path(tempfile.mkdtemp())))
        database = create_database(postgres.url, f"soak_{uuid.uuid4().hex}")
        platform = stack.enter_context(running_platform(directory, kafka.address, database))
        load = Load(sorted(AUTHORITIES), months=2, seed=1)
        number = max(1000, round(NATIONAL_A_SECOND * times * minutes * 60))
        course = Course()
        proving = Proving(platform)
        proving.start()
        pour(platform, load, load.deliveries[:number], minutes * 60, lambda delay: course.look(platform, delay))
        sys.stdout.write(f"{min(number, len(load.deliveries))} events in {minutes:.0f} minutes\n{course.table()}")
        load.assert_once(platform)
        load.assert_reporting_equal(platform)
        wrong = [*course.grown(), *proving.faults()]
    if wrong:
        sys.stdout.write("\n".join(wrong) + "\n")
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
