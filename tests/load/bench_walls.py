"""What it costs that PostgreSQL shows an API only the rows of who asks: `python -m tests.load.bench_walls`.

All that a manager of Glasgow can ask of ten years is asked once, and every statement that this takes is then run in turns by the owner of
the tables, who sees everything, and behind the walls, each in a transaction of its own. Target: 1.25 times in the median of statements.
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

from deploy.local.postgres import Postgres
from services.chassis.clock import system_clock
from services.chassis.database import settings_of, transaction
from services.chassis.guarding.walls import Sight, behind, seeing
from services.simulate.nation import Simulation
from tests.integration.records.conftest import Bench
from tests.load.bench_orders import ASKED, END, GLASGOW, MONTHS, filled
from tests.support.desk import new_client, token

TURNS = 30
MOST = 1.25
Statement = tuple[str, Any]


def main() -> int:
    """Prints the ratio of each service's statements; 1 where the median is over the target."""
    with TemporaryDirectory() as directory:
        server = Postgres(Path(directory))
        server.start()
        try:
            history = list(Simulation(1, MONTHS, END, [GLASGOW]).deliveries())
            for service in ASKED:
                filled(server.url, service, history)
            return int(max([measure(Bench(server.url, service)) for service in ASKED]) > MOST)
        finally:
            server.remove()


def measure(bench: Bench) -> float:
    """The median ratio of one service's statements."""
    statements = statements_of(bench)
    walled = behind(settings_of(bench.database))
    ratios = [ratio(bench.database, walled, each) for each in statements]
    walled.dispose()
    bench.database.dispose()
    service, load = bench.domain.service, os.getloadavg()[0]
    print(f"{service}: {len(ratios)} statements, {TURNS} turns each, load {load:.1f} on {os.cpu_count()} cores")
    print(
        f"  behind the walls: median {median(ratios):.2f} times, the slowest of ten {sorted(ratios)[len(ratios) * 9 // 10]:.2f} times"
    )
    return median(ratios)


def statements_of(bench: Bench) -> list[Statement]:
    """Each that reads, once, with what it was given."""
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


def ratio(owning: Engine, walled: Engine, statement: Statement) -> float:
    """By the quickest of some turns, since everything else only adds to it."""
    without: list[float] = []
    behind_walls: list[float] = []
    for _ in range(TURNS):
        without.append(timed(lambda: run(owning, statement)))
        with seeing(Sight(GLASGOW)):
            behind_walls.append(timed(lambda: run(walled, statement)))
    return min(behind_walls) / min(without)


def run(database: Engine, statement: Statement) -> None:
    """In a transaction of its own."""
    with transaction(database) as connection:
        connection.exec_driver_sql(*statement).all()


def timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
