"""Killed at any write, the spool loses nothing that it has taken, and keeps the order of every subject."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import pytest

from contracts.client import Client, Spool, Topic
from tests.support.generated.thorough import THOROUGH, TURN
from tests.support.outside.lacking import cannot
from tests.support.platform import Platform, platform
from tests.support.running.killed import EVENTS, publishing, subject
from tests.support.workers.in_memory import MEMORY, has_room

ROOT = Path(__file__).parents[4]
ROOM = 2**27
EVERY = 1 if THOROUGH else 2
"""At which writes: one of so many, today those and tomorrow others."""
FIRST = 1 + TURN % EVERY


@pytest.fixture(scope="module")
def killer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = which("cc") or which("gcc")
    if compiler is None or sys.platform != "linux":
        cannot("needs a C compiler on Linux, to kill a process at every write")
    library = tmp_path_factory.mktemp("killer") / "killer.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, ROOT / "tests/support/running/killer.c", "-ldl"],
        check=True,
    )
    return library


@pytest.fixture
def home() -> Iterator[Path]:
    """Yield a folder in memory, if there is one: who is killed loses nothing that the kernel has, so nobody need wait for a disk."""
    with TemporaryDirectory(dir=MEMORY if has_room(room=ROOM) else None) as folder:
        yield Path(folder)


def drained(path: Path, server: Platform) -> None:
    with Spool(path) as spool:
        assert Client(spool, dict.fromkeys(Topic, server.address), lambda: "token").send()
        assert spool.waiting() == 0


def runs_of(scenario: str, killer: Path, home: Path, server: Platform) -> range:
    """Begin the program again and again, killed at a later write each time until it comes to its end; return the numbers of all runs."""
    command = [sys.executable, "-m", "tests.support.running.killed", scenario, str(home), server.address]
    command += [str(FIRST), str(EVERY)]
    done = subprocess.run(command, env={"LD_PRELOAD": str(killer)}, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    assert int(done.stdout) > 50, "hardly anything was written"
    return range(FIRST, int(done.stdout) + 1, EVERY)


@pytest.mark.timeout(600)
def test_killed_at_any_write_nothing_is_lost(killer: Path, home: Path) -> None:
    with platform() as server:
        for run in runs_of("adding", killer, home, server):
            drained(home / str(run) / "payback.spool", server)
            check(run, (home / str(run) / "told").read_text().split("\n"), server)


@pytest.mark.timeout(600)
def test_killed_at_any_write_a_file_is_sent_to_its_end(killer: Path, home: Path) -> None:
    with platform() as server:
        for run in runs_of("publishing", killer, home, server):
            publishing(home / str(run), run, server.address)
            receipts = [
                json.loads(line) for line in (home / str(run) / "payback.spool.receipts").read_bytes().splitlines()
            ]
            assert sorted(receipt["line"] for receipt in receipts) == [1, 2, 3, 4, 5, 6], "one receipt for each line"
            assert {receipt["line"] for receipt in receipts if "reason" in receipt} == {3, 6}
            kept = [event["id"] for event in server.kept if event["source"].endswith(f"/run-{run}")]
            assert list(dict.fromkeys(kept)) == [f"{run}-{index}" for index in range(4)]


def check(run: int, told: list[str], server: Platform) -> None:
    kept = [event for event in server.kept if event["source"] == f"/authorities/S12000005/systems/run-{run}"]
    first = {event["id"]: event for event in reversed(kept)}
    added = {line.removeprefix("added ") for line in told if line.startswith("added ")}
    assert added <= first.keys(), "what was taken was lost"
    assert len(first.keys() - added) <= 1, "more came than was handed over"
    for letter in (0, 1):
        ids = [event["id"] for event in kept if event["subject"] == subject(run, letter)]
        once = list(dict.fromkeys(ids))
        assert once == sorted(once), "the order of a subject was changed"
    numbers = {event["id"]: event["sequence"] for event in kept}
    assert all(event["sequence"] == numbers[event["id"]] for event in kept), "a number was given anew"
    assert sorted(numbers.values()) == list(range(1, len(numbers) + 1)), "a number is missing"
    assert len(numbers) <= EVENTS
