"""How fast managers' lists are with ten years of Glasgow: `python -m tests.load.bench_orders`. Target: 50 ms at p99.

Each service's own API process on one PostgreSQL, asked over one kept connection, one request after the other.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from importlib.resources import files
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, urlencode

import psutil

from contracts.periods import add_months
from deploy.local.process import answers, free_ports, spawn, stop, wait_until
from services.chassis.clock import system_clock
from services.chassis.migrations import migrate
from services.chassis.streaming.batches import Slice, rest_of
from services.simulate.nation import Simulation
from services.simulate.telling.sending import Delivery
from tests.integration.records.conftest import Bench
from tests.support.desk import keys, token
from tests.support.parts import postgres_process
from tests.support.scenario import Sent

GLASGOW = "S12000049"
MONTHS = 120
END = system_clock().date().replace(day=1)
LAST = add_months(END, -1)
YEAR = f"{END.year - 2}-{(END.year - 1) % 100:02}"
"""A reporting year that is over."""
REQUESTS = 400
FEW_REQUESTS = 20
"""Of what looks at many records at once."""
LONG = ("explain", "returns")
TARGET_MS = 50.0
AIMED = ("orders", "worklist", "ledgers")
"""What the target is for. The others are told, so that nobody has to guess."""

Ask = tuple[str, dict[str, object]]


def _asked(path: str, **parameters: object) -> Ask:
    return path, parameters


MISSED = ("any", "first_contact", "case_meeting", "plan", "officer", "review", "breach", "transfer")
ASKED: dict[str, list[Ask]] = {
    "orders": [
        ("orders", {}),
        ("orders", {"open": "true"}),
        ("orders", {"open": "false"}),
        *(_asked("orders", missed=missed) for missed in MISSED),
        *(_asked("orders", missed=missed, open="true") for missed in ("any", "first_contact", "transfer")),
        ("orders", {"due_within": 5}),
        ("orders", {"due_within": 250, "missed": "plan"}),
        ("worklist", {"within": 5}),
        ("worklist", {"within": 250}),
        ("findings", {}),
        ("findings", {"rule": "end_before_imposition"}),
        ("held", {}),
        ("rejections", {}),
        ("standards", {}),
        ("explain", {"measure": "orders_imposed", "period": f"{LAST:%Y-%m}"}),
        ("explain", {"measure": "persons_opened", "period": f"{LAST:%Y-%m}"}),
        ("returns/whole", {"year": YEAR}),
    ],
    "unpaid_work": [
        *(_asked("orders", missed=missed) for missed in ("any", "induction", "placement", "completion")),
        ("orders", {"caseload": "nobody"}),
        ("worklist", {"within": 5}),
        ("worklist", {"within": 250}),
        ("findings", {}),
        ("findings", {"rule": "credit_above_ordered"}),
        ("held", {}),
        ("rejections", {}),
        ("standards", {}),
        ("explain", {"measure": "minutes_credited", "period": f"{LAST:%Y-%m}"}),
        ("explain", {"measure": "placement", "period": f"{LAST:%Y-%m}", "category": "band=within_7"}),
        ("returns/whole", {"year": YEAR}),
    ],
}
ONE = {"orders": ("orders", "orders"), "unpaid_work": ("worklist", "ledgers")}
"""The list from which single ones are taken, and where one is asked for."""
ROWS = {"orders": "orders", "worklist": "items", "findings": "findings", "rejections": "rejections"}


def main() -> int:
    """Print p50 and p99 of each list. Returns 1 when one that has a target is over it."""
    with TemporaryDirectory() as directory, postgres_process(Path(directory)) as server:
        history = list(Simulation(1, MONTHS, END, [GLASGOW]).deliveries())
        return max([_measure(server.url, service, history, Path(directory)) for service in ASKED])


def filled(url: str, service: str, history: list[Delivery]) -> int:
    """Have a service take its part of a history; how many events that was."""
    migrate(url, service, Path(str(files(f"services.{service}"))) / "migrations")
    bench = Bench(url, service)
    try:
        return _feed(bench, history)
    finally:
        bench.database.dispose()


def _measure(url: str, service: str, history: list[Delivery], directory: Path) -> int:
    started = time.perf_counter()
    events = filled(url, service, history)
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(
        f"{service}: {events} events of {MONTHS} months in {time.perf_counter() - started:.0f} s; target {TARGET_MS:.0f} ms at p99"
    )
    with api(url, service, directory) as port:
        asked = Manager(port)
        worst = max(_time_list(asked, path, parameters) for path, parameters in ASKED[service])
        return int(max(worst, _time_single(asked, *ONE[service])) > TARGET_MS)


@contextmanager
def api(url: str, service: str, directory: Path) -> Iterator[int]:
    """Yield the port of the real process. Lists ask nothing of Kafka, so there is none."""
    settings = {
        "PAYBACK_DATABASE_URL": url,
        "PAYBACK_DATABASE_SCHEMA_NAME": service,
        "PAYBACK_HTTP_REQUESTS_PER_MINUTE": "1000000",
        "PAYBACK_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    }
    with process(service, settings, directory) as port:
        yield port


@contextmanager
def process(service: str, settings: Mapping[str, str], directory: Path) -> Iterator[int]:
    """Yield the port of a service's API with these settings, once it is ready."""
    port, metrics = free_ports(2)
    log = directory / f"{service}.log"
    own = {
        "PAYBACK_TOKENS_PUBLIC_KEY": keys().public,
        "PAYBACK_HTTP_PORT": str(port),
        "PAYBACK_METRICS_PORT": str(metrics),
    }
    started = spawn(
        [sys.executable, "-m", f"services.{service}", "api"], log, environment={**os.environ, **own, **settings}
    )
    try:
        wait_until(lambda: answers(port), service, started, log, seconds=120)
        yield port
    finally:
        stop(started)


class Manager:
    """One authority's manager, on one kept connection."""

    def __init__(self, port: int) -> None:
        self._line = HTTPConnection("127.0.0.1", port)
        self._headers = token(GLASGOW, "orders:read")

    def get(self, path: str, **parameters: object) -> bytes:
        """Return the body of the answer. Any status but 200 fails."""
        self._line.request("GET", f"/v1/{quote(path)}?{urlencode(parameters)}", headers=self._headers)
        answer = self._line.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return body

    def read(self, path: str, **parameters: object) -> Any:
        """Return the same answer, as objects."""
        return json.loads(self.get(path, **parameters))


def _feed(bench: Bench, history: list[Delivery]) -> int:
    worker, count = bench.worker(), 0
    for fetch in _fetches(bench, history):
        rest = fetch
        while rest:
            rest = rest_of(rest, worker.process(rest))
        count += sum(len(piece.messages) for piece in fetch)
    with bench.database.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM (ANALYZE)")
    return count


def _fetches(bench: Bench, history: list[Delivery], size: int = 2_000) -> Iterator[list[Slice]]:
    offsets: dict[str, int] = {}
    waiting: dict[str, list[Sent]] = {}
    wanted = {source.topic for source in bench.sources}
    for number, delivery in enumerate(history):
        if delivery.topic in wanted:
            offset = offsets[delivery.topic] = offsets.get(delivery.topic, -1) + 1
            waiting.setdefault(delivery.topic, []).append(Sent(offset, delivery.value, delivery.arrived, delivery.key))
        if number % size == size - 1:
            yield [Slice(topic, 0, messages) for topic, messages in waiting.items()]
            waiting.clear()
    yield [Slice(topic, 0, messages) for topic, messages in waiting.items()]


def _time_list(asked: Manager, path: str, parameters: dict[str, object]) -> float:
    """Time the first page, and the second where there is one."""
    first = asked.read(path, **parameters)
    shown = "&".join(f"{name}={value}" for name, value in parameters.items())
    worst = _time(f"{path}?{shown}", [(path, parameters)], asked, len(first.get(ROWS.get(path, ""), ())))
    if first.get("next"):
        further = parameters | {"after": first["next"]}
        rows = len(asked.read(path, **further)[ROWS[path]])
        worst = max(worst, _time(f"{path}?{shown} (second page)", [(path, further)], asked, rows))
    return worst


def _time_single(asked: Manager, path: str, single: str) -> float:
    """Time different orders in turn, so that none is warm for being asked again."""
    subjects = {row["subject"] for row in asked.read(path, limit=1000)[ROWS[path]]}
    return _time(f"{single}/{{subject}}", [(f"{single}/{subject}", {}) for subject in sorted(subjects)], asked, 1)


def _time(title: str, asks: Sequence[Ask], asked: Manager, rows: int) -> float:
    taken, began = [], cpu_seconds()
    number = FEW_REQUESTS if title.startswith(LONG) else REQUESTS
    for path, parameters in islice(cycle(asks), number):
        started = time.perf_counter()
        asked.get(path, **parameters)
        taken.append((time.perf_counter() - started) * 1000)
    cpu = (cpu_seconds() - began) * 1000 / number
    taken.sort()
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    aimed = title.startswith(AIMED)
    mark = ("  OVER" if p99 > TARGET_MS else "") if aimed else "  (no target)"
    print(f"  GET /v1/{title}: {rows} rows, p50 {p50:.1f} ms, p99 {p99:.1f} ms, CPU {cpu:.1f} ms{mark}", flush=True)
    return p99 if aimed else 0.0


def cpu_seconds() -> float:
    """Return the processor seconds of all processes that this one has started, PostgreSQL among them: a busy machine does not change
    them.
    """
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return sum(one.user + one.system + one.children_user + one.children_system for one in times)


if __name__ == "__main__":
    sys.exit(main())
