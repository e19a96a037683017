"""Work in several processes: whatever ends it, here or in one of them, ends all of them. Run by real processes."""

import os
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any
from unittest.mock import Mock, patch

import pytest

from services.chassis.database import engine
from services.chassis.failures import Away
from services.chassis.settings import DatabaseSettings, KafkaSettings
from services.chassis.streaming.batches import Bounds, SourceIdentity, TopicPartition
from services.operations.proof import proving
from services.operations.proof.proving import Prover, prove_each
from services.records.upkeep.filling import Stretch
from services.records.upkeep.loading import WORTH_A_PROCESS, Loading, Target, load
from services.records.upkeep.side_by_side import planned
from tests.support.children import child
from tests.support.sharing import FAULTS, break_off, fail, share, wait

PATIENCE_SECONDS = 60
"""How long nothing may be said before a test fails."""

SETTINGS = DatabaseSettings(url="postgresql://nobody@nowhere/nothing", schema_name="orders")
KAFKA = KafkaSettings(bootstrap="nowhere")


def _load() -> None:
    sources = [TopicPartition(f"orders.events.S1200000{number}", 0) for number in (5, 6)]
    stretches = [Stretch({one: SourceIdentity("cluster", "id")}, {one: Bounds(0, WORTH_A_PROCESS)}) for one in sources]
    load(Target(SETTINGS, KAFKA), Mock(), Loading(2, wait), stretches, lambda *_: None)


def _prove() -> None:
    sizes = Counter(dict.fromkeys(("S12000005", "S12000006"), proving.WORTH_A_PROCESS))
    prover = Prover(KAFKA, {"orders": (engine(SETTINGS), Mock())})
    with patch.object(proving, "_sizes", lambda _: sizes), patch.object(Prover, "authorities", lambda _: list(sizes)):
        list(prove_each(prover, Loading(2, wait)))


class Run:
    """A process that shares work, and what it and the others say. It leads a group, as a command does in a terminal."""

    def __init__(self, does: Callable[..., None], *pieces: str) -> None:
        code = f"from {does.__module__} import {does.__name__} as does; does(*{pieces!r})"
        command = [sys.executable, "-c", code]
        self.process = child(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def said(self, lines: int) -> list[str]:
        """Return so many lines, once they have come."""
        found = b""
        while found.count(b"\n") < lines:
            found += self._read(self.process.stdout)
        return sorted(found.decode().splitlines())

    def rest(self) -> str:
        """Return what else they say until all of them have ended."""
        return self._all(self.process.stdout)

    def complaints(self) -> str:
        """Return what came on the other stream, after all have ended."""
        return self._all(self.process.stderr)

    def _all(self, stream: Any) -> str:
        return b"".join(iter(lambda: self._read(stream), b"")).decode()

    def _read(self, stream: Any) -> bytes:
        ready, _, _ = select.select([stream], [], [], PATIENCE_SECONDS)
        assert ready, "somebody still waits"
        return os.read(stream.fileno(), 4096)


@pytest.fixture
def run() -> Iterator[Callable[..., Run]]:
    """Yield what starts a process, and end whatever it leaves behind."""
    begun: list[Run] = []

    def begin(*does: Any) -> Run:
        begun.append(Run(*does))
        return begun[-1]

    yield begin
    for one in begun:
        with suppress(ProcessLookupError):
            os.killpg(one.process.pid, signal.SIGKILL)
        one.process.communicate()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nobody_outlives_who_waits_for_them(run: Callable[..., Run], how: signal.Signals) -> None:
    """One process works and one has nothing to do. Ctrl-C in a terminal comes to all of them."""
    one = run(share, "wait", "done")
    assert one.said(2) == ["done", "waits"]
    if how is signal.SIGINT:
        os.killpg(one.process.pid, how)
    else:
        one.process.send_signal(how)
    assert one.rest() in {"", "closed\n"}, "who has nothing to do may see it in time to close what it opened"
    assert one.process.wait(PATIENCE_SECONDS) == -how
    assert one.complaints().count("Traceback") == (how is signal.SIGINT), "who waits says it, and nobody else"


@pytest.mark.parametrize("does", [_load, _prove])
def test_it_is_so_in_a_rebuild_and_in_its_proof(run: Callable[..., Run], does: Callable[[], None]) -> None:
    one = run(does)
    assert one.said(2) == ["waits", "waits"]
    one.process.kill()
    assert one.rest() == ""


def test_a_fault_of_one_is_the_fault_of_all_and_ends_the_others(run: Callable[..., Run]) -> None:
    one = run(fail, *FAULTS, "die")
    assert [said for said in one.rest().splitlines() if said != "waits"] == [
        *(f"{type(fault).__name__}: {fault}" for fault in FAULTS.values()),
        f"{Away.__name__}: one of the processes was killed, perhaps for want of memory",
        "Refused: no calendar",
    ]
    assert one.process.wait(PATIENCE_SECONDS) == 0


def test_who_breaks_it_off_waits_for_nobody(run: Callable[..., Run]) -> None:
    one = run(break_off)
    assert [said for said in one.rest().split("\n") if said != "waits"] == ["broken off", ""]


def test_what_is_done_is_closed_and_only_who_waits_hears_ctrl_c(run: Callable[..., Run]) -> None:
    said = run(share, *"abc", "interrupted").rest().split()
    assert sorted(set(said)) == ["a", "b", "c", "closed", "interrupted"]
    assert said[-1] == "closed"


@pytest.mark.parametrize(
    ("sizes", "most", "processes"),
    [([], 4, 0), ([9], 4, 0), ([10], 4, 1), ([15, 25], 4, 2), ([25, 15, 10, 10], 4, 4), ([25, 15, 10, 10], 2, 2)],
)
def test_there_are_no_more_processes_than_work(sizes: Sequence[int], most: int, processes: int) -> None:
    assert planned(sizes, int, most, 10) == (sorted(sizes, reverse=True), processes)
