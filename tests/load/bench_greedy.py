"""Whether some can take it from the others: `python -m tests.load.bench_greedy`.

Two API processes with the limits that they are shipped with. People of one authority ask at a steady rate: first alone; then while somebody
who is not signed in asks each process for the widest workbooks over many connections, again and again; then while accounts of three other
authorities do. Whoever does so is a process of its own: it would be another machine, but here its processor time is taken from the servers.
Target: beside the one who is not signed in, the p99 of those who are at most doubles. Beside the three authorities it is shown, and each
request must be answered.
"""

import asyncio
import sys
import time
from asyncio import AbstractEventLoop
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from itertools import count, cycle, islice
from multiprocessing import get_context

from services.chassis.api.auth import Identity, Keys, generate_keys, mint
from services.chassis.clock import system_clock
from services.chassis.guarding.budgets import WINDOW_SECONDS
from tests.load.bench_reporting import Line, asks, ten_years, tokens, until_ready

RATE, SECONDS, GREEDY = 10, 30, 30
BEFORE_SECONDS = 2
"""After which the greedy one is at work."""
MOST = 2.0
GREEDY_ONES, ACCOUNTS = ("S12000005", "S12000014", "S12000030"), 5
"""Three authorities, and how many accounts of each ask."""
WIDE = "/v1/indicators/orders_imposed/data.xlsx?by=authority&from={year}-{month:02}&to=2024-12&release={release}"


def main() -> int:
    """Print p99 of those who are signed in, alone and beside the greedy, and the ratio. Returns 1 where it is over the target."""
    keys = generate_keys()
    greedy = {"one who is not signed in": [""], "three authorities": accounts(keys)}
    with ten_years(keys, limits={}) as (ports, release), ProcessPoolExecutor(1, get_context("spawn")) as another:
        ratios = asyncio.run(measure(ports, tokens(keys)["authority"], release, greedy, another))
    return int(ratios["one who is not signed in"] > MOST)


def accounts(keys: Keys) -> list[str]:
    """Return the tokens of several accounts of three authorities."""
    names = [(code, f"account-{number}") for code in GREEDY_ONES for number in range(ACCOUNTS)]
    people = [Identity(name, frozenset({"orders:read"}), code) for code, name in names]
    return [mint(keys.private, one, timedelta(hours=1), system_clock) for one in people]


async def measure(
    ports: list[int], token: str, release: str, greedy: Mapping[str, list[str]], another: ProcessPoolExecutor
) -> dict[str, float]:
    """Measure alone, and beside each of the greedy. Returns how many times p99 is what it is alone."""
    for port in ports:
        await until_ready(port)
    paths = [ask.path for ask in islice((each for each in asks(release) if "as_of" not in each.path), 100)]
    await signed_in(ports, token, paths)  # what is kept in memory is there for both
    alone = await signed_in(ports, token, paths)
    loop: AbstractEventLoop = asyncio.get_running_loop()
    ratios: dict[str, float] = {}
    for name, bearers in greedy.items():
        asking = loop.run_in_executor(another, be_greedy, ports, release, 2 * BEFORE_SECONDS + SECONDS, bearers)
        await asyncio.sleep(2 * BEFORE_SECONDS)  # with its start
        beside = await signed_in(ports, token, paths)
        ratios[name] = beside / alone
        print(f"greedy: {name}, answered {dict(await asking)}")
        print(
            f"p99 of those who are signed in: alone {alone:.0f} ms, beside {beside:.0f} ms, {beside / alone:.2f} times"
        )
        await asyncio.sleep(WINDOW_SECONDS)  # what was used in that minute is forgotten
    return ratios


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


def be_greedy(ports: list[int], release: str, seconds: int, bearers: list[str]) -> Counter[int]:
    """Ask for so long, with each of the tokens in turn. Returns how often each status was answered."""
    return asyncio.run(_be_greedy(ports, release, seconds, bearers))


async def _be_greedy(ports: list[int], release: str, seconds: int, bearers: list[str]) -> Counter[int]:
    statuses: Counter[int] = Counter()
    lines = [(port, bearer) for port in ports for _, bearer in zip(range(GREEDY), cycle(bearers), strict=False)]
    asking = [asyncio.create_task(take_all(port, release, bearer, statuses)) for port, bearer in lines]
    await asyncio.sleep(seconds)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    return statuses


async def take_all(port: int, release: str, bearer: str, statuses: Counter[int]) -> None:
    """Ask for one wide workbook after the other."""
    line, headers = Line(port), {"Authorization": f"Bearer {bearer}"} if bearer else {}
    for index in count():
        path = WIDE.format(year=2016 + index % 8, month=1 + index % 12, release=release)
        try:
            status, _ = await line.get(path, headers)
        except (OSError, EOFError):
            line, status = Line(port), 0
        statuses[status] += 1


if __name__ == "__main__":
    sys.exit(main())
