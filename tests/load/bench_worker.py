"""How fast a worker takes a log into committed aggregates: `python -m tests.load.bench_worker [months]`.

On Apache Kafka and PostgreSQL, all on this machine, beside a stock Faust agent that does the same work with the same writes,
one message after the other.
"""

import os
import sys
import time
from collections import Counter
from datetime import date
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil

from deploy.local.postgres import create_database
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.bulk import BulkProducer
from services.chassis.streaming.kafka import Outgoing
from services.operations.topics import ensure, topic_specs
from services.simulate.nation import Simulation
from tests.load import stock_agent
from tests.support.parts import kafka_process, postgres_process
from tests.support.processes import Platform, until

MONTHS = 12
END = date(2026, 4, 1)
SERVICES = {"orders": ("orders",), "unpaid_work": ("orders", "unpaid-work")}
STOCK_SECONDS = 20.0
TARGET, TARGET_RATIO = 50_000, 10


class Rate(NamedTuple):
    """Events a second by the clock, and by the processor time of the worker alone."""

    clock: float
    processor: float


def main(months: int) -> int:
    """Prints the figures; 1 where a target is missed."""
    with TemporaryDirectory() as directory, kafka_process() as kafka, postgres_process(Path(directory)) as postgres:
        sent = _send(kafka.address, months)
        print(f"{sent.total():,} events of {months} months; load of the machine {os.getloadavg()[0]:.1f}")
        platform = Platform(Path(directory), kafka.address, create_database(postgres.url, "bench"))
        try:
            platform.prepare()
            rates = {service: _worker(platform, service, _expected(sent, service)) for service in SERVICES}
            platform.execute("DROP SCHEMA orders CASCADE")
            platform.prepare()
            stock = _stock(platform)
        finally:
            platform.close()
    for service, rate in rates.items():
        print(
            f"{service:<12} {rate.clock:>8,.0f} events/s ({rate.processor:,.0f} per second of its processor time), "
            f"{rate.clock / TARGET:.2f} times the target"
        )
    ratio = rates["orders"].clock / stock
    print(f"stock agent  {stock:>8,.0f} events/s with the writes of orders; the worker is {ratio:.0f} times as fast")
    return int(min(rate.clock for rate in rates.values()) < TARGET or ratio < TARGET_RATIO)


def _send(kafka: str, months: int) -> Counter[str]:
    """Events by kind of topic."""
    sent: Counter[str] = Counter()
    remaining = Simulation(1, months, END).deliveries()
    ensure(KafkaSettings(bootstrap=kafka), topic_specs())
    with BulkProducer(KafkaSettings(bootstrap=kafka)) as producer:
        while group := list(islice(remaining, 20_000)):
            producer.send_all(Outgoing(d.topic, d.key, d.value, d.arrived) for d in group)
            sent.update(d.topic.partition(".")[0] for d in group)
    return sent


def _expected(sent: Counter[str], service: str) -> int:
    return sum(sent[kind] for kind in SERVICES[service])


def _worker(platform: Platform, service: str, expected: int) -> Rate:
    """From the first commit to the last."""
    name = f"{service}-worker"
    platform.spawn(name)
    process = psutil.Process(platform.process(name).pid)
    until(lambda: platform.taken(service), "the first commit")
    first, began, used = platform.taken(service), time.monotonic(), _used(process)
    until(lambda: platform.taken(service) >= expected, "the last commit", 3600)
    seconds, processor = time.monotonic() - began, _used(process) - used
    memory = process.memory_info().rss / 1e6
    platform.stop(name)
    print(f"  {service}: {expected - first:,} events in {seconds:.1f} s, {memory:.0f} MB")
    return Rate((expected - first) / seconds, (expected - first) / processor)


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _stock(platform: Platform) -> float:
    """Events a second."""
    platform.add("stock", "orders-worker", sys.executable, "-m", stock_agent.__name__)
    platform.spawn("stock")
    until(lambda: platform.taken("orders") > 100, "the stock agent is at work")
    first, began = platform.taken("orders"), time.monotonic()
    time.sleep(STOCK_SECONDS)
    done = platform.taken("orders") - first
    platform.kill("stock")
    return done / (time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else MONTHS))
