"""Killed at any write of its state, its key and its spool, the connector loses nothing and says nothing twice."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tests.integration.contracts.client.test_killed import ROOT, killer
from tests.support.made.extracts import HEADINGS, order, text
from tests.support.platform import platform
from tests.support.running.killed_connect import FIRST, SECOND, import_all

__all__ = ["killer"]

SAID = [
    ("A1", "contact.made.v1"), ("A1", "order.imposed.v1"), ("A2", "contact.made.v1"), ("A2", "fact.withdrawn.v1"),
    ("A2", "fact.withdrawn.v1"), ("A2", "order.imposed.v1"), ("A3", "contact.made.v1"), ("A3", "order.imposed.v1"),
    ("A1", "order.imposed.v1"),
]  # fmt: skip
"""What two mornings say, however often they begin anew."""


EVERY = int(os.environ.get("PAYBACK_TEST_KILL_EVERY", "4"))
"""At which writes: 1 for each of them, which takes minutes."""


@pytest.mark.long
@pytest.mark.timeout(900)
def test_killed_at_any_write_nothing_is_lost_and_nothing_said_twice(killer: Path, tmp_path: Path) -> None:
    text(tmp_path / FIRST, [HEADINGS, order("A1"), order("A2")])
    text(
        tmp_path / SECOND,
        [HEADINGS, order("A1", Hours=80), order("A3", Date_of_order=date(2026, 3, 2), First_contact=date(2026, 3, 3))],
    )
    with platform() as server:
        command = [
            sys.executable,
            "-m",
            "tests.support.running.killed_connect",
            str(tmp_path),
            server.address,
            str(EVERY),
        ]
        done = subprocess.run(command, env={"LD_PRELOAD": str(killer)}, cwd=ROOT, stdout=subprocess.PIPE, check=True)
        runs = int(done.stdout)
        print(f"killed {runs // EVERY} times")
        assert runs > 60, "hardly anything was written"
        for number in range(1, runs + 1, EVERY):
            import_all(tmp_path / str(number), number, server.address)
            kept = [event for event in server.kept if event["source"].endswith(f"/run-{number}")]
            once = {event["id"]: event for event in kept}
            said = [
                (event["subject"], event["type"].split(".", 2)[2]) for event in once.values() if event["subject"] != "-"
            ]
            assert sorted(said) == sorted(SAID), f"killed at write {number}"
            assert sorted(event["sequence"] for event in once.values()) == list(range(1, len(once) + 1))
            people = {event["data"]["person_ref"] for event in once.values() if "person_ref" in event["data"]}
            assert len(people) == 1, "the key was made anew"
