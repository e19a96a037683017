"""Killed at any write of its state, its key and its spool, the connector loses nothing and says nothing twice."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tests.integration.contracts.client.test_killed import ROOT, home, killer
from tests.support.generated.thorough import THOROUGH, TURN
from tests.support.made.extracts import HEADINGS, order, text
from tests.support.platform import platform
from tests.support.running.killed_connect import FIRST, SECOND, import_all

__all__ = ["home", "killer"]

SAID = [
    ("A1", "contact.made.v1"), ("A1", "order.imposed.v1"), ("A2", "contact.made.v1"), ("A2", "fact.withdrawn.v1"),
    ("A2", "fact.withdrawn.v1"), ("A2", "order.imposed.v1"), ("A3", "contact.made.v1"), ("A3", "order.imposed.v1"),
    ("A1", "order.imposed.v1"),
]  # fmt: skip
"""What two mornings say, however often they begin anew."""


EVERY = int(os.environ.get("PAYBACK_TEST_KILL_EVERY", "1" if THOROUGH else "6"))
"""At which writes: one of so many, today those and tomorrow others; 1 for each of them."""
AT_FIRST = 1 + TURN % EVERY


@pytest.mark.long
@pytest.mark.timeout(900)
def test_killed_at_any_write_nothing_is_lost_and_nothing_said_twice(killer: Path, home: Path) -> None:
    text(home / FIRST, [HEADINGS, order("A1"), order("A2")])
    text(
        home / SECOND,
        [HEADINGS, order("A1", Hours=80), order("A3", Date_of_order=date(2026, 3, 2), First_contact=date(2026, 3, 3))],
    )
    with platform() as server:
        command = [
            sys.executable,
            "-m",
            "tests.support.running.killed_connect",
            str(home),
            server.address,
            str(AT_FIRST),
            str(EVERY),
        ]
        done = subprocess.run(command, env={"LD_PRELOAD": str(killer)}, cwd=ROOT, stdout=subprocess.PIPE, check=True)
        runs = int(done.stdout)
        assert runs > 60, "hardly anything was written"
        for number in range(AT_FIRST, runs + 1, EVERY):
            import_all(home / str(number), number, server.address)
            kept = [event for event in server.kept if event["source"].endswith(f"/run-{number}")]
            once = {event["id"]: event for event in kept}
            said = [
                (event["subject"], event["type"].split(".", 2)[2]) for event in once.values() if event["subject"] != "-"
            ]
            assert sorted(said) == sorted(SAID), f"killed at write {number}"
            assert sorted(event["sequence"] for event in once.values()) == list(range(1, len(once) + 1))
            people = {event["data"]["person_ref"] for event in once.values() if "person_ref" in event["data"]}
            assert len(people) == 1, "the key was made anew"
