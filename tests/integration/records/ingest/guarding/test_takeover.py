"""Nobody waits long for a worker that stands still: it locks last and shortly, and loses what it holds to its successor."""

import time
from collections.abc import Callable, Iterator
from threading import Timer
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from contracts.topics import authority_of
from services.chassis import database as databases
from services.chassis.database import driver_url
from services.chassis.failures import Away
from services.chassis.settings import DatabaseSettings
from services.chassis.streaming import positions
from services.records.ingest import store
from services.records.ingest.guarding import takeover
from tests.integration.records.conftest import Bench
from tests.support import scenario

HOLDS = text("UPDATE checkpoints SET next_offset = next_offset")


@pytest.fixture
def one(bench: Callable[[str], Bench]) -> Bench:
    """Return a service that has read something."""
    made = bench("unpaid_work")
    made.worker().process(fetch(made))
    return made


def fetch(bench: Bench, start: int = 0) -> list[Any]:
    lines = [found for found in scenario.topics() if found[0] in bench.domain.kinds]
    return next(iter(scenario.slices(lines, 20, start)))


@pytest.fixture
def predecessor(one: Bench, postgres: str) -> Iterator[Engine]:
    """Yield another worker's database."""
    made = databases.engine(DatabaseSettings(url=postgres, schema_name=one.domain.service))
    yield made
    made.dispose()


def test_all_that_takes_long_is_done_before_anything_is_locked(one: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    worker, done = one.worker(), list[str]()

    def told(what: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any) -> Any:
            done.append(what)
            return call(*arguments)

        return called

    monkeypatch.setattr(databases, "FEW", 0)
    monkeypatch.setattr(databases, "_copy", told("copy", databases._copy))
    monkeypatch.setattr(positions, "advance", told("lock", positions.advance))
    worker.process(fetch(one, 20))
    assert done.count("copy") >= 3
    assert done[-1] == "lock"


def test_who_stands_still_in_a_commit_loses_it_to_its_successor(
    one: Bench, predecessor: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeover, "GRACE_SECONDS", 0.2)
    with predecessor.connect() as held:
        held.execute(HOLDS)
        began = time.monotonic()
        one.worker().process(fetch(one, 20))
        assert time.monotonic() - began < 5
        with pytest.raises(Exception, match=r"terminat|closed"):
            held.execute(HOLDS)
        held.invalidate()


def test_who_goes_on_is_not_ended(one: Bench, predecessor: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeover, "GRACE_SECONDS", 0.5)
    with predecessor.connect() as held:
        held.execute(HOLDS)
        Timer(0.1, held.commit).start()
        topics = {source.topic for source in one.sources}
        assert takeover.end_predecessors(one.database, topics, {authority_of(topic) for topic in topics}) == 0
        held.execute(HOLDS)


def test_who_may_take_long_is_not_ended(one: Bench, predecessor: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a command that has a person forgotten: without its hold the log that it writes anew would be counted twice."""
    monkeypatch.setattr(takeover, "GRACE_SECONDS", 0.0)
    with databases.unhurried(predecessor) as held:
        held.execute(HOLDS)
        topics = {source.topic for source in one.sources}
        assert takeover.end_predecessors(one.database, topics, {authority_of(topic) for topic in topics}) == 0
        held.execute(HOLDS)


def test_a_successor_does_not_wait_without_limit(one: Bench, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for what is nobody's predecessor, such as an operator's session."""
    monkeypatch.setattr(store, "LOCK_SECONDS", 0.2)
    worker, operator = one.worker(), create_engine(driver_url(postgres))
    with operator.connect() as held:
        held.execute(text(f"UPDATE {one.domain.service}.checkpoints SET next_offset = next_offset"))
        with pytest.raises(Away, match="55P03"):
            worker.process(fetch(one, 20))
    worker.process(fetch(one, 20))
    operator.dispose()


def test_who_stands_still_between_two_statements_loses_the_commit(one: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "STAND_STILL_SECONDS", 0.1)
    bump, worker = store.bump, one.worker()

    def and_stand_still(*arguments: Any) -> None:
        bump(*arguments)
        time.sleep(0.6)

    with monkeypatch.context() as patch:
        patch.setattr(store, "bump", and_stand_still)
        with pytest.raises(Away):
            worker.process(fetch(one, 20))
    worker.process(fetch(one, 20))
