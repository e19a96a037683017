"""Managers see what events say, whatever their order, repetition, or division into deliveries."""

import json
import random
from collections.abc import Callable, Iterator

import pytest

from contracts.authorities import AUTHORITIES
from services.chassis.streaming.batches import Slice
from tests.integration.records.conftest import Bench
from tests.support import scenario
from tests.support.desk import ManagersView, client

TODAY = "2024-09-02"
SEEN = {
    "orders": [
        "orders?limit=1000",
        "orders?missed=any",
        "returns/cpo?year=2024-25",
        "returns/annual-report?year=2023-24",
    ],
    "unpaid_work": ["returns/unpaid-work?year=2024-25", "returns/annual-report?year=2023-24"],
}
BOTH = ["worklist?within=20", "findings", "returns/reconciliation?year=2024-25"]


def deliveries(bench: Bench, seed: int) -> Iterator[list[Slice]]:
    """Yield everything in any order, some of it again, in fetches of any size, each topic by itself."""
    chance = random.Random(seed)
    for kind, code, found in scenario.topics():
        if kind in bench.domain.kinds:
            lines = found + [line for line in found if chance.random() < 0.3]
            chance.shuffle(lines)
            yield from scenario.slices([(kind, code, lines)], chance.randint(5, 60))


def told(bench: Bench, seed: int) -> None:
    """Split the work over two workers, each of which owns some authorities from the beginning to the end."""
    workers = [bench.worker(cached=5), bench.worker()]
    for fetch in deliveries(bench, seed):
        workers[int(fetch[0].topic[-1]) % 2].process(fetch)


@pytest.mark.parametrize("service", SEEN)
def test_managers_see_the_same(service: str, migrated: Callable[[], str]) -> None:
    """All cells, and the pages of each fourth authority."""
    seen = []
    for seed in (1, 2):
        bench = Bench(migrated(), service)
        told(bench, seed)
        asked = client(bench.database, bench.domain, TODAY)
        pages = {code: _everything(ManagersView(asked, code), service) for code in [*AUTHORITIES][::4]}
        seen.append((scenario.in_reach(bench.cells()), pages))
        bench.database.dispose()
    (cells, pages), told_otherwise = seen
    assert sum(map(len, pages.values())) > 10_000
    assert (cells, pages) == told_otherwise


def _everything(asked: ManagersView, service: str) -> str:
    return json.dumps([asked.get(path) for path in SEEN[service] + BOTH])
