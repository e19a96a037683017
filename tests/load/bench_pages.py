"""How fast pages are with ten years of the nation: `python -m tests.load.bench_pages`.

One API process on PostgreSQL, asked one page after the other. First looks ask for what nobody asked for before, in a process that
has answered each page once; looks again ask for the same. Everybody is asked for: the public, an authority, and national analysts, for
whom nothing is kept. Target: 200 ms at the median of every page. How much processor time each look took, of the API and PostgreSQL
together, is told beside it: that stays the same where other programs run on the machine, too.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from statistics import median
from typing import NamedTuple
from urllib.request import Request, urlopen

import psutil

from services.chassis.api.auth import COOKIE, generate_keys
from tests.load.bench_reporting import Line, ten_years, tokens, until_ready

TARGET_MS = 200.0
YEARS = [f"year-{first}-{first % 100 + 1:02d}" for first in range(2017, 2025)]
PAGES = (
    "/",
    "/indicators",
    "/indicators/placement_within_7",
    "/authorities",
    "/authorities/S12000049",
    "/authorities/S12000023",
    "/compare/placement_within_7",
    "/quality",
)
WITHOUT_PERIOD = ("/releases", "/releases/{release}", "/search?q=glasgow", "/about", "/data", "/docs")


def main() -> int:
    """Print the median of each page, first look and again. Returns 1 where one is over the target."""
    keys = generate_keys()
    with ten_years(keys, processes=1) as (ports, release):
        return asyncio.run(measure(ports[0], {"public": ""} | tokens(keys), release))


async def measure(port: int, callers: dict[str, str], release: str) -> int:
    """Measure all pages for all callers."""
    begun = time.perf_counter()
    await until_ready(port)
    print(f"ready after {time.perf_counter() - begun:.1f} s")
    print(f"{'ms':<11} {'page':<32} {'start':>12} {'first look':>16} {'again':>16}   medians, and of processor time")
    line, worst = Line(port), 0.0
    for caller, token in callers.items():
        headers = {"Cookie": f"{COOKIE}={token}"} if token else {}
        check_who_looks(port, headers)
        for page, looks in pages(release):
            start, *first = [await taken(line, look, headers) for look in looks]
            again = [await taken(line, look, headers) for look in looks]
            found = middle(first or again), middle(again)
            print(f"{caller:<11} {page:<32} {told(start):>12} {told(found[0]):>16} {told(found[1]):>16}", flush=True)
            worst = max(worst, *(each.elapsed for each in found))
    line.close()
    print(f"the slowest median is {worst / TARGET_MS:.2f} of the target of {TARGET_MS:.0f} ms")
    return int(worst > TARGET_MS)


def pages(release: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each page, and the addresses at which it shows different periods."""
    for page in PAGES:
        yield page, [f"{page}?period={year}" for year in YEARS]
    for page in WITHOUT_PERIOD:
        yield page, [page.format(release=release)] * 3


class Taken(NamedTuple):
    """By one look, in milliseconds."""

    elapsed: float
    processors: float


def told(taken: Taken) -> str:
    return f"{taken.elapsed:.0f} ({taken.processors:.0f})"


def middle(found: list[Taken]) -> Taken:
    return Taken(*(median(each) for each in zip(*found, strict=True)))


async def taken(line: Line, path: str, headers: dict[str, str]) -> Taken:
    """Return how long one look at a page takes."""
    begun, before = time.perf_counter(), processor_seconds()
    status, _ = await line.get(path, headers)
    assert status == 200, (status, path)
    elapsed = time.perf_counter() - begun
    return Taken(elapsed * 1000, (processor_seconds() - before) * 1000)


def processor_seconds() -> float:
    """Return the processor seconds of this process and all that it started: the API and PostgreSQL."""
    running = [psutil.Process(), *psutil.Process().children(recursive=True)]
    with suppress(psutil.NoSuchProcess):
        return sum(used.user + used.system for used in (each.cpu_times() for each in running))
    return processor_seconds()


def check_who_looks(port: int, headers: dict[str, str]) -> None:
    """Check who looks, since everybody could otherwise be taken for the public, for whom pages are kept."""
    with urlopen(Request(f"http://127.0.0.1:{port}/about", headers=headers)) as page:
        assert (b"Sign out" in page.read()) is bool(headers)


if __name__ == "__main__":
    sys.exit(main())
