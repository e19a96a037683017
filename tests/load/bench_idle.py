"""Tells what a platform costs to which nothing is sent: `python -m tests.load.bench_idle [SECONDS]`. Target: 3 % of a core and 500 MB.

Everything that `payback demo` starts, without its simulation. The embedded broker is told apart, since an operator has a real one. Memory
is what would be free again if the processes ended (PSS: what several share counts once), so that PostgreSQL's shared buffers and the
interpreter are not counted for each process.
"""

import sys
import time
from collections import Counter, defaultdict
from contextlib import suppress
from typing import NamedTuple

import psutil

from deploy.local.stack import running_stack

SECONDS = 120
SETTLE_SECONDS = 60
"""In which caches fill, garbage is collected for the first time, and the quiet is noticed."""
BROKER = "broker"
TARGET_SHARE, TARGET_BYTES = 0.03, 500e6


def main(seconds: int = SECONDS) -> int:
    """Print shares of a core and memory by kind of process. Returns 1 where a target is missed."""
    with running_stack(None, None, lambda _: None):
        time.sleep(SETTLE_SECONDS)
        before, began = _held(), time.monotonic()
        time.sleep(seconds)
        after, passed = _held(), time.monotonic() - began
    shares: dict[str, float] = defaultdict(float)
    for process in after.keys() & before.keys():
        shares[after[process].kind] += (after[process].seconds - before[process].seconds) / passed
    held: dict[str, int] = defaultdict(int)
    for one in after.values():
        held[one.kind] += one.memory
    for kind, number in sorted(Counter(one.kind for one in after.values()).items()):
        _tell(kind, number, shares[kind], held[kind])
    share, memory = sum(shares.values()) - shares[BROKER], sum(held.values()) - held[BROKER]
    _tell("all but the broker", len(after) - 1, share, memory)
    return int(share > TARGET_SHARE or memory > TARGET_BYTES)


def _tell(kind: str, number: int, share: float, memory: int) -> None:
    print(f"{kind:<24} {number:>2} processes {share:>6.1%} of a core {memory / 1e6:>6.0f} MB")


class Held(NamedTuple):
    """The seconds of processor time that a process has used since it began, and the bytes of memory that it holds."""

    kind: str
    seconds: float
    memory: int


def _held() -> dict[psutil.Process, Held]:
    """Return it for each process of the platform, without those that end meanwhile, as PostgreSQL's helpers do."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            found[process] = Held(_kind(process), times.user + times.system, process.memory_full_info().pss)
    return found


def _kind(process: psutil.Process) -> str:
    """Return `orders worker` of `python -m services.orders worker`, and what else a process is called."""
    command = process.cmdline()
    service = next((word for word in command if word.startswith("services.")), "")
    if service:
        return " ".join([service.removeprefix("services."), *command[command.index(service) + 1 :][:1]])
    if "deploy.local.template" in command:
        return "template"
    return BROKER if BROKER in command else process.name()


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
