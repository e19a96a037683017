"""How much later others are visible while one authority sends a hundred times its rate: `python -m tests.load.bench_shares [rounds]`.

From the POST of one event to its effect in the reporting API, on Apache Kafka and PostgreSQL, all on this machine. Quiet and loud turns
follow one another in one run, so that whatever else the machine does falls on both; only others than the loud one are measured.
"""

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread

from contracts.topics import authority_of, kind_of_topic
from deploy.local.postgres import create_database
from services.simulate.nation import Simulation
from services.simulate.telling.sending import Delivery
from tests.load.bench_latency import Watch, paced, post
from tests.support.parts import kafka_process, postgres_process
from tests.support.processes import Platform, running_platform

LOUD = "S12000049"
"""The largest, a ninth of the nation."""
PER_SECOND = 16
"""Events of all others together: a thousand times what there are."""
TIMES = 100
LOUD_PER_SECOND = TIMES * PER_SECOND // 8
SECONDS = 10
ROUNDS = 3
TARGET = 1.2
LINES = "application/x-ndjson"


def main(rounds: int) -> int:
    """Print both medians and their ratio. Returns 1 where the target is missed."""
    with TemporaryDirectory() as directory, kafka_process() as kafka, postgres_process(Path(directory)) as postgres:
        database = create_database(postgres.url, "bench")
        with running_platform(Path(directory), kafka.address, database) as platform:
            quiet, loud = _measure(platform, rounds)
    ratio = median(loud) / median(quiet)
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name, taken in (("quiet", quiet), (f"one at {LOUD_PER_SECOND} events/s, {TIMES} times its rate", loud)):
        print(f"{name}: {len(taken)} events of others, p50 {median(taken):.2f} s, p90 {_p90(taken):.2f} s")
    print(f"others are {ratio:.2f} times as late; p90 {_p90(loud) / _p90(quiet):.2f} times; the target is {TARGET}")
    return int(ratio > TARGET)


def _p90(taken: list[float]) -> float:
    return sorted(taken)[len(taken) * 9 // 10]


def _measure(platform: Platform, rounds: int) -> tuple[list[float], list[float]]:
    deliveries = list(Simulation(1, 2, date(2026, 4, 1)).deliveries())
    others = (one for one in deliveries if authority_of(one.topic) != LOUD)
    own = (one for one in deliveries if authority_of(one.topic) == LOUD and kind_of_topic(one.topic) == "orders.events")
    quiet: list[float] = []
    loud: list[float] = []
    _turn(platform, islice(others, PER_SECOND * 5))  # the first requests wait for what later ones find ready
    for _ in range(rounds):
        quiet += _turn(platform, islice(others, PER_SECOND * SECONDS))
        lines = b"\n".join(one.value for one in islice(own, LOUD_PER_SECOND))
        flood = Thread(target=_flood, args=(platform, lines))
        flood.start()
        loud += _turn(platform, islice(others, PER_SECOND * SECONDS))
        flood.join()
    return quiet, loud


def _flood(platform: Platform, lines: bytes) -> None:
    began = time.monotonic()
    for second in range(SECONDS):
        time.sleep(max(0.0, began + second - time.monotonic()))
        platform.post("orders", LOUD, lines, LINES)


def _turn(platform: Platform, deliveries: Iterator[Delivery]) -> list[float]:
    """Return how long each event took to be visible."""
    watch = Watch(platform)
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(post, platform, each) for each in paced(deliveries, PER_SECOND)]
    posted = [one for one in (each.result() for each in sent) if one]
    platform.wait_until_shown({source: offset for _, source, offset in posted})
    time.sleep(0.1)
    watch.end()
    return [watch.shown_at(source, offset) - began for began, source, offset in posted]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
