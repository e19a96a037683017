"""Requests of a caller to any process count in all; without PostgreSQL each process goes by its own count."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from services.chassis.clock import FixedClock
from services.chassis.database import engine, transaction
from services.chassis.failures import Away
from services.chassis.guarding.budgets import Budgets, Spent
from services.chassis.settings import DatabaseSettings

CALLER = "address 192.0.2.1"
NOON = datetime(2026, 9, 30, 12, tzinfo=UTC)


@pytest.fixture(params=["reporting", "orders", "unpaid_work"])
def shared(migrated: Callable[[], str], request: pytest.FixtureRequest) -> Engine:
    """Return an engine of shared budgets, as the API of a service works with them."""
    return engine(DatabaseSettings(url=migrated(), schema_name=request.param))


def test_processes_count_together_whatever_their_turns(shared: Engine) -> None:
    clock = FixedClock(NOON)
    here, there = Budgets(clock), Budgets(clock)
    with ThreadPoolExecutor(8) as pool:
        for one in (here, there):
            pool.map(one.take, [CALLER] * 50, [Spent(1, 0.5)] * 50)
            pool.submit(one.settle, shared).result()
    for one in (here, there, here):
        one.take(CALLER, Spent(1))
        one.settle(shared)
    assert here.spent(CALLER) == Spent(103, 50.0)
    assert there.spent(CALLER).requests >= 102
    assert here.spent("address 192.0.2.2") == Spent()
    with transaction(shared) as connection:
        assert "192.0.2" not in str(connection.execute(text("SELECT * FROM budgets")).all())
        assert connection.scalar(text("SELECT relpersistence FROM pg_class WHERE oid = to_regclass('budgets')")) == "u"
    clock.move(timedelta(minutes=1))
    assert here.spent(CALLER) == Spent()
    for _ in range(2):
        clock.move(timedelta(minutes=1))
        here.take(CALLER, Spent(1))
        here.settle(shared)
    with transaction(shared) as connection:
        assert connection.scalar(text("SELECT count(*) FROM budgets")) == 2
    shared.dispose()


def test_while_postgresql_is_away_a_process_goes_by_its_own_count() -> None:
    nowhere = engine(DatabaseSettings(url="postgresql://nobody:x@127.0.0.1:1/nowhere", schema_name="orders"))
    alone = Budgets(FixedClock(NOON))
    alone.take(CALLER, Spent(7))
    with pytest.raises(Away):
        alone.settle(nowhere)
    assert alone.take(CALLER, Spent(1)) == Spent(8)
