"""How fast figures are with ten years of the nation: `python -m tests.load.bench_reporting`.

Two API processes on one PostgreSQL, asked from a third at 200 requests a second: by year and month, by authority and category, live,
as of past days, as released, in every format, by national analysts, an authority and the public. Each request is one of a thousand,
by chance, all of which were asked once before: those first times are told by themselves, asked one after the other. Each request
is due at its own time, however long the ones before it take. Target: 50 ms at p99, and 5 ms where the asker has the answer already.
"""

import asyncio
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, cycle, islice, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args
from urllib.parse import urlencode

import psutil
from msgspec import structs
from sqlalchemy import Engine

from contracts.authorities import AUTHORITIES
from contracts.cells import Cell, Position, Service
from contracts.periods import add_months, last_day, month_of
from deploy.local.process import free_ports, spawn
from services.chassis.api.auth import Identity, Keys, generate_keys, mint
from services.chassis.clock import FixedClock, system_clock
from services.chassis.database import engine
from services.chassis.migrations import migrate
from services.chassis.settings import DatabaseSettings
from services.reporting.ingest.fold import fold
from services.reporting.ingest.store import write
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.releases import publication
from services.reporting.settings import MIGRATIONS, SCHEMA
from tests.support.made.figures import KNOWN_ON, national_cells
from tests.support.parts import postgres_process

MONTHS = 120
PROCESSES = 2
RATE, SECONDS, QUESTIONS = 200, 30, 1_000
TARGET_MS, TARGET_304_MS = 50.0, 5.0
LAST = add_months(month_of(KNOWN_ON), -1)
FIRST = add_months(LAST, 1 - MONTHS)
NOW = datetime.combine(KNOWN_ON + timedelta(days=2), datetime.min.time(), UTC)
SHARES = {"json": 0.7, "csv": 0.15, "jsonstat": 0.1, "xlsx": 0.05}
LINES, ASKED_AGAIN = 8, 2_000
UNLIMITED = {
    "PAYBACK_HTTP_REQUESTS_PER_MINUTE": "1000000",
    "PAYBACK_HTTP_PUBLIC_SECONDS": "0",
    "PAYBACK_HTTP_CALLER_SECONDS": "0",
}
UNCHANGED, FIRST_TIME = "304", "asked for the first time"
SERVICES: tuple[Service, ...] = get_args(Service)


@dataclass(frozen=True)
class Ask:
    """One request, and the kind under which it is counted."""

    kind: str
    path: str
    caller: str


def main() -> int:
    """Print p50 and p99 of each kind. Returns 1 where one is over the target."""
    keys = generate_keys()
    with ten_years(keys) as (ports, release):
        return asyncio.run(measure(ports, tokens(keys), release))


@contextmanager
def ten_years(
    keys: Keys, processes: int = PROCESSES, limits: Mapping[str, str] = UNLIMITED
) -> Iterator[tuple[list[int], str]]:
    """Yield the real processes on ten years of the nation: their ports, and the name of the release."""
    with empty() as (url, directory):
        database = engine(DatabaseSettings(url=url, schema_name=SCHEMA))
        release = fill(database)
        database.dispose()
        with apis(url, keys, directory, processes, limits) as ports:
            yield ports, release


@contextmanager
def empty() -> Iterator[tuple[str, Path]]:
    """Yield the address of a PostgreSQL that has the tables of reporting, and a folder to work in."""
    with TemporaryDirectory() as directory, postgres_process(Path(directory)) as server:
        migrate(server.url, SCHEMA, MIGRATIONS)
        yield server.url, Path(directory)


def fill(database: Engine) -> str:
    """Fill ten years, and return the name of a release of them."""
    started = time.perf_counter()
    number = store(database)
    name = freeze(database)
    vacuum(database)
    print(f"{number:,} rows of {MONTHS} months, and a release of them, in {time.perf_counter() - started:.0f} s")
    return name


def store(database: Engine, months: int = MONTHS) -> int:
    """Store the last months of every authority, as the worker stores them, a quarter of it corrected later. Returns how many rows."""
    number = 0
    for index in range(MONTHS - months, MONTHS, 12):
        rows = list(national_cells(index, add_months(FIRST, index), 12))
        found = [*(known(cell, 10) for cell in rows), *(known(cell, 40, more=1) for cell in rows[::4])]
        with database.begin() as connection:
            write(connection, fold(found))
        number += len(found)
    heard = [Position(s, code, 1, 1, {f"orders.events.{code}/0": 1}, NOW) for s in SERVICES for code in AUTHORITIES]
    with database.begin() as connection:
        write(connection, fold([*taken_events(), *heard]))
    return number


def taken_events() -> Iterator[Cell]:
    """Yield cells that say that each service took events of each authority in every month: nobody who was never heard has figures."""
    for service, code in product(SERVICES, AUTHORITIES):
        for month in (add_months(FIRST, index) for index in range(MONTHS)):
            yield known(Cell(service, code, 1, 1, "events", month, "outcome=applied", month, 900), 10)


def vacuum(database: Engine) -> None:
    """Vacuum now, since PostgreSQL would otherwise do so by itself while the figures are asked for."""
    with database.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM (ANALYZE)")


def known(cell: Cell, days: int, *, more: int = 0) -> Cell:
    """Return the cell as known so many days after its month."""
    day = last_day(cell.period) + timedelta(days=days)
    return structs.replace(cell, known_on=min(day, KNOWN_ON), version=1 + more, value=cell.value + more)


def freeze(database: Engine) -> str:
    """Publish a release of all months."""
    clock = FixedClock(NOW)
    name = publication.make(database, LAST, KNOWN_ON, clock)
    publication.publish(database, name, clock)
    return name


@contextmanager
def apis(url: str, keys: Keys, directory: Path, processes: int, limits: Mapping[str, str]) -> Iterator[list[int]]:
    """Yield the ports of the real processes, to which browsers bring tokens as cookies."""
    (directory / "public.pem").write_text(keys.public)
    ports = free_ports(2 * processes)
    running = [
        spawn(
            [sys.executable, "-m", "services.reporting", "api"],
            directory / f"api-{port}.log",
            environment={
                **os.environ,
                "PAYBACK_DATABASE_URL": url,
                "PAYBACK_DATABASE_SCHEMA_NAME": SCHEMA,
                "PAYBACK_TOKENS_DEVELOPMENT": "true",
                "PAYBACK_SITE_INSECURE_COOKIE": "true",
                "PAYBACK_TOKENS_PUBLIC_KEY_PATH": str(directory / "public.pem"),
                "PAYBACK_HTTP_PORT": str(port),
                "PAYBACK_METRICS_PORT": str(metrics),
                "PAYBACK_LOGS_LEVEL": "WARNING",
                **limits,
            },
        )
        for port, metrics in zip(ports[:processes], ports[processes:], strict=True)
    ]
    try:
        yield ports[:processes]
    finally:
        for process in running:
            process.terminate()
            process.wait()


def tokens(keys: Keys) -> dict[str, str]:
    """Return the tokens of those who ask; the public has none."""
    people = {
        "national": Identity("analyst", frozenset({"national:read"})),
        "authority": Identity("manager", frozenset({"orders:read"}), "S12000049"),
    }
    return {name: mint(keys.private, who, timedelta(hours=1), system_clock) for name, who in people.items()}


def asks(release: str) -> Iterator[Ask]:
    """Yield the requests, without end, always in the same order."""
    rng = random.Random(1)
    months = [add_months(FIRST, index) for index in range(MONTHS)]
    while True:
        indicator = rng.choice(list(INDICATORS.values()))
        caller = rng.choices(["national", "authority", "public"], (4, 2, 4))[0]
        kind = rng.choices(["headline", "years", "months", "authorities", "category"], (3, 3, 2, 3, 2))[0]
        asked: dict[str, str] = {}
        match kind:
            case "headline":
                first = rng.choice(months)
                asked = {"from": f"{first:%Y-%m}", "to": f"{first:%Y-%m}"}
            case "years":
                asked = {"by": "year", "from": f"{FIRST:%Y-%m}", "to": f"{LAST:%Y-%m}"}
            case "months":
                asked = {"by": "month", "from": f"{FIRST:%Y-%m}", "to": f"{LAST:%Y-%m}"}
            case "authorities":
                year = rng.randrange(FIRST.year, LAST.year)
                asked = {"by": "authority", "from": f"{year}-04", "to": f"{year + 1}-03"}
            case "category":
                year = rng.randrange(FIRST.year, LAST.year)
                names = [name for name, _ in indicator.breakdowns]
                asked = {"by": rng.choice(names) if names else "", "from": f"{year}-04", "to": f"{year + 1}-03"}
        if kind in {"years", "months"} and rng.random() < 0.5:
            asked["authority"] = rng.choice(list(AUTHORITIES))
        known_as = rng.random()
        if caller != "public" and known_as < 0.15:
            asked["as_of"] = f"{last_day(rng.choice(months)) + timedelta(days=20)}"
            kind = f"{kind}, as of"
        elif known_as < 0.3:
            asked["release"] = release
        ending = rng.choices(list(SHARES), list(SHARES.values()))[0]
        path = f"/v1/indicators/{indicator.id}/data.{ending}?{urlencode(asked)}"
        yield Ask(kind if ending == "json" else ending, path, caller)


class Line:
    """One kept connection, for one request at a time: a client that costs little, so that it takes little from the servers."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        """Return status and headers; the body is read to its end."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        told = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        await reader.readexactly(int(told.get("content-length", 0)))
        return int(head[0].split()[1]), told

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


class Load:
    """Asks each in its turn, however long those before it take, and keeps how long each answer took from when it was due."""

    def __init__(self, ports: list[int], bearers: dict[str, str]) -> None:
        self._bearers = bearers
        self._idle = {port: [Line(port) for _ in range(LINES)] for port in ports}
        self.taken: dict[str, list[float]] = defaultdict(list)
        self._etags: dict[tuple[str, str], str] = {}

    async def run(self, asked: Iterator[Ask], seconds: int) -> None:
        """Run at the rate, for so long."""
        ports, tasks = cycle(self._idle), []
        begun = time.perf_counter()
        for index in range(RATE * seconds):
            due = begun + index / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(self._one(next(asked), next(ports), due)))
        await asyncio.gather(*tasks)

    async def _one(self, ask: Ask, port: int, due: float) -> None:
        line = self._idle[port].pop() if self._idle[port] else Line(port)
        status, told = await line.get(ask.path, self._headers(ask.caller))
        self._idle[port].append(line)
        assert status == 200, (status, ask)
        self.taken[ask.kind].append((time.perf_counter() - due) * 1000)
        self._etags[ask.path, ask.caller] = told["etag"]

    async def first_times(self, questions: list[Ask], port: int) -> None:
        """Measure the first requests one after the other, with nothing else going on."""
        line = Line(port)
        for ask in questions:
            begun = time.perf_counter()
            status, _ = await line.get(ask.path, self._headers(ask.caller))
            assert status == 200, (status, ask)
            self.taken[FIRST_TIME].append((time.perf_counter() - begun) * 1000)
        line.close()

    def _headers(self, caller: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._bearers[caller]}"} if caller in self._bearers else {}

    async def known(self, number: int) -> None:
        """Ask again for what is known, one after the other, with nothing else going on."""
        (port, *_) = self._idle
        line = Line(port)
        for (path, caller), etag in islice(cycle(self._etags.items()), number):
            headers = self._headers(caller) | {"If-None-Match": etag}
            begun = time.perf_counter()
            status, _ = await line.get(path, headers)
            assert status == 304, status
            self.taken[UNCHANGED].append((time.perf_counter() - begun) * 1000)
        line.close()

    def close(self) -> None:
        for lines in self._idle.values():
            for line in lines:
                line.close()


async def measure(ports: list[int], bearers: dict[str, str], release: str) -> int:
    """Warm up, then measure."""
    for port in ports:
        await until_ready(port)
    questions = list(islice(asks(release), QUESTIONS))
    load, rng = Load(ports, bearers), random.Random(2)
    for port in ports:
        await load.first_times(questions, port)
    fresh = load.taken.pop(FIRST_TIME)
    before = psutil.cpu_times()
    await load.run((rng.choice(questions) for _ in count()), SECONDS)
    busy = share_busy(before, psutil.cpu_times())
    together = [each for found in load.taken.values() for each in found]
    await load.known(ASKED_AGAIN)
    load.close()
    print(f"{RATE} requests a second for {SECONDS} s, to {PROCESSES} processes, of {len(load.taken)} kinds")
    print(f"processors {busy:.0%} busy, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, this client included")
    again = load.taken.pop(UNCHANGED)
    for kind, found in sorted(load.taken.items()):
        told(kind, found)
    told(FIRST_TIME, fresh)
    return int((told("all", together) > TARGET_MS) | (told(UNCHANGED, again) > TARGET_304_MS))


def share_busy(before: Any, after: Any) -> float:
    """Return the share of the whole machine that is busy."""
    spent = sum(after) - sum(before)
    return float(1 - (after.idle - before.idle) / spent)


def told(kind: str, taken: list[float]) -> float:
    """Print the times, and return the 99th percentile."""
    taken = sorted(taken)
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    target = TARGET_304_MS if kind == UNCHANGED else TARGET_MS
    print(f"  {kind:<25} {len(taken):>6,}   p50 {p50:>7.1f} ms   p99 {p99:>7.1f} ms   {p99 / target:.2f} of the target")
    return p99


async def until_ready(port: int) -> None:
    for _ in range(600):
        line = Line(port)
        with closing(line), suppress(OSError):
            if (await line.get("/readyz", {}))[0] == 200:
                return
        await asyncio.sleep(0.1)
    raise TimeoutError


if __name__ == "__main__":
    sys.exit(main())
