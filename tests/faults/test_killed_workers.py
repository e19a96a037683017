"""Workers that die by SIGKILL in the middle of their work: nothing is lost, nothing is counted twice."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from services.simulate.telling.sending import Delivery
from tests.support.generated.thorough import THOROUGH, TURN
from tests.support.made.load import Load
from tests.support.processes import WORKERS, Platform, until

pytestmark = [pytest.mark.faults, pytest.mark.long, pytest.mark.timeout(600)]

ROUNDS = 4 if THOROUGH else 1
"""In each of them every worker is killed once, in another order and at other moments tomorrow."""
LONGEST_AFTER_PROGRESS = 0.3
"""Seconds. Within them a worker goes through some batches, so the moment may be anywhere in one."""


def kill_in_the_middle(platform: Platform, name: str, load: Load, piece: Sequence[Delivery], rng: Random) -> None:
    """Hand a piece over, and meanwhile kill the worker at a random moment after it got on; start another in its place.

    Workers are faster than who hands over, and so its progress counts from before: once all is over, none may come.
    """
    service = name.removesuffix("-worker")
    before = platform.taken(service)
    with ThreadPoolExecutor(max_workers=1) as hand:
        posting = hand.submit(load.post, platform, piece)
        until(lambda: platform.taken(service) > before, f"{name} gets on")
        time.sleep(rng.uniform(0, LONGEST_AFTER_PROGRESS))
        platform.kill(name)
        platform.spawn(name)
        posting.result()


def test_workers_killed_under_load_lose_nothing_and_repeat_nothing(platform: Platform) -> None:
    rng = Random(TURN)
    load = Load(["S12000005", "S12000019", "S12000013"], months=1 + ROUNDS)
    victims = [name for _ in range(ROUNDS) for name in rng.sample(WORKERS, len(WORKERS))]
    *pieces, last = load.pieces(len(victims) + 1)
    left = []
    for name, piece in zip(victims, pieces, strict=True):
        kill_in_the_middle(platform, name, load, piece, rng)
        left.append(load.left(platform))
    load.post(platform, last)
    load.wait_until_shown(platform)

    assert sum(map(bool, left)) >= len(victims) // 2, (
        f"events left at each kill: {left}; that is too little load to show anything"
    )
    load.assert_counted(platform)
    load.assert_outcomes(platform)
    load.assert_once(platform)
    load.assert_reporting_equal(platform)
