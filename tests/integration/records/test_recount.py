"""A change of calendar counts again what it touches, says so, and leaves cells that are the sum of their records."""

import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from services.chassis.failures import Refused
from services.orders.domain import domain as orders_domain
from services.records.closed_days import HEADING, calendars
from services.records.recount import differences
from services.records.tables import cells, records, recounts, shards
from tests.integration.records.conftest import Bench
from tests.integration.records.test_worker import feed
from tests.support.desk import ManagersView, client

MakeBench = Callable[[str], Bench]
ABERDEEN = "S12000033"


def closed_days(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "closed.csv"
    path.write_text("\n".join([",".join(HEADING), *lines]) + "\n")
    return path


def test_an_authority_closes_and_its_cells_follow(
    bench: MakeBench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = bench("orders")
    feed(one, 1000)
    before = one.cells()
    every_other_day = [
        f"{ABERDEEN},2024-{month:02}-{day:02},Closed" for month in range(1, 13) for day in range(2, 28, 2)
    ]
    one.domain = orders_domain(*calendars(closed_days(tmp_path, *every_other_day)))
    with caplog.at_level(logging.WARNING):
        one.worker()
    after = one.cells()
    moved = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert moved
    assert {key.split("|")[1] for key in moved} == {ABERDEEN}
    assert [record.getMessage().split()[1] for record in caplog.records] == [ABERDEEN]
    with one.database.connect() as connection:
        assert differences(connection, one.domain.of(ABERDEEN), ABERDEEN) == {}
        noted = connection.execute(select(recounts)).one()
        known = select(func.max(cells.c.known_on)).where(cells.c.authority == ABERDEEN)
        assert noted.known_on == connection.scalar(known)
    assert (noted.authority, noted.cells_changed) == (ABERDEEN, len(moved))
    told = ManagersView(client(one.database, one.domain, "2024-09-02"), ABERDEEN).get("standards")
    assert "closed days" in told["calendar"]
    closed = {line.split(",")[1] for line in every_other_day}
    assert set(told["closed_days"]) == closed - {f"{day}" for day in calendars(None)[0].closed}
    assert told["recounts"][0]["cells_changed"] == len(moved)


def test_lists_follow_the_rules_too(bench: MakeBench) -> None:
    """What lists show is written again where it is not what the rules in force say, as after a migration."""
    one = bench("orders")
    feed(one, 1000)
    columns = (records.c.authority, records.c.subject, records.c.next_due, records.c.standing, records.c.left_on)
    with one.database.begin() as connection:
        before = connection.execute(select(*columns).order_by(*columns[:2])).all()
        connection.execute(records.update().values(next_due=date(2000, 1, 1), standing=None, left_on=None))
        connection.execute(shards.update().values(counted_by=""))
    one.worker()
    with one.database.connect() as connection:
        assert connection.execute(select(*columns).order_by(*columns[:2])).all() == before
        assert connection.scalar(select(func.count()).select_from(recounts)) == 0


def test_nobody_is_counted_again_for_nothing(bench: MakeBench) -> None:
    one = bench("orders")
    feed(one, 1000)
    versions = select(shards.c.authority, shards.c.version).order_by(shards.c.authority)
    with one.database.connect() as connection:
        before = connection.execute(versions).all()
    one.worker()
    with one.database.connect() as connection:
        assert connection.execute(versions).all() == before


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["S12000033,2024-13-01,x"], "line 2"),
        (["S12000033,2024-12-01"], "line 2"),
        (["S99000033,2024-12-01,x"], "no authority"),
    ],
)
def test_a_file_with_a_fault_is_refused(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(Refused, match=message):
        calendars(closed_days(tmp_path, *lines))
    with pytest.raises(Refused, match="cannot be read"):
        calendars(tmp_path / "nowhere.csv")
