"""Workers that die by SIGKILL in the middle of their work: nothing is lost, nothing is counted twice."""

import time
from random import Random

import pytest

from tests.support.load import Load
from tests.support.processes import WORKERS, Platform, until

pytestmark = [pytest.mark.faults, pytest.mark.long, pytest.mark.timeout(600)]

ROUNDS = 4
LONGEST_AFTER_PROGRESS = 0.6
"""Seconds. Within them a worker goes through some batches, so the moment may be anywhere in one."""


def kill_in_the_middle(platform: Platform, name: str, rng: Random) -> None:
    """Let it get on since its last start, then kill it at a random moment, and start another in its place."""
    service = name.removesuffix("-worker")
    before = platform.taken(service)
    until(lambda: platform.taken(service) > before, f"{name} gets on")
    time.sleep(rng.uniform(0, LONGEST_AFTER_PROGRESS))
    platform.kill(name)
    platform.spawn(name)


def test_workers_killed_under_load_lose_nothing_and_repeat_nothing(platform: Platform) -> None:
    rng = Random(20260301)
    load = Load(["S12000005", "S12000019", "S12000013"], months=6)
    victims = [name for _ in range(ROUNDS) for name in rng.sample(WORKERS, len(WORKERS))]
    *pieces, last = load.pieces(len(victims) + 1)
    left = []
    for name, piece in zip(victims, pieces, strict=True):
        load.post(platform, piece)
        kill_in_the_middle(platform, name, rng)
        left.append(load.left(platform))
    load.post(platform, last)
    load.wait_until_shown(platform)

    assert len(victims) >= 10
    assert sum(map(bool, left)) >= 6, f"events left at each kill: {left}; that is too little load to show anything"
    load.assert_counted(platform)
    load.assert_outcomes(platform)
    load.assert_once(platform)
    load.assert_reporting_equal(platform)
