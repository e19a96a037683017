"""Measure how many interleavings of engine and publisher are tried in a minute, on all cores: python -m tests.load.bench_interleavings."""

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.support.simulation.interleavings import CROWDED, MIXED, first_wrong
from tests.support.simulation.node import Build

TARGET = 100_000
SECONDS = 20.0
PIECE = 500
PROFILES = {"mixed": MIXED, "crowded": CROWDED}
"""By name, since what a profile consists of cannot be sent to another process."""


def tried(profile: str, first: int) -> tuple[int, list[str]] | None:
    """Return the first of one piece of seeds that breaks a promise."""
    return first_wrong(range(first, first + PIECE), Build(), PROFILES[profile])


def rate(pool: ProcessPoolExecutor, profile: str, first: int) -> float:
    """Return interleavings a minute. Fails where one is wrong."""
    began, done = time.monotonic(), 0
    while time.monotonic() - began < SECONDS:
        cores = os.cpu_count() or 1
        pieces = [first + done + PIECE * number for number in range(4 * cores)]
        for wrong in pool.map(partial(tried, profile), pieces):
            assert wrong is None, wrong
        done += PIECE * len(pieces)
    return done / (time.monotonic() - began) * 60


def main(first: int = 0) -> int:
    with ProcessPoolExecutor() as pool:
        mixed, crowded = (rate(pool, profile, first) for profile in PROFILES)
    reached = mixed >= TARGET
    sys.stdout.write(
        f"mixed    {mixed:10,.0f} interleavings a minute, target {TARGET:,}: {'reached' if reached else 'missed'}\n"
    )
    sys.stdout.write(f"crowded  {crowded:10,.0f}, which are three times as long\n")
    return not reached


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
