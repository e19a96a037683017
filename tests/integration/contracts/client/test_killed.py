"""Killed at every write, the spool loses nothing that it has taken, and keeps the order of every subject."""

import json
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

from contracts.client import Client, Spool, Topic
from tests.support.outside.lacking import cannot
from tests.support.platform import Platform, platform
from tests.support.running.killed import EVENTS, publishing, subject

ROOT = Path(__file__).parents[4]


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


def drained(path: Path, server: Platform) -> None:
    with Spool(path) as spool:
        assert Client(spool, dict.fromkeys(Topic, server.address), lambda: "token").send()
        assert spool.waiting() == 0


def killed_at_every_write(scenario: str, killer: Path, home: Path, server: Platform) -> int:
    """Kill the program at every write, and return how many times it had to be begun."""
    command = [sys.executable, "-m", "tests.support.running.killed", scenario, str(home), server.address]
    done = subprocess.run(command, env={"LD_PRELOAD": str(killer)}, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return int(done.stdout)


@pytest.mark.timeout(600)
def test_killed_at_every_write_nothing_is_lost(killer: Path, tmp_path: Path) -> None:
    with platform() as server:
        runs = killed_at_every_write("adding", killer, tmp_path, server)
        print(f"killed {runs - 1} times")
        assert runs > 50, "hardly anything was written"
        for run in range(1, runs + 1):
            drained(tmp_path / str(run) / "payback.spool", server)
            check(run, (tmp_path / str(run) / "told").read_text().split("\n"), server)


@pytest.mark.timeout(600)
def test_killed_at_every_write_a_file_is_sent_to_its_end(killer: Path, tmp_path: Path) -> None:
    with platform() as server:
        runs = killed_at_every_write("publishing", killer, tmp_path, server)
        print(f"killed {runs - 1} times")
        assert runs > 50, "hardly anything was written"
        for run in range(1, runs + 1):
            home = tmp_path / str(run)
            publishing(home, run, server.address)
            receipts = [json.loads(line) for line in (home / "payback.spool.receipts").read_bytes().splitlines()]
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
