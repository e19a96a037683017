"""How much memory processes hold."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psutil

from services.chassis.api.policy import MIB

LOOK_SECONDS = 0.5
REST_SECONDS, IDLE_SHARE = 3.0, 0.1


class Memory:
    """The memory that a process, and those it started, hold: each at rest and at most since this was made, and all at one time."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self.resting = {each.pid: each.memory_info().rss for each in _family(process)}
        for pid in self.resting:
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # forgets the most that it had
        self.together = sum(self.resting.values())
        """The most that all held at one time, those too that were started later: as often as somebody looked."""

    def most(self, pid: int) -> int:
        """Return the most that one of those held which were there at first; the kernel notes it."""
        [found] = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found) * 1024

    def assert_bounded(self, bound: int, what: str) -> None:
        """Check that none held more than twice what it rests at, and the bound."""
        for pid, rested in self.resting.items():
            most = self.most(pid)
            assert most <= 2 * rested + bound, (
                f"{what}: {most / MIB:.0f} MiB, at rest {rested / MIB:.0f}, bound {bound / MIB:.0f}"
            )

    def look(self) -> None:
        """See how much all hold now; shared memory counts once for each."""
        held = 0
        for each in _family(self._process):
            try:
                held += each.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        self.together = max(self.together, held)

    @contextmanager
    def looking(self) -> Iterator[Self]:
        """Look again and again during the block."""
        stop = threading.Event()

        def go_on() -> None:
            while not stop.wait(LOOK_SECONDS):
                self.look()

        looking = threading.Thread(target=go_on, daemon=True)
        looking.start()
        try:
            yield self
        finally:
            stop.set()
            looking.join()


def is_at_rest(process: psutil.Process) -> bool:
    """Return whether the process and those it started did nothing for a while, and took no more; one that starts still grows, and one that
    waits for a busy machine still has work to do.
    """

    def taken() -> dict[int, tuple[int, float]]:
        return {each.pid: (each.memory_info().rss, sum(each.cpu_times()[:2])) for each in _family(process)}

    before = taken()
    time.sleep(REST_SECONDS)
    after = taken()
    return before.keys() == after.keys() and all(
        abs(after[pid][0] - memory) < MIB and after[pid][1] - worked < IDLE_SHARE * REST_SECONDS
        for pid, (memory, worked) in before.items()
    )


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
