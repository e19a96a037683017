"""From the POST of one event to its effect in the reporting API: `python -m tests.load.bench_latency [seconds]`.

One event a request, 100 requests a second over all authorities, on Apache Kafka and PostgreSQL, everything on this machine.
"""

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

from contracts.topics import authority_of, kind_of_topic
from deploy.local.postgres import create_database
from services.simulate.nation import Simulation
from services.simulate.telling.sending import Delivery
from tests.support.parts import kafka_process, postgres_process
from tests.support.processes import Platform, running_platform

PER_SECOND = 100
SECONDS = 30
WARM_SECONDS = 5
TARGET_P50, TARGET_P99 = 0.3, 1.0
ONE = "application/cloudevents+json"


class Watch:
    """Asks reporting all the time how far it shows each source, and notes when."""

    def __init__(self, platform: Platform) -> None:
        self._platform, self._stop = platform, Event()
        self._seen: list[tuple[float, dict[str, int]]] = []
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            shown = self._platform.positions()
            self._seen.append((time.monotonic(), shown))

    def shown_at(self, source: str, offset: int) -> float:
        """Return when reporting first showed it, to the time between two looks; infinite if it has not."""
        return next((when for when, shown in self._seen if shown.get(source, -1) >= offset), float("inf"))

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


def main(seconds: int) -> int:
    """Print p50 and p99. Returns 1 where a target is missed."""
    with TemporaryDirectory() as directory, kafka_process() as kafka, postgres_process(Path(directory)) as postgres:
        database = create_database(postgres.url, "bench")
        with running_platform(Path(directory), kafka.address, database) as platform:
            taken = sorted(_measure(platform, seconds))
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    print(
        f"{len(taken)} events at {PER_SECOND}/s; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    print(f"p50 {p50:.2f} s, {p50 / TARGET_P50:.2f} times the target")
    print(f"p99 {p99:.2f} s, {p99 / TARGET_P99:.2f} times the target")
    return int(p50 > TARGET_P50 or p99 > TARGET_P99)


def _measure(platform: Platform, seconds: int) -> Iterator[float]:
    deliveries = Simulation(1, 1, date(2026, 4, 1)).deliveries()
    watch = Watch(platform)
    with ThreadPoolExecutor(8) as pool:
        sent = [
            pool.submit(post, platform, delivery)
            for delivery in paced(islice(deliveries, PER_SECOND * (WARM_SECONDS + seconds)))
        ]
        posted = [one.result() for one in sent][PER_SECOND * WARM_SECONDS :]
    platform.wait_until_shown({source: offset for _, source, offset in filter(None, posted)})
    time.sleep(0.1)
    watch.end()
    for one in filter(None, posted):
        began, source, offset = one
        yield watch.shown_at(source, offset) - began


def paced(deliveries: Iterator[Delivery], per_second: int = PER_SECOND) -> Iterator[Delivery]:
    began = time.monotonic()
    for number, delivery in enumerate(deliveries):
        time.sleep(max(0.0, began + number / per_second - time.monotonic()))
        yield delivery


def post(platform: Platform, delivery: Delivery) -> tuple[float, str, int] | None:
    """Return when the event was handed over, and where it stands; None where it was refused, as some are."""
    service = "orders" if kind_of_topic(delivery.topic) == "orders.events" else "unpaid_work"
    began = time.monotonic()
    answer = platform.post(service, authority_of(delivery.topic), delivery.value, ONE)
    if answer.status_code != 202:
        return None
    receipt = answer.json()["receipts"][0]
    return began, f"{receipt['topic']}/{receipt['partition']}", receipt["offset"]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
