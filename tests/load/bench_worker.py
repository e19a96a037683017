"""Measure what it costs a worker to take a log into committed aggregates: `python -m tests.load.bench_worker --help`.

The worker runs on Apache Kafka and PostgreSQL, which writes to disk as in production, all on this machine. Processor time is told
for each of worker, PostgreSQL and broker, since other work on the machine hardly changes it, and checksums of the results, by which
two versions of the code show that they make the same of a log. Then a stock Faust agent does the same work with the same writes,
one message after the other.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import psutil
import typer

from deploy.local.postgres import QUICK, Postgres, create_database
from services.chassis.settings import KafkaSettings
from services.chassis.streaming.clients.bulk import BulkProducer
from services.chassis.streaming.clients.outgoing import Outgoing
from services.operations.topics import ensure, topic_specs
from services.simulate.nation import Simulation
from services.simulate.telling.sending import Delivery
from tests.load import stock_agent
from tests.support.parts import kafka_process
from tests.support.processes import Platform, until
from tests.support.running.meter import Meter, Spent

END = date(2026, 4, 1)
SERVICES = {"orders": ("orders",), "unpaid_work": ("orders", "unpaid-work")}
STOCK_SECONDS = 20.0
TARGET, TARGET_RATIO = 25_000, 10
"""Events a second of one process, and how many times the stock agent's."""
DURABLE = {"max_connections": "200", "shared_buffers": QUICK["shared_buffers"], "max_wal_size": QUICK["max_wal_size"]}


class Cost(NamedTuple):
    """Of a service's log: from when a worker knows where to read to the last commit, and from there until all was published."""

    events: int
    seconds: float
    taking: Spent
    publishing: Spent

    def tell(self, service: str, rows: float) -> None:
        """Print microseconds of processor time an event."""
        each = {name: 1e6 * used / self.events for name, used in self.taking._asdict().items()}
        later = 1e6 * sum(self.publishing[:3]) / self.events
        print(
            f"{service:<12} {self.events:,} events in {self.seconds:.1f} s, {self.events / self.seconds:,.0f} a second; "
            f"µs an event: worker {each['worker']:.1f}, PostgreSQL {each['postgres']:.1f}, broker {each['broker']:.1f}, "
            f"publishing afterwards {later:.1f}; {rows:.2f} rows and {self.taking.wal / self.events:,.0f} bytes of WAL an event"
        )


def main(
    months: Annotated[int, typer.Option(help="Of the pretend nation.")] = 12,
    service: Annotated[list[str] | None, typer.Option(help="Only these.")] = None,
    workers: Annotated[int, typer.Option(help="Processes that share the authorities.")] = 1,
    stock: Annotated[bool, typer.Option(help="Compare with a stock agent.")] = True,
) -> None:
    """Print the figures. Returns 1 where a target is missed."""
    with stack() as (platform, meter):
        sent = send(platform.kafka, months)
        print(f"{sent.total():,} events of {months} months; load of the machine {os.getloadavg()[0]:.1f}")
        rates = {name: measure(platform, meter, name, workers, sent) for name in service or SERVICES}
        missed = min(rates.values()) < TARGET * workers
        if stock:
            missed |= _compare(platform, rates["orders"])
    sys.exit(missed)


@contextmanager
def stack() -> Iterator[tuple[Platform, Meter]]:
    """Kafka, PostgreSQL with tables, and what measures them."""
    with TemporaryDirectory() as directory, kafka_process() as kafka:
        postgres = Postgres(Path(directory), options=DURABLE)
        postgres.start()
        try:
            database = create_database(postgres.url, "bench")
            platform = Platform(Path(directory), kafka.address, database)
            broker = next(one for one in psutil.Process().children() if one.name() == "java")
            meter = Meter(database, broker)
            ensure(KafkaSettings(bootstrap=kafka.address), topic_specs(simulated=True))
            platform.prepare()
            try:
                yield platform, meter
            finally:
                platform.close()
                meter.close()
        finally:
            postgres.remove()


def send(kafka: str, months: int) -> Counter[str]:
    """Send the log, and return the number of events by kind of topic."""
    return send_all(kafka, Simulation(1, months, END).deliveries())


def send_all(kafka: str, deliveries: Iterable[Delivery]) -> Counter[str]:
    """Send these, and return the number of events by kind of topic."""
    sent: Counter[str] = Counter()
    remaining = iter(deliveries)
    with BulkProducer(KafkaSettings(bootstrap=kafka)) as producer:
        while group := list(islice(remaining, 20_000)):
            producer.send_all(Outgoing(d.topic, d.key, d.value, d.arrived) for d in group)
            sent.update(d.topic.partition(".")[0] for d in group)
    return sent


def measure(platform: Platform, meter: Meter, service: str, workers: int, sent: Counter[str]) -> float:
    """Return events a second."""
    names = [f"{service}-worker", *(f"{service}-worker-{number}" for number in range(2, workers + 1))]
    for name in names[1:]:
        platform.add(name, names[0])
    cost = _take(platform, meter, service, names, sum(sent[kind] for kind in SERVICES[service]))
    memory = max(psutil.Process(platform.process(name).pid).memory_info().rss for name in names)
    platform.stop(*names)
    cost.tell(service, meter.rows(service) / cost.events)
    print(
        f"  {memory / 1e6:.0f} MB; {' '.join(f'{what} {sum_}' for what, sum_ in meter.came(service).items())}",
        flush=True,
    )
    return cost.events / cost.seconds


def _take(platform: Platform, meter: Meter, service: str, names: list[str], expected: int) -> Cost:
    platform.spawn(*names)
    processes = [psutil.Process(platform.process(name).pid) for name in names]
    until(lambda: meter.begun(service), "it has asked where to read")
    first, began, spent = meter.taken(service), time.monotonic(), meter.spent(*processes)
    until(lambda: meter.taken(service) >= expected, "the last commit", 3600)
    seconds, taken = time.monotonic() - began, meter.spent(*processes)
    until(lambda: not meter.unpublished(service), "all is published", 3600)
    return Cost(expected - first, seconds, taken.since(spent), meter.spent(*processes).since(taken))


def _compare(platform: Platform, rate: float) -> bool:
    """Return whether the worker is less than so many times as fast as a stock agent."""
    platform.execute("DROP SCHEMA orders CASCADE")
    platform.prepare()
    ratio = rate / (stock := _stock(platform))
    print(
        f"stock agent  {stock:,.0f} events a second with the writes of orders; the worker is {ratio:.0f} times as fast"
    )
    return ratio < TARGET_RATIO


def _stock(platform: Platform) -> float:
    """Return the events a second of a stock agent."""
    platform.add("stock", "orders-worker", sys.executable, "-m", stock_agent.__name__)
    platform.spawn("stock")
    until(lambda: platform.taken("orders") > 100, "the stock agent is at work")
    first, began = platform.taken("orders"), time.monotonic()
    time.sleep(STOCK_SECONDS)
    done = platform.taken("orders") - first
    platform.kill("stock")
    return done / (time.monotonic() - began)


if __name__ == "__main__":
    typer.run(main)
