"""Whether one who is not signed in can take it from those who are: `python -m tests.load.bench_greedy`.

Two API processes with the limits that they are shipped with. People who are signed in ask at a steady rate, first alone, and then while
somebody who is not asks each process for the widest workbooks over many connections, again and again, from a process of its own: it would
be another machine, but here its processor time is taken from the servers. Target: the p99 of those who are signed in at most doubles.
"""

import asyncio
import sys
import time
from asyncio import AbstractEventLoop
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import count, cycle, islice
from multiprocessing import get_context

from services.chassis.api.auth import generate_keys
from tests.load.bench_reporting import Line, asks, ten_years, tokens, until_ready

RATE, SECONDS, GREEDY = 10, 30, 30
BEFORE_SECONDS = 2
"""After which the greedy one is at work."""
MOST = 2.0
WIDE = "/v1/indicators/orders_imposed/data.xlsx?by=authority&from={year}-{month:02}&to=2024-12&release={release}"


def main() -> int:
    """Print p99 of those who are signed in, alone and beside the greedy one, and the ratio. Returns 1 where it is over the target."""
    keys = generate_keys()
    with ten_years(keys, limits={}) as (ports, release), ProcessPoolExecutor(1, get_context("spawn")) as another:
        return asyncio.run(measure(ports, tokens(keys)["authority"], release, another))


async def measure(ports: list[int], token: str, release: str, another: ProcessPoolExecutor) -> int:
    """Measure alone, and beside the greedy one."""
    for port in ports:
        await until_ready(port)
    paths = [ask.path for ask in islice((each for each in asks(release) if "as_of" not in each.path), 100)]
    await signed_in(ports, token, paths)  # what is kept in memory is there for both
    alone = await signed_in(ports, token, paths)
    loop: AbstractEventLoop = asyncio.get_running_loop()
    greedy = loop.run_in_executor(another, be_greedy, ports, release, 2 * BEFORE_SECONDS + SECONDS)
    await asyncio.sleep(2 * BEFORE_SECONDS)  # with its start
    beside = await signed_in(ports, token, paths)
    print(f"the greedy one was answered {dict(await greedy)}")
    print(f"p99 of those who are signed in: alone {alone:.0f} ms, beside {beside:.0f} ms, {beside / alone:.2f} times")
    return int(beside > MOST * alone)


async def signed_in(ports: list[int], token: str, paths: list[str]) -> float:
    """Return the 99th percentile, in milliseconds, of their requests at a steady rate, from when each was due."""
    begun, taken = time.perf_counter(), list[float]()

    async def one(path: str, port: int, due: float) -> None:
        line = Line(port)
        status, _ = await line.get(path, {"Authorization": f"Bearer {token}"})
        line.close()
        assert status == 200, (status, path)
        taken.append((time.perf_counter() - due) * 1000)

    async with asyncio.TaskGroup() as group:
        for index, path, port in zip(range(RATE * SECONDS), cycle(paths), cycle(ports), strict=False):
            due = begun + index / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(one(path, port, due))
    return sorted(taken)[len(taken) * 99 // 100]


def be_greedy(ports: list[int], release: str, seconds: int) -> Counter[int]:
    """Ask for so long. Returns how often each status was answered."""
    return asyncio.run(_be_greedy(ports, release, seconds))


async def _be_greedy(ports: list[int], release: str, seconds: int) -> Counter[int]:
    statuses: Counter[int] = Counter()
    asking = [asyncio.create_task(take_all(port, release, statuses)) for port in ports for _ in range(GREEDY)]
    await asyncio.sleep(seconds)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    return statuses


async def take_all(port: int, release: str, statuses: Counter[int]) -> None:
    """Ask for one wide workbook after the other."""
    line = Line(port)
    for index in count():
        try:
            status, _ = await line.get(WIDE.format(year=2016 + index % 8, month=1 + index % 12, release=release), {})
        except (OSError, EOFError):
            line, status = Line(port), 0
        statuses[status] += 1


if __name__ == "__main__":
    sys.exit(main())
