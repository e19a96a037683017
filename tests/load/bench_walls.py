"""Measure what it costs that PostgreSQL shows an API only the rows of who asks: `python -m tests.load.bench_walls`.

All that a manager of Glasgow can ask of ten years is asked once, and every statement that this takes is then run in turns by the owner of
the tables, who sees everything, and behind the walls, each in a transaction of its own, which begins by naming the authority. There is no
target: the cost is told, so that nobody has to guess.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, event

from services.chassis.clock import system_clock
from services.chassis.database import settings_of, transaction
from services.chassis.guarding.walls import Sight, behind, seeing
from services.simulate.nation import Simulation
from tests.integration.records.conftest import Bench
from tests.load.bench_orders import ASKED, END, GLASGOW, MONTHS, filled
from tests.support.desk import new_client, token
from tests.support.parts import postgres_process

TURNS = 30
Statement = tuple[str, Any]


def main() -> int:
    """Print how much longer each service's statements take."""
    with TemporaryDirectory() as directory, postgres_process(Path(directory)) as server:
        history = list(Simulation(1, MONTHS, END, [GLASGOW]).deliveries())
        for service in ASKED:
            filled(server.url, service, history)
            measure(Bench(server.url, service))
    return 0


def measure(bench: Bench) -> None:
    """Measure one service's statements."""
    statements = statements_of(bench)
    walled = behind(settings_of(bench.database))
    taken = [quickest(bench.database, walled, each) for each in statements]
    walled.dispose()
    bench.database.dispose()
    ratios, added = [behind / alone for alone, behind in taken], [behind - alone for alone, behind in taken]
    service, load = bench.domain.service, os.getloadavg()[0]
    print(f"{service}: {len(taken)} statements, {TURNS} turns each, load {load:.1f} on {os.cpu_count()} cores")
    for what, found, unit in (("times", ratios, 1), ("ms more", added, 1000)):
        print(
            f"  median {median(found) * unit:.2f} {what}, nine in ten up to {sorted(found)[len(found) * 9 // 10] * unit:.2f}"
        )


def statements_of(bench: Bench) -> list[Statement]:
    """Return each statement that reads, once, with its parameters."""
    found: dict[str, Any] = {}

    def keep(_c: object, _u: object, statement: str, given: Any, _x: object, _m: object) -> None:
        if statement.startswith(("SELECT", "WITH")) and "set_config" not in statement:
            found.setdefault(statement, given)

    today, headers = f"{system_clock():%Y-%m-%d}", token(GLASGOW, "orders:read", "orders:manage")
    with new_client(bench.database, bench.domain, today) as client:
        event.listen(Engine, "before_cursor_execute", keep)
        for path, parameters in ASKED[bench.domain.service]:
            client.get(f"/v1/{path}", params={name: str(value) for name, value in parameters.items()}, headers=headers)
        event.remove(Engine, "before_cursor_execute", keep)
    return list(found.items())


def quickest(owning: Engine, walled: Engine, statement: Statement) -> tuple[float, float]:
    """Return the seconds without and behind the walls: of the quickest turn, since everything else only adds to it."""
    without: list[float] = []
    behind_walls: list[float] = []
    for _ in range(TURNS):
        without.append(timed(lambda: run(owning, statement)))
        with seeing(Sight(GLASGOW)):
            behind_walls.append(timed(lambda: run(walled, statement)))
    return min(without), min(behind_walls)


def run(database: Engine, statement: Statement) -> None:
    """Run a statement in a transaction of its own."""
    with transaction(database) as connection:
        connection.exec_driver_sql(*statement).all()


def timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
