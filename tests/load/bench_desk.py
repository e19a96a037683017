"""How fast the desk's pages are with ten years of Glasgow: `python -m tests.load.bench_desk [MONTHS]`. Target: 200 ms at the median, warm.

The real processes of orders, unpaid work, reporting and the desk on one PostgreSQL, asked over one kept connection, one page after the
other. Reporting has ten years of the nation, as `bench_reporting` makes them, without a release: reports ask for live figures. Told beside
the median is what the page costs all processes, PostgreSQL among them, in CPU: on a busy machine that says more.
"""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from urllib.parse import quote

from contracts.periods import year_of
from services.chassis.api.auth import COOKIE
from services.chassis.database import engine
from services.chassis.settings import DatabaseSettings
from services.reporting.settings import SCHEMA
from services.simulate.nation import Simulation
from tests.load.bench_orders import ASKED, END, GLASGOW, MONTHS, YEAR, Manager, api, cpu_seconds, filled, process
from tests.load.bench_reporting import LAST, UNLIMITED, apis, empty, store, vacuum
from tests.support.desk import keys, token

TARGET_MS = 200.0
REQUESTS = 20
FEW_REQUESTS = 3
SERVICES = tuple(ASKED)
YEAR_OF_FIGURES = year_of(LAST)
"""A year that the nation's figures hold whole."""
THREE_YEARS = 36
FILES = ("/today.csv", "/hours.csv", "/returns/all.xlsx", "/held?facts=yes")
"""Whole lists as files, and what reads every record on request: told, with no target."""
LONG = ("/returns/all.xlsx", "/reports/", "/evidence/", "/held?facts=yes")
"""They ask dozens of questions each, or a long one."""


_TOKEN = token(GLASGOW, "orders:read", "orders:manage", "events:write")["Authorization"].removeprefix("Bearer ")


def main(months: int = MONTHS) -> int:
    """Print the median and the CPU of each page. Returns 1 where one with a target is over it."""
    with empty() as (url, directory):
        fill(url, months)
        with running(url, directory) as ports:
            return measure(ports)


def fill(url: str, months: int) -> None:
    """Fill so many months of Glasgow's orders and of the nation's figures, of which reports need three years."""
    started = time.perf_counter()
    history = list(Simulation(1, months, END, [GLASGOW]).deliveries())
    print(f"a history of {months} months in {time.perf_counter() - started:.0f} s", flush=True)
    for service in SERVICES:
        events = filled(url, service, history)
        print(f"{service}: {events} events, after {time.perf_counter() - started:.0f} s", flush=True)
    database = engine(DatabaseSettings(url=url, schema_name=SCHEMA))
    cells = store(database, max(months, THREE_YEARS))
    vacuum(database)
    database.dispose()
    print(f"reporting: {cells:,} cells, after {time.perf_counter() - started:.0f} s", flush=True)


@contextmanager
def running(url: str, directory: Path) -> Iterator[dict[str, int]]:
    """Yield the ports of the running services."""
    with ExitStack() as parts:
        ports = {service: parts.enter_context(api(url, service, directory)) for service in SERVICES}
        (ports["reporting"],) = parts.enter_context(apis(url, keys(), directory, 1, UNLIMITED))
        settings = {f"PAYBACK_PLATFORM_{name.upper()}_URL": f"http://127.0.0.1:{port}" for name, port in ports.items()}
        settings |= {"PAYBACK_TOKENS_DEVELOPMENT": "true", "PAYBACK_HTTP_REQUESTS_PER_MINUTE": "1000000"}
        ports["desk"] = parts.enter_context(process("desk", settings, directory))
        yield ports


def pages(orders: Manager) -> tuple[str, ...]:
    """Return the addresses to ask for: each page as a manager meets it, with the fullest order and kind of wrong data that there is."""
    subject = orders.read("worklist", within=5)["items"][0]["subject"]
    rule = orders.read("findings/counts")["rules"][0]["rule"]
    return (
        *("/", "/?when=overdue", "/?when=overdue&order=latest", "/?order=standard", "/hours"),
        *("/orders", "/orders?missed=any&open=true", f"/orders/{quote(subject)}", f"/counted/{quote(subject)}"),
        *("/wrong", f"/wrong?rule={rule}", "/refusals", "/check", "/held", "/settings", "/returns"),
        f"/figures?measure=orders_imposed&period={END.year - 1}-05",
        *(f"/reports/{END.year}-Q1", f"/reports/{YEAR_OF_FIGURES}", f"/evidence/{YEAR_OF_FIGURES}"),
        *("/today.csv", "/hours.csv", f"/returns/all.xlsx?year={YEAR}", "/held?facts=yes"),
    )


def measure(ports: Mapping[str, int]) -> int:
    """Measure all pages, each warm."""
    line, worst = HTTPConnection("127.0.0.1", ports["desk"]), 0.0
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'page':<44} {'wall':>8} {'CPU':>8} {'KiB':>7}   ms, median and mean")
    for page in pages(Manager(ports["orders"])):
        wall, cpu, size = _time(line, page)
        is_file = page.startswith(FILES)
        mark = "  (no target)" if is_file else "  OVER" if wall > TARGET_MS else ""
        print(f"{page:<44} {wall:>8.1f} {cpu:>8.1f} {size / 1024:>7.0f}{mark}", flush=True)
        worst = max(worst, 0.0 if is_file else wall)
    return int(worst > TARGET_MS)


def _time(line: HTTPConnection, page: str) -> tuple[float, float, int]:
    size, taken = _get(line, page), []
    began, number = cpu_seconds(), FEW_REQUESTS if page.startswith(LONG) else REQUESTS
    for _ in range(number):
        started = time.perf_counter()
        _get(line, page)
        taken.append((time.perf_counter() - started) * 1000)
    return median(taken), (cpu_seconds() - began) * 1000 / number, size


def _get(line: HTTPConnection, page: str) -> int:
    line.request("GET", page, headers={"Cookie": f"{COOKIE}={_TOKEN}"})
    answer = line.getresponse()
    body = answer.read()
    assert answer.status == 200, (page, answer.status, body[:2000])
    return len(body)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
