"""A change of calendar counts again what it touches, says so, and leaves cells that are the sum of their records."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from services.chassis.failures import Refused
from services.orders.domain import domain as orders_domain
from services.records.config.closed_days import HEADING, calendars
from services.records.ingest import recount
from services.records.ingest.recount import differences
from services.records.ingest.tables import cells, persons, records, recounts, shards
from services.records.model import standards
from services.records.model.bank_holidays import scotland
from services.records.model.standards import Band, Length, Unit
from tests.integration.records.conftest import Bench
from tests.support.desk import ManagersView, client

MakeBench = Callable[[str], Bench]
ABERDEEN = "S12000033"


def closed_days(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "closed.csv"
    path.write_text("\n".join([",".join(HEADING), *lines]) + "\n")
    return path


def test_an_authority_closes_and_its_cells_follow(
    fed: MakeBench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = fed("orders")
    before = one.cells()
    every_other_day = [
        f"{ABERDEEN},2024-{month:02}-{day:02},Closed" for month in range(1, 13) for day in range(2, 28, 2)
    ]
    one.domain = orders_domain(*calendars(closed_days(tmp_path, *every_other_day)))
    with caplog.at_level(logging.WARNING):
        one.worker()
    after = one.cells()
    changed = moved(before, after)
    assert changed
    assert {key.split("|")[1] for key in changed} == {ABERDEEN}
    assert [record.getMessage().split()[1] for record in caplog.records] == [ABERDEEN]
    with one.database.connect() as connection:
        assert differences(connection, one.domain.of(ABERDEEN), ABERDEEN) == {}
        noted = connection.execute(select(recounts)).one()
        known = select(func.max(cells.c.known_on)).where(cells.c.authority == ABERDEEN)
        assert noted.known_on == connection.scalar(known)
    assert (noted.authority, noted.cells_changed) == (ABERDEEN, len(changed))
    counted = one.metrics.get_sample_value("payback_cells_recounted_total", {"authority": ABERDEEN})
    assert counted == len(changed)
    told = ManagersView(client(one.database, one.domain, "2024-09-02"), ABERDEEN).get("standards")
    assert "closed days" in told["calendar"]
    closed = {line.split(",")[1] for line in every_other_day}
    assert set(told["closed_days"]) == closed - {f"{day}" for day in calendars(None)[0].closed}
    assert told["recounts"][0]["cells_changed"] == len(changed)


def test_no_statement_writes_more_than_can_be_written_in_its_time(
    fed: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the worker would try the same again and again, and all whose worker it is would wait."""
    monkeypatch.setattr(recount, "AT_ONCE", 5)
    one, sizes = fed("orders"), list[int]()
    before = due(one)
    with one.database.begin() as connection:
        connection.execute(records.update().values(next_due=None, standing=None))
        connection.execute(shards.update().values(counted_by="earlier rules"))

    @event.listens_for(one.database, "before_cursor_execute")
    def look(_connection: object, _cursor: object, statement: str, given: Any, *_: object) -> None:
        if statement.startswith('UPDATE "records"'):
            sizes.append(len(given["subject"]))

    one.worker()
    assert max(sizes) == 5
    assert due(one) == before


def due(bench: Bench) -> dict[tuple[str, str], date | None]:
    columns = (records.c.authority, records.c.subject, records.c.next_due)
    with bench.database.connect() as connection:
        return {(code, subject): day for code, subject, day in connection.execute(select(*columns))}


def test_whose_orders_they_are_is_found_again(fed: MakeBench) -> None:
    """As after a change of the table, which leaves it empty: people must not count twice when their next order comes."""
    one = fed("orders")
    before, kept = one.cells(), people(one)
    assert kept
    with one.database.begin() as connection:
        connection.execute(persons.delete())
        connection.execute(shards.update().values(counted_by="earlier rules"))
    one.worker()
    assert people(one) == kept
    assert one.cells() == before


def people(bench: Bench) -> set[tuple[object, ...]]:
    with bench.database.connect() as connection:
        return {tuple(row) for row in connection.execute(select(persons).where(persons.c.orders > 0))}


def moved(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


@pytest.mark.usefixtures("rules_altered")
def test_a_standard_changes_from_a_day_on_and_what_it_touches_follows(
    fed: MakeBench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """First placement within five days instead of seven, for orders imposed from 2024 on: a new row, and nothing else."""
    one = fed("unpaid_work")
    before = one.cells()
    (old,) = standards._BY_NAME["placement", ""]
    five = Length(5, Unit.WORKING_DAYS)
    bands = (Band(five, old.within), *old.bands[1:])
    new = replace(old, limit=five, since=date(2024, 1, 1), bands=bands, source="a change of guidance")
    monkeypatch.setitem(standards._BY_NAME, ("placement", ""), (old, new))
    one.domain = replace(one.domain, rules="with the new row")
    with caplog.at_level(logging.WARNING):
        one.worker()
    after = one.cells()
    changed = moved(before, after)
    assert {key.split("|")[0] for key in changed} == {"placement", "pending_placement", "awaited_placement"}
    assert min(key.split("|")[2] for key in changed) >= "2024-01-01"
    assert any(key.startswith("placement|") and key.endswith("band=to_3_weeks") for key in changed)
    touched = {key.split("|")[1] for key in changed}
    said = {record.getMessage().split()[1]: record.getMessage() for record in caplog.records}
    assert said.keys() == touched
    assert all("by rules with the new row" in message for message in said.values())
    for authority in touched:
        with one.database.connect() as connection:
            assert differences(connection, one.domain, authority) == {}
        told = ManagersView(client(one.database, one.domain, "2024-09-02"), authority).get("standards")["recounts"][0]
        assert told["rules_after"] == "with the new row"
        assert told["cells_changed"] == sum(key.split("|")[1] == authority for key in changed)


def test_a_day_is_proclaimed_and_the_nation_follows(fed: MakeBench, caplog: pytest.LogCaptureFixture) -> None:
    one = fed("orders")
    before = one.cells()
    national = scotland()
    mondays = {date(2023, 1, 2) + timedelta(weeks=week) for week in range(90)}
    one.domain = orders_domain(national.without(mondays, "with every Monday proclaimed"))
    with caplog.at_level(logging.WARNING):
        one.worker()
    changed = moved(before, one.cells())
    touched = {key.split("|")[1] for key in changed}
    assert len(touched) > 10
    assert {key.split("|")[0] for key in changed} <= {
        "first_contact", "case_meeting", "plan", "pending_first_contact", "pending_case_meeting", "pending_plan",
        "awaited_first_contact", "awaited_case_meeting", "awaited_plan",
        "breach_lodged", "transfer_answered", "pending_transfer", "awaited_transfer",
    }  # fmt: skip
    assert {record.getMessage().split()[1] for record in caplog.records} == touched
    with one.database.connect() as connection:
        assert set(connection.scalars(select(recounts.c.calendar))) == {"with every Monday proclaimed"}
        for authority in touched:
            assert differences(connection, one.domain, authority) == {}


def test_lists_follow_the_rules_too(fed: MakeBench) -> None:
    """What lists show is written again where it is not what the rules in force say, as after a migration."""
    one = fed("orders")
    columns = (records.c.authority, records.c.subject, records.c.next_due, records.c.standing, records.c.left_on)
    with one.database.begin() as connection:
        before = connection.execute(select(*columns).order_by(*columns[:2])).all()
        connection.execute(records.update().values(next_due=date(2000, 1, 1), standing=None, left_on=None))
        connection.execute(shards.update().values(counted_by=""))
    one.worker()
    with one.database.connect() as connection:
        assert connection.execute(select(*columns).order_by(*columns[:2])).all() == before
        assert connection.scalar(select(func.count()).select_from(recounts)) == 0


def test_nobody_is_counted_again_for_nothing(fed: MakeBench) -> None:
    one = fed("orders")
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
